package sender

import (
	"fmt"
	"time"
)

// Error is a refused notification.
type Error struct {
	// Permanent tells that another try could not succeed.
	Permanent bool
	// RetryAfter is how long the receiver asks to be left alone; 0: it does not say.
	RetryAfter time.Duration
	// Status is what the receiver answered, by HTTP or SMTP; 0: the refusal is not the receiver's.
	Status int
	// Reason says why, for a person. It holds no secrets.
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Status == 0 {
		return e.Reason
	}

	return fmt.Sprintf("the receiver answered %d: %s", e.Status, e.Reason)
}

// permanent is a refusal of ours.
func permanent(format string, args ...any) *Error {
	return &Error{Permanent: true, Reason: fmt.Sprintf(format, args...)}
}
