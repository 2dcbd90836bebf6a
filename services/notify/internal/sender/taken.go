package sender

import (
	"errors"
	"sync"
)

// maxTaken bounds how many notifications are remembered. Those that are forgotten are repeated.
const maxTaken = 1000

// Answers of mail servers that concern one mailbox only, for now.
const (
	leastMailbox = 450
	mostMailbox  = 459
)

// taken remembers which parts of notifications were taken, while others have to be tried again.
type taken struct {
	mutex sync.Mutex
	parts map[string]map[string]bool // by notification
}

func newTaken() *taken { return &taken{parts: map[string]map[string]bool{}} }

func (t *taken) has(notification, part string) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()

	return t.parts[notification][part]
}

func (t *taken) add(notification, part string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()

	if t.parts[notification] == nil {
		if len(t.parts) >= maxTaken {
			clear(t.parts)
		}

		t.parts[notification] = map[string]bool{}
	}

	t.parts[notification][part] = true
}

func (t *taken) forget(notification string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()

	delete(t.parts, notification)
}

// each sends those parts of a notification that were not taken yet. A part that is refused is left behind; but if the
// receiver as a whole cannot take more now, the rest waits for the next try.
func (t *taken) each(notification string, payloads []Payload, send func(Payload) error) error {
	var hopeless, hopeful error

	for _, payload := range payloads {
		if t.has(notification, payload.part) {
			continue
		}

		err := send(payload)
		refusal := new(Error)

		switch {
		case err == nil:
			t.add(notification, payload.part)
		case errors.As(err, &refusal) && refusal.Permanent:
			hopeless = err
		case errors.As(err, &refusal) && refusal.Status >= leastMailbox && refusal.Status <= mostMailbox:
			hopeful = err
		default:
			return err
		}
	}

	switch {
	case hopeful != nil:
		return hopeful
	case hopeless != nil:
		return hopeless
	}

	t.forget(notification)

	return nil
}
