package hub

import "context"

// Await returns once the columns are as far as the token in every partition, or with the cause that ended ctx. Whoever
// joined before would be taken back in time. Partitions in which nobody can go on from the token are not waited for.
func (h *Hub) Await(ctx context.Context, t *Token) error {
	for {
		moved, ok := h.reached(t)
		if ok {
			return nil
		}

		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// reached says whether the columns are as far as the token, and returns a channel that is closed when they have moved.
func (h *Hub) reached(t *Token) (moved <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()

	for n := range min(len(t.positions), len(h.parts)) {
		if p := &h.parts[n]; p.floor.tells(t.positions[n]) && p.at.behind(t.positions[n]) {
			return h.moved, false
		}
	}

	return nil, true
}
