package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hale.dev/services/internal/store"
)

// timeline notes when each partition's commits are seen by a watcher of the store.
type timeline struct {
	cancel context.CancelFunc
	done   chan error

	mu    sync.Mutex
	marks [][]mark // by partition, in order
}

// mark is a step of a partition.
type mark struct {
	at                        time.Time
	epoch, generation, cursor uint64
}

// follow begins a timeline and returns when every partition is watched.
func follow(ctx context.Context, s store.Store, partitions int) (*timeline, error) {
	ctx, cancel := context.WithCancel(ctx)
	t := &timeline{cancel: cancel, done: make(chan error, 1), marks: make([][]mark, partitions)}
	watched, open := make(chan struct{}), partitions
	go func() {
		t.done <- s.Watch(ctx, partitions, func(c store.Change) error {
			if t.note(c) {
				if open--; open == 0 {
					close(watched)
				}
			}
			return nil
		})
	}()
	select {
	case <-watched:
		return t, nil
	case err := <-t.done:
		cancel()
		return nil, err
	}
}

// note keeps a change that is a step, and reports whether it is the partition's first. Of changes that were lost the
// last one tells where the partition is.
func (t *timeline) note(c store.Change) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := mark{at: time.Now(), epoch: c.Epoch, generation: c.Generation, cursor: c.Cursor}
	all := t.marks[c.Partition]
	if first = len(all) == 0; !first {
		last := all[len(all)-1]
		if last.epoch == m.epoch && last.generation == m.generation && last.cursor == m.cursor {
			return false
		}
	}
	t.marks[c.Partition] = append(all, m)
	return first
}

// of returns a partition's marks since a time, and the last one before.
func (t *timeline) of(partition int, since time.Time) []mark {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.marks[partition]
	from, _ := slices.BinarySearchFunc(all, since, func(m mark, at time.Time) int { return m.at.Compare(at) })
	return slices.Clone(all[max(0, from-1):])
}

// gaps returns for each partition the longest time without a commit that ended since a time.
func (t *timeline) gaps(since time.Time) []time.Duration {
	longest := make([]time.Duration, len(t.marks))
	for p := range longest {
		marks := t.of(p, since)
		for i := 1; i < len(marks); i++ {
			longest[p] = max(longest[p], marks[i].at.Sub(marks[i-1].at))
		}
	}
	return longest
}

// takeover returns the last mark of a partition under an epoch, and the first one under a later epoch that is further in
// the log; false: there is none yet.
func (t *timeline) takeover(partition int, since time.Time, epoch uint64) (before, after mark, ok bool) {
	for _, m := range t.of(partition, since) {
		if m.epoch <= epoch {
			before = m
		} else if m.cursor > before.cursor {
			return before, m, true
		}
	}
	return before, after, false
}

// close ends the timeline. Its marks stay.
func (t *timeline) close() error {
	t.cancel()
	if err := <-t.done; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
