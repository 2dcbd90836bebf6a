package reject

import (
	"fmt"
	"strings"
	"time"
)

// MaxBodyBytes is how much of an event's body is kept; the rest is cut off.
const MaxBodyBytes = 32 << 10

// Reject is an event that could not be used, and why.
type Reject struct {
	// ID makes storing idempotent: workspace, code, key and id together name one entry. Needed.
	ID string
	// Workspace the event was sent to.
	Workspace string
	// Code is the stable reason code.
	Code string
	// Field is the path of the field that is wrong; empty for the event as a whole.
	Field string
	// Message is the reason, for a person.
	Message string
	// MessageID, AccountID and Origin of the event, where they could be read.
	MessageID, AccountID, Origin string
	// Key finds entries that wait for something: for example the hash of a user who is not known yet.
	Key string
	// Body is the event as it came.
	Body []byte
	// Record is the event as a hale.log.v1.Record, where it could be decoded.
	Record []byte
}

// Stored is an entry of the stream.
type Stored struct {
	Reject

	// Sequence names it.
	Sequence uint64
	// At is when it was stored.
	At time.Time
}

// Place is where in the log a refused record stands.
type Place struct {
	// Layout is the log's id.
	Layout    string
	Partition int
	Sequence  uint64
}

// prefix begins the ids of all records of the message.
func (p Place) prefix() string { return fmt.Sprintf("%s-%d-%d-", p.Layout, p.Partition, p.Sequence) }

// ID names a record of the message there by its number and the message's hash; -1: the message as a whole.
func (p Place) ID(index int, hash uint64) string {
	return fmt.Sprintf("%s%d-%016x", p.prefix(), index, hash)
}

// Holds reports whether an entry is of the message there.
func (p Place) Holds(r *Reject) bool { return strings.HasPrefix(r.ID, p.prefix()) }
