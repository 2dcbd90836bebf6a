package reject

import "time"

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
