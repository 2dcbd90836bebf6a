package hub

import (
	"errors"
	"sync"

	"hale.dev/services/query/internal/column"
)

// ErrBehind is returned to a watcher that has not taken changes for so long that they are forgotten.
var ErrBehind = errors.New("hub: what the watcher has not seen is forgotten")

// early is the share of a ring that may wait to be published: what comes in large numbers is told before all of it is
// there, so that quick watchers do not fall behind.
const early = 4

// ring holds the newest changes of a workspace.
type ring struct {
	hub *Hub

	mu sync.Mutex
	// users is how many watchers there are; without any, nothing is kept.
	users   int
	changes []column.Change
	// next is the sequence of the change to come; those from next minus the size are there.
	next uint64
	// end and point are what is published: changes before end have happened, and everything up to point is among them.
	end   uint64
	point *Point
	// wake is closed when end moves.
	wake chan struct{}
}

func newRing(h *Hub) *ring {
	return &ring{hub: h, point: h.point.Load(), wake: make(chan struct{})}
}

// enter adds a watcher.
func (r *ring) enter() {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.users++; r.users == 1 {
		r.changes = make([]column.Change, r.hub.size)
	}
}

// leave takes a watcher off.
func (r *ring) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.users--; r.users == 0 {
		r.changes = nil
	}
}

// watchers returns how many there are.
func (r *ring) watchers() int {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.users
}

// hear takes changes of the table up; the table is locked.
func (r *ring) hear(changes []column.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.users == 0 {
		return
	}

	for _, c := range changes {
		r.changes[r.next%uint64(len(r.changes))] = c
		r.next++

		if r.next-r.end > uint64(len(r.changes))/early {
			r.show()
		}
	}
}

// publish lets watchers have what is there.
func (r *ring) publish() {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.show()
}

// show does it. The lock is held.
func (r *ring) show() {
	r.point = r.hub.point.Load()

	if r.end != r.next {
		r.end = r.next
		close(r.wake)
		r.wake = make(chan struct{})
	}
}

// place is where a watcher who knows everything that is in the table begins.
func (r *ring) place() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.next
}

// between returns the changes from one sequence to another, a copy.
func (r *ring) between(from, to uint64) ([]column.Change, error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	size := uint64(len(r.changes))
	if r.next-from > size {
		return nil, ErrBehind
	}

	all := make([]column.Change, 0, to-from)
	for at := from; at < to; at++ {
		all = append(all, r.changes[at%size])
	}

	return all, nil
}
