package alertlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

const (
	// batchRecords and batchBytes bound a batch. The server takes at most 1,000 messages.
	batchRecords = 500
	batchBytes   = 2 << 20
	// staleWait is the pause where a replica has not got as far as the leader.
	staleWait = 20 * time.Millisecond
)

// Append publishes those of the records of a partition that are not in the stream yet, in order, each once, whoever else
// tries the same at the same time. after is the sequence up to which the partition's records are known to be published:
// none of these may be at or before it. The result is the sequence of the last of the records: what to give as `after`
// with those that follow.
//
// After an error some may be there: give all of them again, with the same `after`.
func (l *Log) Append(
	ctx context.Context, partition int, after uint64, records []*logv1.AlertRecord,
) (last uint64, err error) {
	pending, err := encode(partition, records)
	if err != nil {
		return after, err
	}

	last = after

	for expected := after; len(pending) > 0; {
		size := chunk(pending)

		sequence, err := l.publish(ctx, partition, expected, messages(partition, pending[:size]))
		if err == nil {
			pending, expected, last = pending[size:], sequence, sequence

			continue
		}

		if !errors.Is(err, errPassed) {
			return after, fmt.Errorf("appending to partition %d: %w", partition, err)
		}

		found, err := l.find(ctx, partition, after, pending)
		if err != nil {
			return after, fmt.Errorf("appending to partition %d: %w", partition, err)
		}

		if found.end == expected { // another writer's batch is on its way through the cluster
			if err := pause(ctx, staleWait); err != nil {
				return after, err
			}
		}

		pending, expected = found.missing, found.end
		if found.last > 0 {
			last = found.last
		}
	}

	return last, nil
}

// encoded is a record as it is published.
type encoded struct {
	transition, alert string
	data              []byte
}

func encode(partition int, records []*logv1.AlertRecord) ([]encoded, error) {
	all := make([]encoded, len(records))

	for i, r := range records {
		transition := r.GetTransition()
		id, alert := transition.GetTransitionId(), transition.GetAlert().GetAlertId()

		if id == "" || !safe(alert) {
			return nil, fmt.Errorf("%w: transition %q of alert %q in partition %d", ErrMalformed, id, alert, partition)
		}

		data, err := proto.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("%w: transition %q: %w", ErrMalformed, id, err)
		}

		all[i] = encoded{transition: id, alert: alert, data: data}
	}

	return all, nil
}

// chunk is how many of the records go into the next batch.
func chunk(pending []encoded) int {
	bytes := 0

	for i, e := range pending {
		bytes += len(e.data)
		if i > 0 && (i >= batchRecords || bytes > batchBytes) {
			return i
		}
	}

	return len(pending)
}

// messages are made anew for every try, since the headers say what is expected.
func messages(partition int, pending []encoded) []*nats.Msg {
	all := make([]*nats.Msg, len(pending))
	for i, e := range pending {
		all[i] = &nats.Msg{Subject: subject(partition, e.alert), Header: nats.Header{}, Data: e.data}
	}

	return all
}

// finding is what the stream holds of some records.
type finding struct {
	missing []encoded
	// last is the sequence of the last one that is there; 0: none is.
	last uint64
	// end is the sequence of the partition's last record; 0: it has none.
	end uint64
}

// find reads the partition on from after, to its end.
func (l *Log) find(ctx context.Context, partition int, after uint64, pending []encoded) (finding, error) {
	there := make(map[string]uint64, len(pending))
	for _, e := range pending {
		there[e.transition] = 0
	}

	end, err := l.pass(ctx, partition, after, func(e Entry) {
		if id := e.Record.GetTransition().GetTransitionId(); mapped(there, id) {
			there[id] = e.Sequence
		}
	})
	if err != nil {
		return finding{}, err
	}

	result := finding{end: end}

	for _, e := range pending {
		if sequence := there[e.transition]; sequence > 0 {
			result.last = max(result.last, sequence)
		} else {
			result.missing = append(result.missing, e)
		}
	}

	return result, nil
}

func mapped(there map[string]uint64, id string) bool {
	_, found := there[id]

	return found
}

// pass calls f for the records of a partition behind a place, until it has seen the one that the leader calls the last,
// and returns its sequence.
func (l *Log) pass(ctx context.Context, partition int, after uint64, f func(Entry)) (uint64, error) {
	at := after

	for {
		end, err := l.lastOf(ctx, partition)
		if err != nil {
			return 0, err
		}

		if end < after { // dropped for its age, or another stream in the place of the first
			at, after = 0, 0
		}

		if at >= end {
			return end, nil
		}

		if err := l.walk(ctx, filter(partition), at+1, func(e Entry) error {
			at = e.Sequence
			f(e)

			return nil
		}); err != nil {
			return 0, err
		}

		if at < end { // a replica answered that is behind
			if err := pause(ctx, staleWait); err != nil {
				return 0, err
			}
		}
	}
}

// pause waits, or says that ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case <-time.After(d):
		return nil
	}
}
