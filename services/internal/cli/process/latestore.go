package process

import (
	"context"
	"sync"

	"hale.dev/services/internal/store"
)

// lateStore opens a store when it is read for the first time: notify needs one for digests only, and must deliver alerts
// while it is down.
type lateStore struct {
	open func(context.Context) (store.Store, error)

	mu     sync.Mutex
	opened store.Store
}

// Read implements notify.Reader.
func (l *lateStore) Read(ctx context.Context, partition int, keys ...string) (store.Head, [][]byte, error) {
	s, err := l.get(ctx)
	if err != nil {
		return store.Head{}, nil, err
	}

	return s.Read(ctx, partition, keys...)
}

func (l *lateStore) get(ctx context.Context) (store.Store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.opened == nil {
		s, err := l.open(ctx)
		if err != nil {
			return nil, err
		}

		l.opened = s
	}

	return l.opened, nil
}

// Close closes the store, if it was opened.
func (l *lateStore) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.opened == nil {
		return nil
	}

	return l.opened.Close()
}
