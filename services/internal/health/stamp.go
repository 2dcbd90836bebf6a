package health

import "strings"

// stamp orders the values of a register: by event time, then by message id.
// The zero stamp is that of a register without a value.
type stamp struct {
	time Time
	id   string
}

// beats says whether a value with stamp s replaces one with stamp o.
func (s stamp) beats(o stamp) bool {
	if s.time != o.time {
		return s.time > o.time
	}
	return s.id > o.id
}

func (s stamp) zero() bool { return s.time == 0 && s.id == "" }

// keep makes the stamp independent of the event it came from.
func (s stamp) keep() stamp { return stamp{s.time, strings.Clone(s.id)} }
