package snapshot

import (
	"bytes"
	"encoding/binary"

	"hale.dev/services/internal/wire"
)

// Header is what is known when a snapshot is begun.
type Header struct {
	// Layout is the id of the log whose partition this is.
	Layout string
	// Partition of the log.
	Partition int
	// Begun is when, in microseconds since 1970.
	Begun int64
}

// Meta is what is known only when all entries are written: the place in the log that they stand for.
type Meta struct {
	// Stream is the identity of the log's stream.
	Stream string
	// Cursor is the log sequence up to which the state is complete.
	Cursor uint64
	// Generation of the values in the store.
	Generation uint64
	// LogTime is the partition's log time in microseconds since 1970.
	LogTime int64
	// LastTime is the time of the message at the cursor, in microseconds since 1970.
	LastTime int64
	// LastHash is the hash of the message at the cursor.
	LastHash uint64
	// State is the partition's own state. What it holds is not known here.
	State []byte
	// Version of the program that wrote the snapshot.
	Version string
	// Rules is the version of the scoring rules that made the state.
	Rules int
}

// equal compares all fields.
func (m *Meta) equal(o *Meta) bool {
	return m.Stream == o.Stream && m.Cursor == o.Cursor && m.Generation == o.Generation && m.LogTime == o.LogTime &&
		m.LastTime == o.LastTime && m.LastHash == o.LastHash && bytes.Equal(m.State, o.State) &&
		m.Version == o.Version && m.Rules == o.Rules
}

func (h *Header) append(b []byte) []byte {
	b = wire.Append(b, h.Layout)
	b = binary.AppendUvarint(b, uint64(h.Partition)) //nolint:gosec // bit pattern only

	return binary.AppendUvarint(b, uint64(h.Begun)) //nolint:gosec // bit pattern only
}

// parseHeader reads what append wrote. ok is false if it did not write this.
func parseHeader(b []byte) (h Header, ok bool) {
	r := wire.NewReader(b)
	h.Layout = r.Text()
	h.Partition = int(r.Uvarint()) //nolint:gosec // bit pattern only
	h.Begun = int64(r.Uvarint())   //nolint:gosec // bit pattern only

	return h, r.Done()
}

func (m *Meta) append(b []byte) []byte {
	b = wire.Append(b, m.Stream)
	b = binary.AppendUvarint(b, m.Cursor)
	b = binary.AppendUvarint(b, m.Generation)
	b = binary.AppendUvarint(b, uint64(m.LogTime))  //nolint:gosec // bit pattern only
	b = binary.AppendUvarint(b, uint64(m.LastTime)) //nolint:gosec // bit pattern only
	b = binary.LittleEndian.AppendUint64(b, m.LastHash)
	b = wire.Append(b, m.State)
	b = wire.Append(b, m.Version)

	return binary.AppendUvarint(b, uint64(m.Rules)) //nolint:gosec // bit pattern only
}

// parseMeta reads what append wrote. ok is false if it did not write this.
func parseMeta(b []byte) (m Meta, ok bool) {
	r := wire.NewReader(b)
	m.Stream = r.Text()
	m.Cursor, m.Generation = r.Uvarint(), r.Uvarint()
	m.LogTime, m.LastTime = int64(r.Uvarint()), int64(r.Uvarint()) //nolint:gosec // bit pattern only

	if hash := r.Take(8); hash != nil {
		m.LastHash = binary.LittleEndian.Uint64(hash)
	}

	m.State = bytes.Clone(r.Chunk())
	m.Version = r.Text()
	m.Rules = int(r.Uvarint()) //nolint:gosec // bit pattern only

	return m, r.Done()
}
