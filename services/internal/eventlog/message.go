package eventlog

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/zeebo/xxh3"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// Message is one message of the log: a batch of records of one partition.
type Message struct {
	// Stream that holds it.
	Stream int
	// Partition of all its records; -1 if the subject names none.
	Partition int
	// Sequence in the stream.
	Sequence uint64
	// Time at which JetStream took it, microseconds since the epoch.
	Time int64
	// Records in the order in which they are folded; nil if Err is set.
	Records []*logv1.Record
	// Err says why the payload cannot be decoded (ErrPoison). Nil for a good message.
	Err error
	// Data is the payload as it came.
	Data []byte
	// Header carries W3C trace context; read it through Carrier. May be nil.
	Header nats.Header
	// Pending is the number of messages after this one, when it was sent.
	Pending uint64
}

// Hash identifies the message's content and partition. With the sequence and the time it tells whether a place in
// the log still holds what was once read there.
func (m *Message) Hash() uint64 {
	return xxh3.HashSeed(m.Data, uint64(m.Partition)) //nolint:gosec // any seed does
}

// decode makes a Message of what the server sent.
func (l *Log) decode(stream int, subject string, data []byte, header nats.Header) Message {
	message := Message{Stream: stream, Data: data, Header: header}

	partition, found := partitionOf(subject)
	if !found || partition >= l.layout.Partitions {
		message.Partition = -1
		message.Err = fmt.Errorf("%w: subject %q names no partition", ErrPoison, subject)

		return message
	}

	message.Partition = partition
	message.Records, message.Err = decodeBatch(data)

	return message
}

// StreamInfo is the state of a stream.
type StreamInfo struct {
	// First and Last are the sequences of the first and last message; an empty stream has First = Last + 1.
	First, Last uint64
	// Bytes held, and the cap in bytes.
	Bytes, MaxBytes int64
	// Created is when the stream was made: with Layout.ID its identity.
	Created time.Time
}

// Identity tells a stream from any other, also from one that was made anew in its place.
func (l Layout) Identity(stream int, info StreamInfo) string {
	return fmt.Sprintf("%s/%d/%d", l.ID, stream, info.Created.UnixNano())
}
