package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pullMessages and pullBytes bound what a reader holds that f has not seen. pullBytes must exceed the largest
	// message that a stream takes.
	pullMessages = 4096
	pullBytes    = 8 << 20
	// pullHeartbeat is how often the server says that it is there; after two missing ones the reader resumes.
	pullHeartbeat = time.Second
	pullExpiry    = 30 * time.Second
	// idleConsumer is when the server forgets a consumer whose reader is gone.
	idleConsumer = time.Minute
	firstPause   = 20 * time.Millisecond
	longestPause = 2 * time.Second
	// goneAnswers is how many times in a row a stream must be missing to be gone: a server that is still starting
	// may not know it yet.
	goneAnswers = 3
	// tailGrace is how long a cluster's log may seem to end too early: a server that has just taken the lead may not
	// have gone through all that it holds.
	tailGrace = 3 * time.Second
)

// Read calls f for every message of a stream from sequence from on, in order, each once, until ctx ends (then it
// returns ctx's error) or f fails (then f's). It lives through restarts of the server and goes on after the last
// message given to f. From 0 means whatever the stream still has; any other sequence must be there, or be
// the next one to come: else ErrTrimmed or ErrLostTail. ErrStreamGone says that the stream was deleted or made
// anew. A message that cannot be decoded has Err set, and f is called for it too.
//
// The message is f's to keep.
func (l *Log) Read(ctx context.Context, stream int, from uint64, f func(*Message) error) error {
	if stream < 0 || stream >= len(l.streams) {
		return fmt.Errorf("%w: there is no stream %d", ErrStreamGone, stream)
	}

	r := &reader{log: l, stream: stream, name: l.layout.streamName(stream), next: from, deliver: f}

	return r.run(ctx)
}

// reader is one Read under way.
type reader struct {
	log     *Log
	stream  int
	name    string
	deliver func(*Message) error

	// next is the sequence wanted; 0: the first there is.
	next uint64
	// created is the stream's identity, once seen.
	created time.Time
	// last message delivered; Sequence 0: none yet.
	last lastSeen
	// missing counts answers in a row that the stream does not exist.
	missing int
	// short is since when the stream seems to end before next; zero: it does not.
	short time.Time
}

type lastSeen struct {
	sequence uint64
	hash     uint64
	time     int64
}

// errResume says that reading has to begin anew at next.
var errResume = errors.New("resume")

func (r *reader) run(ctx context.Context) error {
	pause := firstPause

	for {
		before := r.next

		err := r.session(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("reading %s: %w", r.name, ctx.Err())
		}

		if !errors.Is(err, errResume) {
			return err
		}

		if r.log.conn.IsClosed() {
			return fmt.Errorf("%w: reading %s: %w", ErrUnavailable, r.name, nats.ErrConnectionClosed)
		}

		r.log.logger.DebugContext(ctx, "reading the log anew", "stream", r.name, "from", r.next, "because", err)

		if r.next != before {
			pause = firstPause
		}

		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, longestPause) // doubles
		}
	}
}

// session reads until something breaks. It returns errResume for all that another session may heal.
func (r *reader) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	connected := r.log.conn.StatusChanged(nats.CONNECTED)
	defer r.log.conn.RemoveStatusListener(connected)

	if err := r.verify(ctx); err != nil {
		return err
	}

	messages, err := r.consume(ctx)
	if err != nil {
		return err
	}
	defer messages.Stop()

	go func() { // a server that comes back does not know the consumer any more
		select {
		case <-connected:
			messages.Stop()
		case <-ctx.Done():
		}
	}()

	for consumed := uint64(1); ; consumed++ {
		raw, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("%w: %w", errResume, err)
		}

		if err := r.take(ctx, raw, consumed); err != nil {
			return err
		}
	}
}

// take checks one message and gives it to f.
func (r *reader) take(ctx context.Context, raw jetstream.Msg, consumed uint64) error {
	meta, err := raw.Metadata()
	if err != nil {
		return fmt.Errorf("%w: %w", errResume, err)
	}

	if meta.Sequence.Consumer != consumed || meta.Sequence.Stream < r.next {
		return fmt.Errorf("%w: expected delivery %d, got %d", errResume, consumed, meta.Sequence.Consumer)
	}

	if r.next > 0 && meta.Sequence.Stream > r.next { // deleted one by one, or trimmed
		if err := r.verify(ctx); err != nil {
			return err
		}
	}

	message := r.log.decode(r.stream, raw.Subject(), raw.Data(), raw.Headers())
	message.Sequence, message.Pending = meta.Sequence.Stream, meta.NumPending
	message.Time = meta.Timestamp.UnixMicro()
	seen := lastSeen{sequence: message.Sequence, hash: message.Hash(), time: message.Time}

	if err := r.deliver(&message); err != nil {
		return err
	}

	r.last, r.next = seen, seen.sequence+1

	return nil
}

// consume makes a consumer that begins at next. It is ephemeral and needs no acknowledgements: its place is kept
// here.
func (r *reader) consume(ctx context.Context) (jetstream.MessagesContext, error) {
	config := jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: idleConsumer,
		Replicas:          1,
		MemoryStorage:     true,
	}
	if r.next > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.next
	}

	asked, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()

	consumer, err := r.log.js.CreateConsumer(asked, r.name, config)
	if err != nil {
		return nil, fmt.Errorf("%w: making a consumer: %w", errResume, err)
	}

	messages, err := consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes),
		jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat),
		jetstream.WithMessagesErrOnMissingHeartbeat(true),
	)
	if err != nil {
		return nil, fmt.Errorf("%w: pulling messages: %w", errResume, err)
	}

	return messages, nil
}

// verify compares the stream with what was read: JetStream itself gives no error if the place is gone.
func (r *reader) verify(ctx context.Context) error {
	info, err := r.log.Info(ctx, r.stream)
	if errors.Is(err, ErrStreamGone) {
		r.missing++
		if r.missing >= goneAnswers {
			return err
		}
	} else {
		r.missing = 0
	}

	if err != nil {
		return fmt.Errorf("%w: %w", errResume, err)
	}

	if r.created.IsZero() {
		r.created = info.Created
	}

	if info.Last+1 >= r.next {
		r.short = time.Time{}
	}

	switch {
	case !info.Created.Equal(r.created):
		return fmt.Errorf("%w: %s was made again at %s",
			ErrStreamGone, r.name, info.Created.UTC().Format(time.RFC3339))
	case r.next == 0:
		return nil
	case info.Last+1 < r.next && r.wait():
		return fmt.Errorf("%w: %s seems to end at %d, before %d", errResume, r.name, info.Last, r.next)
	case info.Last+1 < r.next:
		return fmt.Errorf("%w: %s ends at %d, before %d", ErrLostTail, r.name, info.Last, r.next)
	case info.First > r.next:
		return fmt.Errorf("%w: %s begins at %d, after %d", ErrTrimmed, r.name, info.First, r.next)
	default:
		return r.verifyLast(ctx)
	}
}

// wait tells whether a stream that seems to end too early deserves another look.
func (r *reader) wait() bool {
	if r.log.layout.Replicas == 1 {
		return false
	}

	if r.short.IsZero() {
		r.short = time.Now()
	}

	return time.Since(r.short) < tailGrace
}

// verifyLast finds a tail that was lost and written anew since.
func (r *reader) verifyLast(ctx context.Context) error {
	if r.last.sequence == 0 {
		return nil
	}

	message, err := r.log.MessageAt(ctx, r.stream, r.last.sequence)

	switch {
	case errors.Is(err, ErrNoMessage): // deleted since
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", errResume, err)
	case message.Hash() != r.last.hash || message.Time != r.last.time:
		return fmt.Errorf("%w: %s has another message at %d than was read", ErrLostTail, r.name, r.last.sequence)
	default:
		return nil
	}
}
