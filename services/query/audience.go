package query

import (
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

const (
	// partSize is how many accounts one message of a watch has at most.
	partSize = 500
	// keptBatches is how many of its newest batches an audience keeps, for watchers who are a little late.
	keptBatches = 4
)

// audiences are those who watch. All who watch the same share what it comes to: it is worked out and encoded once.
type audiences struct {
	mu    sync.Mutex
	byKey map[string]*audience
}

func newAudiences() *audiences { return &audiences{byKey: map[string]*audience{}} }

// audience are all watchers of a workspace with the same filter and mask.
type audience struct {
	watched

	key   string
	users int // guarded by the lock of all

	mu      sync.Mutex
	batches []*batch
}

// watched is what an audience wants.
type watched struct {
	workspace string
	filter    *column.Filter
	identity  hub.Identity
	fields    mask
}

// join adds a watcher to the audience of that key; it is made if there is none.
func (a *audiences) join(key string, w watched) *audience {
	a.mu.Lock()
	defer a.mu.Unlock()

	found := a.byKey[key]
	if found == nil {
		found = &audience{watched: w, key: key}
		a.byKey[key] = found
	}

	found.users++

	return found
}

// leave takes a watcher off.
func (a *audiences) leave(one *audience) {
	a.mu.Lock()
	defer a.mu.Unlock()

	if one.users--; one.users == 0 {
		delete(a.byKey, one.key)
	}
}

// batch is what a span of changes comes to for an audience, ready to be sent.
type batch struct {
	span hub.Span
	make sync.Once

	parts   []*healthv1.WatchHealthResponse
	changes int
	err     error
}

// batch returns what a span comes to. An empty one is a heartbeat. The error is hub.ErrBehind.
func (a *audience) batch(s hub.Span) *batch {
	b := a.find(s)
	b.make.Do(func() { a.fill(b) })

	return b
}

// find returns the batch of a span, one that is kept or a new one.
func (a *audience) find(s hub.Span) *batch {
	a.mu.Lock()
	defer a.mu.Unlock()

	for _, b := range a.batches {
		// A token of a little earlier is as good, but a heartbeat says how far everything is now.
		if b.span.From == s.From && b.span.To == s.To && (b.span.Point == s.Point || !s.Empty()) {
			return b
		}
	}

	b := &batch{span: s}
	if len(a.batches) >= keptBatches {
		a.batches = slices.Delete(a.batches, 0, 1)
	}

	a.batches = append(a.batches, b)

	return b
}

// fill works a batch out.
func (a *audience) fill(b *batch) {
	if b.span.Empty() {
		part, err := frozen(&healthv1.WatchHealthResponse{
			ResumeToken: b.span.Point.Token(a.identity), AsOf: timestamp(b.span.Point.AsOf),
		})
		b.parts, b.err = []*healthv1.WatchHealthResponse{part}, err

		return
	}

	melted, err := b.span.Changes()
	if err != nil {
		b.err = err

		return
	}

	changes := a.judge(melted)
	b.changes = len(changes)

	for some := range slices.Chunk(changes, partSize) {
		part := &healthv1.WatchHealthResponse{Changes: some, AsOf: timestamp(b.span.Point.AsOf)}
		if last := (b.changes - 1) / partSize; len(b.parts) == last {
			part.ResumeToken = b.span.Point.Token(a.identity)
		}

		if part, b.err = frozen(part); b.err != nil {
			return
		}

		b.parts = append(b.parts, part)
	}
}

// judge says what changes are to the audience. Those that change nothing that it gets to see are left out.
func (w *watched) judge(changes []column.Change) []*healthv1.AccountChange {
	var out []*healthv1.AccountChange

	for _, c := range changes {
		was, is := w.wants(c.Old), w.wants(c.New)

		switch {
		case is && was:
			both := w.summarize(c.Old, c.New)
			if !proto.Equal(both[0], both[1]) {
				out = append(out, &healthv1.AccountChange{Kind: healthv1.AccountChange_KIND_UPDATED, Account: both[1]})
			}
		case is:
			out = append(out, &healthv1.AccountChange{
				Kind: healthv1.AccountChange_KIND_ENTERED, Account: w.summarize(c.New)[0],
			})
		case was:
			out = append(out, left(c.Old))
		}
	}

	return out
}

// summarize makes what is sent of rows.
func (w *watched) summarize(rows ...*column.Row) []*healthv1.AccountSummary {
	return summaries(rows, w.fields)
}

// wants says whether a row, if there is one, matches.
func (w *watched) wants(r *column.Row) bool { return r != nil && w.filter.Match(r) }

// left says that an account does not match any more.
func left(r *column.Row) *healthv1.AccountChange {
	return &healthv1.AccountChange{
		Kind: healthv1.AccountChange_KIND_LEFT, Account: &healthv1.AccountSummary{AccountId: r.Account},
	}
}

// frozen is the same message as far as anybody who gets it can tell, encoded already: to send it to one more watcher
// is to copy it.
func frozen(m *healthv1.WatchHealthResponse) (*healthv1.WatchHealthResponse, error) {
	encoded, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding a part of a watch: %w", err)
	}

	out := new(healthv1.WatchHealthResponse)
	out.ProtoReflect().SetUnknown(encoded)

	return out, nil
}
