package hub

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"hale.dev/services/query/internal/column"
)

// Hub knows how far the columns are, and has a ring for each workspace that is watched. It is safe for concurrent use.
type Hub struct {
	book *column.Book
	size int
	// ready is closed.
	ready chan struct{}
	// point is how far the columns are now.
	point atomic.Pointer[Point]

	mu    sync.Mutex
	parts []part
	// moved is closed by the next Publish.
	moved chan struct{}
	rings map[string]*ring
}

// part is what is known of a partition.
type part struct {
	// at is how far the columns are, floor is where they were filled.
	at, floor Position
}

// New returns a hub for the tables of a book, whose rings hold size changes each.
func New(book *column.Book, partitions, size int) *Hub {
	h := &Hub{
		book: book, size: size, parts: make([]part, partitions), rings: map[string]*ring{},
		ready: make(chan struct{}), moved: make(chan struct{}),
	}
	close(h.ready)
	h.point.Store(h.newPoint(0))

	return h
}

// Begin says that a partition is going to be filled: until that is done, nobody can go on from what was told meanwhile.
// It must be called before the first row is put.
func (h *Hub) Begin(partition int) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.parts[partition] = part{}
	h.publish(h.point.Load().AsOf)
}

// Filled says that a partition was filled with what it held at a position or later; rows carry that place.
func (h *Hub) Filled(partition int, floor Position) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.parts[partition].floor = floor
}

// Reached says that the columns of a partition have everything up to a position. It shows with the next Publish.
func (h *Hub) Reached(partition int, at Position) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.parts[partition].at = at
}

// newPoint is how far all partitions are. The lock is held.
func (h *Hub) newPoint(asOf int64) *Point {
	p := &Point{Positions: make([]Position, len(h.parts)), AsOf: asOf}
	for n := range h.parts {
		p.Positions[n] = h.parts[n].at
	}

	p.body = sync.OnceValue(func() []byte { return appendPositions(nil, p.Positions) })

	return p
}

// Publish lets watchers have what has happened so far. asOf is the log time up to which that is everything.
func (h *Hub) Publish(asOf int64) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.publish(asOf)
}

// publish does it. The lock is held.
func (h *Hub) publish(asOf int64) {
	h.point.Store(h.newPoint(asOf))
	close(h.moved)
	h.moved = make(chan struct{})

	for _, r := range h.rings {
		r.publish()
	}
}

// Watchers returns how many watchers there are.
func (h *Hub) Watchers() int {
	h.mu.Lock()
	defer h.mu.Unlock()

	n := 0
	for _, r := range h.rings {
		n += r.watchers()
	}

	return n
}

// Joined is a watcher as it begins.
type Joined struct {
	*Reader

	// Rows are the workspace's rows at the place where the reader begins, and Point is how far they are at least.
	Rows  iter.Seq[*column.Row]
	Point *Point

	parts []part
}

// Join adds a watcher of a workspace, who wants the rows or not. Its reader must be closed.
func (h *Hub) Join(workspace string, rows bool) *Joined {
	j := &Joined{Reader: &Reader{hub: h}}
	table := h.book.Table(workspace)

	j.ring = h.ring(workspace)
	j.ring.enter()
	table.Hear(j.ring.hear) // again and again the same

	// Whoever fills a partition says so before the first row: so what is read here, before the rows are, is no newer.
	j.Rows = table.Join(rows, func() {
		h.mu.Lock()
		j.parts = slices.Clone(h.parts)
		h.mu.Unlock()

		j.Point, j.at = h.point.Load(), j.ring.place()
	})

	return j
}

// ring returns the ring of a workspace.
func (h *Hub) ring(workspace string) *ring {
	h.mu.Lock()
	defer h.mu.Unlock()

	r := h.rings[workspace]
	if r == nil {
		r = newRing(h)
		h.rings[workspace] = r
	}

	return r
}

// Resumes says whether everything that changed since the token can be told from the rows.
func (j *Joined) Resumes(t *Token) bool {
	if !t.sameRules || len(t.positions) != len(j.parts) {
		return false
	}

	for n, p := range t.positions {
		if !j.parts[n].floor.tells(p) {
			return false
		}
	}

	return true
}

// Missed says whether an account changed since the token, as far as can be told: perhaps it did not.
func (j *Joined) Missed(t *Token, r *column.Row) bool {
	return t.positions[r.Partition].before(r.At, j.parts[r.Partition].at.Epoch)
}
