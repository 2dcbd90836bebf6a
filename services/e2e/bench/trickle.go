package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
)

// beat is how often a trickle writes.
const beat = 20 * time.Millisecond

// trickle is a light, steady load: one event for every partition at each beat.
type trickle struct {
	cancel context.CancelFunc
	done   chan error
	writes []write // to be read when it has ended
}

// write is one beat.
type write struct {
	at time.Time
	// token says where each event is in the log.
	token eventlog.Token
}

// drip begins a trickle.
func drip(ctx context.Context, log *eventlog.Log) *trickle {
	ctx, cancel := context.WithCancel(ctx)
	t := &trickle{cancel: cancel, done: make(chan error, 1)}
	accounts := oneOfEach(log.Layout())
	go func() {
		writer := log.NewWriter(eventlog.WriterOptions{AckTimeout: time.Minute})
		err := t.run(ctx, writer, accounts)
		t.done <- errors.Join(err, writer.Close(context.WithoutCancel(ctx)))
	}()
	return t
}

func (t *trickle) run(ctx context.Context, writer *eventlog.Writer, accounts []string) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		w := write{at: time.Now()}
		items := make([]eventlog.Item, len(accounts))
		for p, account := range accounts {
			items[p] = eventlog.Item{Partition: p, Record: timeless(account, fmt.Sprintf("drip-%s-%d", run, len(t.writes)))}
		}
		var err error
		if w.token, err = writer.Write(context.WithoutCancel(ctx), items); err != nil {
			return fmt.Errorf("writing the steady load: %w", err)
		}
		t.writes = append(t.writes, w)
	}
}

// close ends the trickle, with everything written.
func (t *trickle) close() error {
	t.cancel()
	return <-t.done
}

// fresh returns how long the events of a trickle that has ended took to be in the scores, from before they were written.
func (t *trickle) fresh(seen *timeline) ([]time.Duration, error) {
	var times []time.Duration
	var missing error
	for _, w := range t.writes {
		w.token.Each(func(p int, sequence uint64) {
			marks := seen.of(p, w.at)
			i := slices.IndexFunc(marks, func(m mark) bool { return m.cursor >= sequence })
			if i < 0 {
				missing = fmt.Errorf("message %d of partition %d was not seen to be scored", sequence, p)
				return
			}
			times = append(times, marks[i].at.Sub(w.at))
		})
	}
	return times, missing
}

// awaitLast waits until the last event of a trickle that has ended is in the scores.
func (t *trickle) awaitLast(ctx context.Context, seen *timeline) error {
	if len(t.writes) == 0 {
		return errors.New("the steady load wrote nothing")
	}
	last := t.writes[len(t.writes)-1]
	return until(ctx, time.Minute, func() error {
		var behind error
		last.token.Each(func(p int, sequence uint64) {
			marks := seen.of(p, last.at)
			if len(marks) == 0 || marks[len(marks)-1].cursor < sequence {
				behind = fmt.Errorf("partition %d is not at %d yet", p, sequence)
			}
		})
		return behind
	})
}

// oneOfEach returns an account of each partition.
func oneOfEach(layout eventlog.Layout) []string {
	accounts := make([]string, layout.Partitions)
	for i, missing := 0, layout.Partitions; missing > 0; i++ {
		id := "drip-" + strconv.Itoa(i)
		if p := layout.Partition("default", id); accounts[p] == "" {
			accounts[p] = id
			missing--
		}
	}
	return accounts
}

// timeless is an event that happens when the log takes it.
func timeless(account, id string) *logv1.Record {
	return &logv1.Record{Workspace: "default", Origin: "segment", Payload: &logv1.Record_Event{Event: &eventv1.Event{
		MessageId: id, AccountId: account, UserId: "user-" + account,
		Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "Feature 1"}},
	}}}
}
