package trial

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

// view is what a watcher makes of the changes that it is told: the stored bytes of every account. It reads nothing but
// what a change names, and a partition as a whole only when it is told that changes are lost. At the end it must be
// what the store holds.
type view struct {
	store store.Store
	parts []viewPart
	// changes and lost count what was told.
	changes, lost int
	mu            sync.Mutex
}

type viewPart struct {
	cursor uint64
	refill bool
	busy   bool // its changes are being read
	dirty  map[string]struct{}
	values map[string][]byte
}

func newView(s store.Store, partitions int) *view {
	v := &view{store: s, parts: make([]viewPart, partitions)}
	for i := range v.parts {
		v.parts[i] = viewPart{dirty: map[string]struct{}{}, values: map[string][]byte{}}
	}
	return v
}

// watch follows the store until ctx ends.
func (v *view) watch(ctx context.Context) error {
	const refreshEvery = 300 * time.Millisecond
	var refresh sync.WaitGroup
	refresh.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(refreshEvery):
				for p := range v.parts {
					v.refresh(ctx, p)
				}
			}
		}
	})
	defer refresh.Wait()
	err := v.store.Watch(ctx, len(v.parts), v.tell)
	if ctx.Err() != nil {
		return nil // it was told to end
	}
	return fmt.Errorf("watching the store: %w", err)
}

// tell notes a change.
func (v *view) tell(c store.Change) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := &v.parts[c.Partition]
	p.cursor = c.Cursor
	v.changes++
	if c.Lost {
		v.lost++
		p.refill = true
	}
	for _, id := range c.Accounts {
		p.dirty[id] = struct{}{}
	}
	return nil
}

// refresh reads what changed in a partition; what fails is tried again the next time.
func (v *view) refresh(ctx context.Context, n int) {
	v.mu.Lock()
	p := &v.parts[n]
	refill, ids := p.refill, p.dirty
	p.refill, p.dirty = false, map[string]struct{}{}
	p.busy = refill || len(ids) > 0
	busy := p.busy
	v.mu.Unlock()
	if !busy {
		return
	}
	values := map[string][]byte{}
	var err error
	if refill {
		values, err = readPartition(ctx, v.store, n)
	} else {
		err = readAccounts(ctx, v.store, n, keysOf(ids), values)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p.busy = false
	if err != nil {
		p.refill = p.refill || refill
		for id := range ids {
			p.dirty[id] = struct{}{}
		}
		return
	}
	if refill {
		p.values = values
		return
	}
	maps.Copy(p.values, values)
}

// caughtUp returns nil when the view has worked off all changes up to the heads that the store has now.
func (v *view) caughtUp(ctx context.Context) error {
	for n := range v.parts {
		head, _, err := v.store.Read(ctx, n)
		if err != nil {
			return fmt.Errorf("reading the head of partition %d: %w", n, err)
		}
		v.mu.Lock()
		p := &v.parts[n]
		cursor, busy := p.cursor, p.busy || p.refill || len(p.dirty) > 0
		v.mu.Unlock()
		if cursor != head.Cursor || busy {
			return fmt.Errorf("the watcher was told of partition %d up to %d, the store is at %d", n, cursor, head.Cursor)
		}
	}
	return nil
}

// compare returns what differs between the view and the store.
func (v *view) compare(ctx context.Context) ([]string, error) {
	var wrong []string
	for n := range v.parts {
		stored, err := readPartition(ctx, v.store, n)
		if err != nil {
			return nil, err
		}
		v.mu.Lock()
		seen := v.parts[n].values
		for id, value := range stored {
			if !bytes.Equal(value, seen[id]) {
				wrong = append(wrong, fmt.Sprintf("partition %d, account %q: the watcher has %d bytes, the store other %d",
					n, id, len(seen[id]), len(value)))
			}
		}
		if len(seen) != len(stored) {
			wrong = append(wrong, fmt.Sprintf("partition %d: the watcher has %d accounts, the store %d", n, len(seen), len(stored)))
		}
		v.mu.Unlock()
	}
	return wrong, nil
}

func keysOf(set map[string]struct{}) []string {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	return keys
}

// readPartition reads all accounts of a partition.
func readPartition(ctx context.Context, s store.Store, n int) (map[string][]byte, error) {
	values := map[string][]byte{}
	for chunk := uint32(0); ; chunk++ {
		_, got, err := s.Read(ctx, n, store.AccountsKey(chunk))
		if err != nil {
			return nil, fmt.Errorf("reading the accounts of partition %d: %w", n, err)
		}
		if got[0] == nil {
			return values, nil
		}
		ids, err := fold.DecodeChunk(got[0])
		if err != nil {
			return nil, fmt.Errorf("decoding the accounts of partition %d: %w", n, err)
		}
		if err := readAccounts(ctx, s, n, ids, values); err != nil {
			return nil, err
		}
	}
}

// readAccounts reads some accounts' stored bytes into values.
func readAccounts(ctx context.Context, s store.Store, n int, ids []string, values map[string][]byte) error {
	const most = 200
	for len(ids) > 0 {
		some := ids[:min(most, len(ids))]
		ids = ids[len(some):]
		keys := make([]string, len(some))
		for i, id := range some {
			keys[i] = store.AccountKey(id)
		}
		_, got, err := s.Read(ctx, n, keys...)
		if err != nil {
			return fmt.Errorf("reading %d accounts of partition %d: %w", len(some), n, err)
		}
		for i, id := range some {
			values[id] = got[i]
		}
	}
	return nil
}
