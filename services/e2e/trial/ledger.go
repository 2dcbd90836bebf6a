package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/oracle"
)

// inLog says for each message id in the log what time the rules give its event: that at which it happened, but not
// after log time. It is read from the log itself, past all services.
type inLog map[string]int64

// readLog reads the whole log.
func readLog(ctx context.Context, f *rig.Fleet) (inLog, error) {
	urls := make([]string, len(f.NATS))
	for i, n := range f.NATS {
		urls[i] = "nats://" + n.Addr
	}
	conn, err := eventlog.Connect(ctx, strings.Join(urls, ","), nil)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	defer conn.Close()
	log, err := eventlog.Open(ctx, conn, eventlog.Options{})
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	found := inLog{}
	for stream := range log.Layout().Streams {
		if err := found.readStream(ctx, log, stream); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// errEnd says that the end of a stream is reached.
var errEnd = errors.New("end of the stream")

func (l inLog) readStream(ctx context.Context, log *eventlog.Log, stream int) error {
	info, err := log.Info(ctx, stream)
	if err != nil || info.Last == 0 {
		return err
	}
	logTime := map[int]int64{}
	err = log.Read(ctx, stream, 1, func(m *eventlog.Message) error {
		if m.Err != nil {
			return fmt.Errorf("message %d of stream %d: %w", m.Sequence, stream, m.Err)
		}
		logTime[m.Partition] = max(logTime[m.Partition], m.Time)
		for _, r := range m.Records {
			e := r.GetEvent()
			if _, again := l[e.GetMessageId()]; e == nil || again {
				continue // the first one counts
			}
			l[strings.Clone(e.GetMessageId())] = min(e.GetOccurredAt().AsTime().UnixMicro(), logTime[m.Partition])
		}
		if m.Sequence >= info.Last {
			return errEnd
		}
		return nil
	})
	if !errors.Is(err, errEnd) {
		return err
	}
	return nil
}

// ledger is what must have been counted.
type ledger struct {
	// events of each account.
	events map[string][]oracle.Timed
	// count is how many there are, acknowledged how many of them a client was told of.
	count, acknowledged int
	// missing are acknowledged events that are not in the log.
	missing []string
}

// ledger holds what clients sent against the log.
func (t *traffic) ledger(log inLog) *ledger {
	l := &ledger{events: map[string][]oracle.Timed{}}
	for _, b := range t.batches {
		for _, f := range t.facts(b) {
			at, there := log[f.ID]
			if acked := b.acked.Load(); acked {
				l.acknowledged++
				if !there {
					l.missing = append(l.missing, f.ID)
					continue
				}
			} else if !there {
				continue // nobody was promised anything
			}
			l.count++
			l.events[f.Account] = append(l.events[f.Account], oracle.Timed{Event: f.Event(), Time: at})
		}
	}
	return l
}

// settle waits until everything in the log is counted, or the count has stood still for some time.
func settle(ctx context.Context, read func(context.Context) (rig.Totals, error), want int) (rig.Totals, error) {
	const still = 30 * time.Second
	var totals rig.Totals
	moved := time.Now()
	for {
		now, err := read(ctx)
		switch {
		case err == nil && now.Counted == uint64(want): //nolint:gosec // not negative
			return now, nil
		case err == nil && now != totals:
			totals, moved = now, time.Now()
		case time.Since(moved) > still || ctx.Err() != nil:
			return totals, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}
