package scoring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// AlarmError says that log and store do not belong together, or that a bound is reached. Somebody must look.
type AlarmError struct {
	// Code is stable: log_trimmed, log_lost_tail, log_replaced, clock_ahead, dedupe_full, foreign_partition.
	Code string
	Why  string
}

func (e *AlarmError) Error() string { return e.Code + ": " + e.Why }

func alarmf(code, format string, args ...any) *AlarmError {
	return &AlarmError{Code: code, Why: fmt.Sprintf(format, args...)}
}

// claim takes a partition over: it raises the epoch, so that any other owner is fenced, checks that the log
// is the one the state was folded from, and loads the partition's own state.
func (s *Service) claim(ctx context.Context, stream, number int, condemned condemned) (*worker, error) {
	head, err := s.deps.Store.Claim(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("raising the epoch: %w", err)
	}
	head, identity, err := s.guard(ctx, stream, number, head)
	if err != nil {
		return nil, err
	}
	partition, err := fold.NewPartition(fold.Options{
		Number: number, Shipped: scorecard.Shipped(), Parse: scorecard.Parse, MaxIDs: s.cfg.MaxMessageIDs,
	}, head)
	if err != nil {
		return nil, fmt.Errorf("opening partition %d: %w", number, err)
	}
	partition.Stream = identity
	condemned.tell(partition, number)
	limit := s.cfg.CacheMiB << 20 / s.deps.Log.Layout().Partitions
	pressed, err := s.deps.Pressure.Raised(ctx, pressureName(number))
	if err != nil {
		return nil, err
	}
	w := &worker{
		pressed: pressed,
		service: s, stream: stream, number: number, start: head.Cursor, partition: partition,
		epoch: head.Epoch, generation: head.Generation, cursor: head.Cursor,
		accounts: newCache(limit), in: make(chan task, queued), done: make(chan error, 1),
	}
	if keys := partition.LoadKeys(); len(keys) > 0 {
		values, err := w.read(ctx, keys...)
		if err != nil {
			return nil, fmt.Errorf("reading the state of partition %d: %w", number, err)
		}
		if err := partition.Load(values); err != nil {
			return nil, fmt.Errorf("loading partition %d: %w", number, err)
		}
	}
	w.logTime.Store(partition.LogTime)
	w.due.Store(partition.NextTimer())
	return w, nil
}

// guard compares log and state. JetStream itself says nothing when a log lost its tail or was made anew. A
// state that knows more than a log which is complete from its first message is folded again from there; what
// cannot be folded again stops the partition.
func (s *Service) guard(ctx context.Context, stream, number int, head store.Head) (store.Head, string, error) {
	info, err := s.deps.Log.Info(ctx, stream)
	if err != nil {
		return head, "", fmt.Errorf("asking for stream %d: %w", stream, err)
	}
	identity := fmt.Sprintf("%s/%d/%d", s.deps.Log.Layout().ID, stream, info.Created.UnixNano())
	if head.Cursor == 0 {
		if info.First > 1 {
			return head, identity, alarmf("log_trimmed",
				"partition %d has no state and stream %d begins at %d", number, stream, info.First)
		}
		return head, identity, nil
	}
	alarm, err := s.compare(ctx, stream, number, head, identity, info)
	if err != nil || alarm == nil {
		return head, identity, err
	}
	if info.First > 1 {
		return head, identity, alarm
	}
	s.metrics.alarm(ctx, alarm.Code)
	s.deps.Logger.ErrorContext(ctx, "log and state differ: the partition is folded again from the start of the log",
		"partition", number, "code", alarm.Code, "why", alarm.Why)
	head, err = s.deps.Store.Reset(ctx, number, head.Epoch)
	if err != nil {
		return head, identity, fmt.Errorf("resetting partition %d: %w", number, err)
	}
	return head, identity, nil
}

// compare returns the alarm that a state with a cursor raises against the log; nil: they agree.
func (s *Service) compare(
	ctx context.Context, stream, number int, head store.Head, identity string, info eventlog.StreamInfo,
) (*AlarmError, error) {
	state, err := fold.DecodeState(head.State)
	if err != nil {
		return nil, fmt.Errorf("reading state of partition %d: %w", number, err)
	}
	if state.Stream != identity {
		return alarmf("log_replaced",
			"partition %d was folded from stream %s, not %s", number, state.Stream, identity), nil
	}
	if info.Last < head.Cursor {
		return alarmf("log_lost_tail",
			"partition %d is folded up to %d, stream %d ends at %d", number, head.Cursor, stream, info.Last), nil
	}
	if info.First > head.Cursor+1 {
		return alarmf("log_trimmed",
			"partition %d is folded up to %d, stream %d begins at %d", number, head.Cursor, stream, info.First), nil
	}
	m, err := s.messageAt(ctx, stream, head.Cursor)
	if errors.Is(err, eventlog.ErrNoMessage) {
		if info.First > head.Cursor {
			return nil, nil //nolint:nilnil // the message at the cursor may be trimmed when the next one is there
		}
		return alarmf("log_lost_tail",
			"message %d of stream %d, up to which partition %d was folded, is gone", head.Cursor, stream, number), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading message %d of stream %d: %w", head.Cursor, stream, err)
	}
	if m.Time != state.LastTime || m.Hash() != state.LastHash {
		return alarmf("log_lost_tail",
			"message %d of stream %d is not the one that partition %d was folded up to", head.Cursor, stream, number), nil
	}
	return nil, nil //nolint:nilnil // no alarm, no error
}

const (
	// goneAnswers is how many times in a row a message must be missing to be gone: in a cluster any replica
	// answers, also one that is behind.
	goneAnswers = 4
	gonePause   = 100 * time.Millisecond
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
