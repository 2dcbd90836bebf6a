package alertlog

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/directget"
)

// Place is a place in a stream: behind one of its records. The zero value is before the first record of whichever stream
// is there.
type Place struct {
	// Stream is when the stream was made, in nanoseconds since 1970: its identity. 0: whichever is there.
	Stream int64
	// Sequence is that of the record; 0: before the first.
	Sequence uint64
	// Time is when the server took the record, in nanoseconds since 1970; 0: it is not known. A stream that was restored
	// from an old copy is the same stream, and gives the sequences that it lost to other records.
	Time int64
}

// streamOf is the identity of a stream.
func streamOf(info *jetstream.StreamInfo) int64 { return info.Created.UnixNano() }

// Check returns nil if all that follows a place follows it in the stream, or is to come. Its error is ErrGone if the place
// is of another stream, or of one that has lost its end since; whether the stream still goes back so far is for Follow.
func (l *Log) Check(ctx context.Context, p Place) error {
	info, err := l.info(ctx)

	switch {
	case err != nil:
		return err
	case p.Stream != 0 && p.Stream != streamOf(info):
		return madeAgain(info)
	case p.Sequence > info.State.LastSeq:
		return fmt.Errorf("%w: %s ends at %d, before %d", ErrGone, streamName, info.State.LastSeq, p.Sequence)
	case p.Sequence == 0 || p.Time == 0:
		return nil
	}

	found, err := l.get(ctx, directget.Request{Sequence: p.Sequence, Subject: subjectAll, Batch: 1})
	if err != nil || len(found) == 0 { // dropped for its age, or a replica answered that is behind
		return err
	}

	sequence, at, err := directget.Place(found[0])

	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case sequence == p.Sequence && at.UnixNano() != p.Time:
		return fmt.Errorf("%w: %s has another record at %d", ErrGone, streamName, sequence)
	}

	return nil
}

// madeAgain says that the stream is another one.
func madeAgain(info *jetstream.StreamInfo) error {
	return fmt.Errorf("%w: %s was made again at %s", ErrGone, streamName, info.Created.UTC().Format(time.RFC3339))
}
