package redis_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
)

// load commits to a partition as an owner would, until it is stopped. Every commit appends its cursor to the value
// "log", so that what is stored tells which commits were applied, and how often.
type load struct {
	s         *redis.Store
	partition int
	stop      chan struct{}
	ended     chan error

	mu       sync.Mutex
	head     store.Head
	known    uint64 // the highest cursor that was acknowledged
	commits  int
	unknown  int
	fenced   int
	refused  int
	last     time.Time
	longest  time.Duration // between two acknowledgements
	refusals map[store.Reason]int
}

// startLoad claims a partition and begins.
func startLoad(t *testing.T, s *redis.Store, partition int) *load {
	t.Helper()
	l := &load{
		s: s, partition: partition, stop: make(chan struct{}), ended: make(chan error, 1), last: time.Now(),
		refusals: map[store.Reason]int{},
	}
	var err error
	l.head, err = s.Claim(t.Context(), partition, store.Lease{})
	require.NoError(t, err)
	go func() { l.ended <- l.run() }()
	return l
}

func (l *load) run() error {
	for {
		select {
		case <-l.stop:
			return nil
		default:
		}
		c := entry(l.partition, l.head)
		if err := l.took(c, l.s.Commit(context.Background(), c)); err != nil {
			return err
		}
	}
}

// entry is the commit that follows h. It puts new values and old ones, and appends.
func entry(partition int, h store.Head) *store.Commit {
	c := &store.Commit{
		Partition: partition, Epoch: h.Epoch, Generation: h.Generation, From: h.Cursor, Cursor: h.Cursor + 1, State: fmt.Append(nil, h.Cursor+1),
		Changed: []string{fmt.Sprint(h.Cursor + 1)}, Lease: store.Lease{Owner: "load", TTL: time.Second},
	}
	number := binary.BigEndian.AppendUint64(nil, c.Cursor)
	c.Append = []store.Entry{{Key: "log", Value: number}}
	c.Put = []store.Entry{{Key: fmt.Sprint("v", c.Cursor%20), Value: number}, {Key: fmt.Sprint("new", c.Cursor), Value: number}}
	c.Delete = []string{fmt.Sprint("new", c.Cursor-10)}
	return c
}

// took notes how a commit ended, and goes on from what is stored.
func (l *load) took(c *store.Commit, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var refusal *store.Error
	switch {
	case err == nil:
		l.head.Cursor, l.head.State, l.known = c.Cursor, c.State, c.Cursor
		l.commits++
		l.longest = max(l.longest, time.Since(l.last))
		l.last = time.Now()
		return nil
	case errors.Is(err, store.ErrUnknown):
		l.unknown++
	case errors.Is(err, store.ErrFenced):
		l.fenced++
	case errors.As(err, &refusal):
		l.refused++
		l.refusals[refusal.Reason]++
		return nil // nothing was written: the same again
	default:
		return err
	}
	for {
		h, err := l.s.Claim(context.Background(), l.partition, store.Lease{Owner: "load", TTL: time.Second})
		if err == nil {
			l.head = h
			return nil
		}
		select {
		case <-l.stop:
			return err
		default:
		}
	}
}

// cursor returns the highest acknowledged cursor.
func (l *load) cursor() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known
}

// goesOn waits until so many more commits were acknowledged.
func (l *load) goesOn(t *testing.T, more int) {
	t.Helper()
	l.mu.Lock()
	want := l.commits + more
	l.mu.Unlock()
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.commits >= want
	}, patience, time.Millisecond)
}

// end stops the load and requires that what is stored is every commit up to its cursor, exactly once.
func (l *load) end(t *testing.T) store.Head {
	t.Helper()
	close(l.stop)
	require.NoError(t, <-l.ended)
	h := exact(t, l.s, l.partition)
	t.Logf("%d commits, %d unknown, %d fenced, %d refused %v, longest time without a commit %v",
		l.commits, l.unknown, l.fenced, l.refused, l.refusals, l.longest)
	return h
}

// exact requires that every commit up to the cursor is stored exactly once.
func exact(t *testing.T, s *redis.Store, partition int) store.Head {
	t.Helper()
	h, values, err := s.Read(t.Context(), partition, "log")
	require.NoError(t, err)
	require.Len(t, values[0], 8*int(h.Cursor))
	for i := range h.Cursor {
		require.Equal(t, i+1, binary.BigEndian.Uint64(values[0][8*i:]))
	}
	return h
}

// view follows one partition as a query process would: it fills at Lost, and counts what it was told.
type view struct {
	mu    sync.Mutex
	at    store.Change
	lost  int
	wrong []string
}

// startView starts a watch of partitions, and a view of one of them.
func startView(t *testing.T, s *redis.Store, partitions, partition int) *view {
	t.Helper()
	v := &view{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- s.Watch(ctx, partitions, func(c store.Change) error {
			if c.Partition == partition {
				v.see(c)
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	require.Eventually(t, func() bool { return v.count() > 0 }, patience, time.Millisecond)
	return v
}

func (v *view) see(c store.Change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.Lost {
		v.lost++
	} else if c.Cursor != v.at.Cursor+1 || len(c.Accounts) != 1 || c.Accounts[0] != fmt.Sprint(c.Cursor) {
		v.wrong = append(v.wrong, fmt.Sprintf("%+v after %+v", c, v.at))
	}
	v.at = c
}

func (v *view) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lost
}

// reaches waits until the view has come to a cursor, and requires that nothing was missed on the way.
func (v *view) reaches(t *testing.T, cursor uint64) {
	t.Helper()
	require.Eventually(t, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.at.Cursor == cursor
	}, patience, time.Millisecond)
	v.mu.Lock()
	defer v.mu.Unlock()
	require.Empty(t, v.wrong)
}
