package hub

import "hale.dev/services/query/internal/column"

// Reader is a watcher's place. One goroutine uses it at a time.
type Reader struct {
	hub  *Hub
	ring *ring
	at   uint64
}

// Span is what a reader is given next: the changes from one sequence to another, of the workspace.
type Span struct {
	From, To uint64
	// Point is how far everything is with them.
	Point *Point

	ring *ring
}

// Ready returns a channel that is closed once there are changes.
func (r *Reader) Ready() <-chan struct{} {
	r.ring.mu.Lock()
	defer r.ring.mu.Unlock()

	if r.ring.end > r.at {
		return r.hub.ready
	}

	return r.ring.wake
}

// Next returns what has come since, perhaps nothing, and moves the reader behind it.
func (r *Reader) Next() Span {
	r.ring.mu.Lock()
	defer r.ring.mu.Unlock()

	s := Span{From: r.at, To: max(r.at, r.ring.end), Point: r.ring.point, ring: r.ring}
	r.at = s.To

	return s
}

// Empty says whether there is nothing in it.
func (s *Span) Empty() bool { return s.From == s.To }

// Changes returns the changes, those of one account melted into one, ordered by when the account first changed. The
// error is ErrBehind.
func (s *Span) Changes() ([]column.Change, error) {
	all, err := s.ring.between(s.From, s.To)
	if err != nil {
		return nil, err
	}

	var (
		melted = all[:0] // it never overtakes what is read
		place  = make(map[string]int, len(all))
	)

	for _, c := range all {
		account := accountOf(c)

		if i, ok := place[account]; ok {
			melted[i].New = c.New

			continue
		}

		place[account] = len(melted)
		melted = append(melted, c)
	}

	return melted, nil
}

// accountOf is the account of a change.
func accountOf(c column.Change) string {
	if c.New != nil {
		return c.New.Account
	}

	return c.Old.Account
}

// Close ends the reader.
func (r *Reader) Close() { r.ring.leave() }
