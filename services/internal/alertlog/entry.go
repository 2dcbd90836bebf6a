package alertlog

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// Entry is a record in the stream.
type Entry struct {
	// Sequence is its place.
	Sequence uint64
	// Record is what happened; whoever gets it may keep it.
	Record *logv1.AlertRecord
	// Time is when the server took it.
	Time time.Time
	// Stream is the identity of the stream that Follow found it in, as in Place.
	Stream int64
}

// Place is the place behind the record.
func (e *Entry) Place() Place {
	return Place{Stream: e.Stream, Sequence: e.Sequence, Time: e.Time.UnixNano()}
}

func decode(sequence uint64, at time.Time, data []byte) (Entry, error) {
	record := &logv1.AlertRecord{}
	if err := proto.Unmarshal(data, record); err != nil {
		return Entry{}, fmt.Errorf("%w: sequence %d: %w", ErrMalformed, sequence, err)
	}

	return Entry{Sequence: sequence, Record: record, Time: at}, nil
}
