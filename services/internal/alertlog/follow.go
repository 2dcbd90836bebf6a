package alertlog

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// tailGrace is how long a cluster's stream may seem to end too early: a server that has just taken the lead may not have
// gone through all that it holds.
const tailGrace = 3 * time.Second

// Follow calls f for every record behind a place, in order, each once, and then for each that comes, until ctx ends
// (then it returns ctx's error) or f fails (then f's). It lives through restarts of the server. After sequence 0 means
// whatever the stream still has. ErrGone says that the stream does not go back so far any more, or is another one.
func (l *Log) Follow(ctx context.Context, after Place, f func(Entry) error) error {
	r := &follower{log: l, stream: after.Stream, last: after.Sequence, deliver: f}

	return l.resume(ctx, r.session, r.moved)
}

// follower is one Follow under way.
type follower struct {
	log     *Log
	deliver func(Entry) error
	// last is the sequence behind which to read.
	last uint64
	// begun is last at the begin of the session.
	begun uint64
	// stream is the stream's identity, once seen.
	stream int64
	// short is since when the stream seems to end before last; zero: it does not.
	short time.Time
}

func (r *follower) moved() bool { return r.last != r.begun }

func (r *follower) session(ctx context.Context) error {
	r.begun = r.last

	if err := r.verify(ctx); err != nil {
		return err
	}

	config := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if r.last > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.last+1
	}

	return r.log.consume(ctx, config, nil, func(d delivery) error {
		if d.entry.Sequence <= r.last { // a replica that is behind begins at its own end
			return nil
		}

		if r.last > 0 && d.entry.Sequence != r.last+1 { // deleted one by one, or dropped
			if err := r.verify(ctx); err != nil {
				return err
			}
		}

		d.entry.Stream = r.stream
		if err := r.deliver(d.entry); err != nil {
			return err
		}

		r.last = d.entry.Sequence

		return nil
	})
}

// verify compares the stream with what was read: JetStream itself gives no error if the place is gone.
func (r *follower) verify(ctx context.Context) error {
	info, err := r.log.info(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errResume, err)
	}

	if r.stream == 0 {
		r.stream = streamOf(info)
	}

	first := info.State.FirstSeq
	if info.State.Msgs == 0 {
		first = info.State.LastSeq + 1 // a new stream says 0
	}

	if info.State.LastSeq >= r.last {
		r.short = time.Time{}
	}

	switch {
	case r.stream != streamOf(info):
		return madeAgain(info)
	case info.State.LastSeq < r.last && r.wait(info):
		return fmt.Errorf("%w: %s seems to end at %d, before %d", errResume, streamName, info.State.LastSeq, r.last)
	case info.State.LastSeq < r.last:
		return fmt.Errorf("%w: %s ends at %d, before %d", ErrGone, streamName, info.State.LastSeq, r.last)
	case r.last > 0 && first > r.last+1:
		return fmt.Errorf("%w: %s begins at %d, after %d", ErrGone, streamName, first, r.last)
	default:
		return nil
	}
}

// wait tells whether a stream that seems to end too early deserves another look.
func (r *follower) wait(info *jetstream.StreamInfo) bool {
	if info.Config.Replicas == 1 {
		return false
	}

	if r.short.IsZero() {
		r.short = time.Now()
	}

	return time.Since(r.short) < tailGrace
}
