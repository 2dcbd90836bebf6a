package memory

import (
	"context"
	"slices"

	"hale.dev/services/internal/store"
)

// draft is a state in the making, beside what is live. It is not part of snapshot files: a restart loses it.
type draft struct {
	head   store.Head
	values map[string][]byte
}

// commitDraft applies a commit to the draft; the caller holds the lock.
func (p *part) commitDraft(c *store.Commit, values [][]byte, state []byte) error {
	d := p.draft
	if d == nil || !fits(&d.head, c) {
		return store.ErrFenced
	}
	p.grant(c.Lease)
	for i := range c.Put {
		d.values[c.Put[i].Key] = values[i]
	}
	for i := range c.Append {
		k := c.Append[i].Key
		d.values[k] = append(d.values[k], c.Append[i].Value...)
		if d.values[k] == nil {
			d.values[k] = []byte{}
		}
	}
	for _, k := range c.Delete {
		delete(d.values, k)
	}
	d.head.Cursor, d.head.State, d.head.Revision = c.Cursor, state, d.head.Revision+1
	return nil
}

// BeginDraft implements store.Store.
func (s *Store) BeginDraft(ctx context.Context, partition int, epoch uint64) (store.Head, error) {
	p, err := s.open(ctx, partition, "beginning a draft of")
	if err != nil {
		return store.Head{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.head.Epoch {
		return store.Head{}, store.ErrFenced
	}
	p.draft = &draft{head: store.Head{Epoch: epoch, Generation: p.next()}, values: map[string][]byte{}}
	return p.draft.head, nil
}

// ReadDraft implements store.Store.
func (s *Store) ReadDraft(ctx context.Context, partition int, keys ...string) (store.Head, [][]byte, error) {
	p, err := s.open(ctx, partition, "reading the draft of")
	if err != nil {
		return store.Head{}, nil, err
	}
	values := make([][]byte, len(keys))
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.draft == nil {
		return store.Head{}, nil, store.ErrNoDraft
	}
	for i, k := range keys {
		values[i] = slices.Clip(p.draft.values[k])
	}
	return p.draft.head, values, nil
}

// Publish implements store.Store.
func (s *Store) Publish(ctx context.Context, partition int, epoch, generation uint64) (store.Head, error) {
	p, err := s.open(ctx, partition, "publishing the draft of")
	if err != nil {
		return store.Head{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.head.Epoch {
		return store.Head{}, store.ErrFenced
	}
	if p.draft == nil || p.draft.head.Generation != generation {
		if p.head.Generation == generation { // published before
			return p.head, nil
		}
		return store.Head{}, store.ErrFenced
	}
	head := p.draft.head
	head.Revision = p.head.Revision + 1
	p.replace(head, p.draft.values)
	return p.head, nil
}

// DropDraft implements store.Store.
func (s *Store) DropDraft(ctx context.Context, partition int, epoch uint64) error {
	p, err := s.open(ctx, partition, "dropping the draft of")
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.head.Epoch {
		return store.ErrFenced
	}
	p.draft = nil
	return nil
}
