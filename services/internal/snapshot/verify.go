package snapshot

import (
	"context"
	"errors"
	"sync"
)

// maxVerdicts bounds the memory of an archive: some 200 bytes each.
const maxVerdicts = 16384

// useless says that a snapshot will never be of use to this program, or that it is gone.
func useless(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, ErrFormat) || errors.Is(err, ErrNotFound)
}

// verify reads a snapshot through, once, and returns its meta without the state.
func (a *Archive) verify(ctx context.Context, info Info) (*Meta, error) {
	if v, ok := a.verdicts.get(info); ok {
		return v.copyMeta(), v.err
	}

	m, err := a.readBack(ctx, info)
	a.metrics.checked(ctx, err)

	if err != nil {
		if useless(err) {
			a.condemn(ctx, info, err)
		}

		return nil, err
	}

	said := verdict{meta: &m}
	a.verdicts.put(info, said)

	return said.copyMeta(), nil
}

// condemn remembers that a snapshot cannot be used, and says so once.
func (a *Archive) condemn(ctx context.Context, info Info, err error) {
	if errors.Is(err, ErrNotFound) { // removed meanwhile
		return
	}

	if v, ok := a.verdicts.get(info); ok && v.err != nil {
		return
	}

	a.verdicts.put(info, verdict{err: err})
	a.o.Logger.ErrorContext(ctx, "a snapshot cannot be used: it is passed over", "place", a.vault.String(),
		"name", info.Name, "partition", info.Partition, "cursor", info.Cursor, "error", err)
}

// readBack reads a snapshot through.
func (a *Archive) readBack(ctx context.Context, info Info) (Meta, error) {
	s, err := a.Open(ctx, info)
	if err != nil {
		return Meta{}, err
	}

	m, err := s.Each(ctx, func(Entry) error { return nil })
	_ = s.Close() // nothing is lost by it

	return m, err
}

// verdict is what reading a snapshot through said.
type verdict struct {
	size int64
	meta *Meta
	err  error
}

// copyMeta is the meta without the state, which may be large.
func (v verdict) copyMeta() *Meta {
	if v.meta == nil {
		return nil
	}

	m := *v.meta
	m.State = nil

	return &m
}

// verdicts are remembered, the last ones if there are too many. Nothing that is stored changes, so they stay true.
type verdicts struct {
	mu     sync.Mutex
	byName map[string]verdict
	names  []string // a ring, of those in byName
	next   int
}

func newVerdicts(n int) *verdicts {
	return &verdicts{byName: map[string]verdict{}, names: make([]string, n)}
}

func (v *verdicts) get(info Info) (verdict, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()

	found, ok := v.byName[info.Name]

	return found, ok && found.size == info.Size
}

func (v *verdicts) put(info Info, said verdict) {
	said.meta, said.size = said.copyMeta(), info.Size

	v.mu.Lock()
	defer v.mu.Unlock()

	if _, known := v.byName[info.Name]; !known {
		delete(v.byName, v.names[v.next])
		v.names[v.next] = info.Name
		v.next = (v.next + 1) % len(v.names)
	}

	v.byName[info.Name] = said
}

func (v *verdicts) forget(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.byName, name)
}
