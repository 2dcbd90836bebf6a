package scoring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

// guard compares a claimed partition with the log. JetStream itself says nothing when a log lost its tail or was made
// anew, and a Redis that was put back to an old backup says nothing either.
type guard struct {
	service   *Service
	stream    int
	partition int
	info      eventlog.StreamInfo
	mark      mark
}

func (g *guard) identity() string {
	return identityOf(g.service.deps.Log.Layout(), g.stream, g.info)
}

// examine returns the head from which the partition can be folded on. What cannot be folded on is put back to the
// newest snapshot that fits the log, or folded again from the log's start; where neither can be, the partition stops
// with an alarm.
func (g *guard) examine(ctx context.Context, head store.Head) (store.Head, error) {
	state, err := fold.DecodeState(head.State)
	if err != nil {
		return head, alarmf(codeNewerState, "the state of partition %d cannot be read by this program: %v", g.partition, err)
	}
	if state.Rules > fold.Rules {
		return head, alarmf(codeNewerState, "partition %d was folded by rules %d of a newer program, this one knows %d",
			g.partition, state.Rules, fold.Rules)
	}
	alarm, err := g.foreign(&state)
	if err != nil {
		return head, err
	}
	if alarm == nil && head.Cursor > 0 {
		if alarm, err = g.compare(ctx, head, &state); err != nil {
			return head, err
		}
		if alarm == nil {
			g.fellBack(ctx, head)
			return head, nil
		}
	}
	return g.mend(ctx, head, alarm)
}

// foreign finds the state of another log. It may belong to another deployment that is not running now.
func (g *guard) foreign(state *fold.State) (alarm *AlarmError, err error) {
	id, _, _ := strings.Cut(state.Stream, "/")
	if state.Stream == "" || id == g.service.deps.Log.Layout().ID {
		return nil, nil //nolint:nilnil // no alarm, no error
	}
	alarm = alarmf(codeForeignDeployment, "partition %d holds the state of another log (%s), this one is %s",
		g.partition, id, g.service.deps.Log.Layout().ID)
	if !g.service.cfg.Adopt {
		alarm.Why += ": give this deployment a store of its own, or let it take this one with --scoring-adopt"
		return nil, alarm
	}
	return alarm, nil
}

// compare returns the alarm that a state with a cursor raises against the log; nil: they agree.
func (g *guard) compare(ctx context.Context, head store.Head, state *fold.State) (*AlarmError, error) {
	if state.Stream != g.identity() {
		return alarmf(codeLogReplaced,
			"partition %d was folded from stream %s, not %s", g.partition, state.Stream, g.identity()), nil
	}
	if err := g.await(ctx, head.Cursor); err != nil {
		return nil, err
	}
	if g.info.Last < head.Cursor {
		return alarmf(codeLogLostTail,
			"partition %d is folded up to %d, stream %d ends at %d", g.partition, head.Cursor, g.stream, g.info.Last), nil
	}
	if g.info.First > head.Cursor+1 {
		return alarmf(codeLogTrimmed,
			"partition %d is folded up to %d, stream %d begins at %d", g.partition, head.Cursor, g.stream, g.info.First), nil
	}
	same, err := g.holds(ctx, head.Cursor, state.LastTime, state.LastHash)
	if err != nil || same {
		return nil, err
	}
	return alarmf(codeLogLostTail,
		"message %d of stream %d is not the one that partition %d was folded up to", head.Cursor, g.stream, g.partition), nil
}

// await gives a cluster time to show what it has: a server that has just become the leader of a stream may not have
// applied all of it yet, and would pass for a log that lost its tail.
func (g *guard) await(ctx context.Context, sequence uint64) error {
	s := g.service
	if s.deps.Log.Layout().Replicas == 1 {
		return nil
	}
	for tries := 0; g.info.Last < sequence && tries < tailTries; tries++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.cfg.tailPause):
		}
		info, err := s.deps.Log.Info(ctx, g.stream)
		if err != nil {
			return fmt.Errorf("asking for stream %d: %w", g.stream, err)
		}
		g.info = info
	}
	return nil
}

// holds reports whether the log still holds, at a place, the message of that time and hash; it may be trimmed where the
// next one is there.
func (g *guard) holds(ctx context.Context, sequence uint64, at int64, hash uint64) (bool, error) {
	m, err := g.service.messageAt(ctx, g.stream, sequence)
	if errors.Is(err, eventlog.ErrNoMessage) {
		return g.info.First > sequence, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading message %d of stream %d: %w", sequence, g.stream, err)
	}
	return m.Time == at && m.Hash() == hash, nil
}

// fellBack tells when the store was further before: Redis lost writes, or was put back to an old backup. The log is read
// again from where it is.
func (g *guard) fellBack(ctx context.Context, head store.Head) {
	if !g.mark.beyond(g.identity(), head) {
		return
	}
	g.service.raise(ctx, g.partition, alarmf(codeStoreFellBack,
		"the store holds partition %d up to %d in generation %d, it was at %d in generation %d before",
		g.partition, head.Cursor, head.Generation, g.mark.Cursor, g.mark.Generation),
		"the store fell back: the log is read again from there")
}

// mend finds a state to go on from where the stored one does not fit the log; alarm is nil where there is none yet.
func (g *guard) mend(ctx context.Context, head store.Head, alarm *AlarmError) (store.Head, error) {
	restored, ok, err := g.restoreNewest(ctx, head, alarm)
	if err != nil || ok {
		return restored, err
	}
	if g.info.First > 1 {
		if alarm == nil {
			alarm = alarmf(codeLogTrimmed, "partition %d has no state and stream %d begins at %d",
				g.partition, g.stream, g.info.First)
		}
		return head, alarm
	}
	if alarm == nil {
		g.fellBack(ctx, head)
		return head, nil
	}
	g.service.raise(ctx, g.partition, alarm, "log and state differ: the partition is folded again from the start of the log")
	head, err = g.service.deps.Store.Reset(ctx, g.partition, head.Epoch)
	if err != nil {
		return head, fmt.Errorf("resetting partition %d: %w", g.partition, err)
	}
	return head, nil
}

const (
	// goneAnswers is how many times in a row a message must be missing to be gone: in a cluster any replica
	// answers, also one that is behind.
	goneAnswers = 4
	gonePause   = 100 * time.Millisecond
	// tailTries times tailPause is how long a log in a cluster may seem to end early before its tail is lost.
	tailTries = 25
	tailPause = 200 * time.Millisecond
)

// messageAt reads a message. ErrNoMessage is certain.
func (s *Service) messageAt(ctx context.Context, stream int, sequence uint64) (eventlog.Message, error) {
	for tries := 1; ; tries++ {
		m, err := s.deps.Log.MessageAt(ctx, stream, sequence)
		if !errors.Is(err, eventlog.ErrNoMessage) || tries == goneAnswers {
			return m, err
		}
		select {
		case <-ctx.Done():
			return m, ctx.Err()
		case <-time.After(gonePause):
		}
	}
}
