package task_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/task"
)

func open(t *testing.T) (*task.Board, jetstream.JetStream) {
	t.Helper()
	js := natstest.JetStream(t)
	b, err := task.Open(t.Context(), js, 1)
	require.NoError(t, err)
	return b, js
}

// get reads a task that must be there.
func get(t *testing.T, b *task.Board, kind task.Kind, stream int) task.Task {
	t.Helper()
	found, err := b.Get(t.Context(), kind, stream)
	require.NoError(t, err)
	return found
}

// move writes a task in another state, as its owner does.
func move(t *testing.T, b *task.Board, kind task.Kind, stream int, to task.State) {
	t.Helper()
	found := get(t, b, kind, stream)
	found.State = to
	require.NoError(t, b.Update(t.Context(), &found))
}

func TestAsk(t *testing.T) {
	t.Parallel()
	b, js := open(t)

	_, err := b.Get(t.Context(), task.Rebuild, 0)
	require.ErrorIs(t, err, task.ErrNone)

	id, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild, Partition: -1}, 0, 1)
	require.NoError(t, err)
	require.NotEmpty(t, id)

	other, err := task.Open(t.Context(), js, 1) // as another process
	require.NoError(t, err)
	for stream := range 2 {
		found := get(t, other, task.Rebuild, stream)
		require.Equal(t, id, found.ID)
		require.Equal(t, stream, found.Stream)
		require.Equal(t, task.Asked, found.State)
		require.Equal(t, -1, found.Partition)
		require.WithinDuration(t, time.Now(), found.Asked, time.Minute)
		require.Zero(t, found.Begun)
	}

	t.Run("a second one of a kind has to wait", func(t *testing.T) {
		_, err := other.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 1)
		require.ErrorIs(t, err, task.ErrBusy)
		require.ErrorContains(t, err, "rebuild of stream 1 since ")
	})

	t.Run("and changes nothing of any stream", func(t *testing.T) {
		_, err := other.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 2, 1)
		require.ErrorIs(t, err, task.ErrBusy)
		_, err = b.Get(t.Context(), task.Rebuild, 2)
		require.ErrorIs(t, err, task.ErrNone)
	})

	t.Run("another kind need not", func(t *testing.T) {
		_, err := other.Ask(t.Context(), task.Task{Kind: task.Snapshot}, 0, 1)
		require.NoError(t, err)
	})

	t.Run("after the end there is room for the next", func(t *testing.T) {
		for stream, end := range []task.State{task.Done, task.Failed} {
			move(t, b, task.Rebuild, stream, end)
		}
		next, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 0, 1)
		require.NoError(t, err)
		require.NotEqual(t, id, next)
		require.Equal(t, next, get(t, b, task.Rebuild, 1).ID)
	})

	t.Run("a task that was deleted by hand is in nobody's way", func(t *testing.T) {
		kv, err := js.KeyValue(t.Context(), "hale_tasks")
		require.NoError(t, err)
		require.NoError(t, kv.Delete(t.Context(), "rebuild.0"))
		_, err = b.Get(t.Context(), task.Rebuild, 0)
		require.ErrorIs(t, err, task.ErrNone)
		_, err = b.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 0)
		require.NoError(t, err)
	})
}

// TestAskAtOnce lets several processes ask for the same: whoever is refused leaves nothing behind.
func TestAskAtOnce(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	const askers, streams, rounds = 4, 5, 10
	for range rounds {
		var (
			wg  sync.WaitGroup
			mu  sync.Mutex
			won = map[string]bool{}
		)
		for asker := range askers {
			wg.Go(func() {
				order := []int{0, 1, 2, 3, 4}
				if asker%2 == 1 {
					order = []int{4, 3, 2, 1, 0}
				}
				id, err := b.Ask(t.Context(), task.Task{Kind: task.Restore}, order...)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won[id] = true
				} else if !errors.Is(err, task.ErrBusy) {
					t.Errorf("asking: %v", err)
				}
			})
		}
		wg.Wait()
		require.LessOrEqual(t, len(won), 1)
		all, err := b.List(t.Context(), streams)
		require.NoError(t, err)
		open := 0
		for _, one := range all {
			if !one.State.Final() {
				require.True(t, won[one.ID], "a task of somebody who was refused: %+v", one)
				open++
			}
		}
		require.Equal(t, streams*len(won), open)
		for _, one := range all {
			if !one.State.Final() {
				move(t, b, one.Kind, one.Stream, task.Done)
			}
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	_, err := b.Ask(t.Context(), task.Task{Kind: task.Snapshot, Partition: 7}, 3)
	require.NoError(t, err)

	mine, theirs := get(t, b, task.Snapshot, 3), get(t, b, task.Snapshot, 3)
	mine.State, mine.Owner, mine.Begun = task.Running, "scoring-1", time.Now()
	require.NoError(t, b.Update(t.Context(), &mine))
	mine.At = 5
	require.NoError(t, b.Update(t.Context(), &mine), "whoever wrote last may write again")

	theirs.Owner = "scoring-2"
	require.ErrorIs(t, b.Update(t.Context(), &theirs), task.ErrChanged)

	found := get(t, b, task.Snapshot, 3)
	require.Equal(t, "scoring-1", found.Owner)
	require.Equal(t, uint64(5), found.At)
	require.Equal(t, 7, found.Partition)
	require.WithinDuration(t, time.Now(), found.Updated, time.Minute)
}

func TestAbort(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	_, err := b.Abort(t.Context(), task.Rebuild, 4)
	require.ErrorIs(t, err, task.ErrNone)

	id, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 0, 1, 2)
	require.NoError(t, err)
	late := get(t, b, task.Rebuild, 0)
	move(t, b, task.Rebuild, 1, task.Running)
	move(t, b, task.Rebuild, 2, task.Done)

	ids, err := b.Abort(t.Context(), task.Rebuild, 4)
	require.NoError(t, err)
	require.Equal(t, []string{id}, ids)
	require.Equal(t, task.Aborted, get(t, b, task.Rebuild, 0).State, "nobody had begun")
	require.Equal(t, task.Aborting, get(t, b, task.Rebuild, 1).State, "its owner has to give it up")
	require.Equal(t, task.Done, get(t, b, task.Rebuild, 2).State)

	late.State = task.Running
	require.ErrorIs(t, b.Update(t.Context(), &late), task.ErrChanged, "nobody begins what was given up")

	ids, err = b.Abort(t.Context(), task.Rebuild, 4)
	require.NoError(t, err, "asking twice does no harm")
	require.Equal(t, []string{id}, ids)

	move(t, b, task.Rebuild, 1, task.Aborted)
	_, err = b.Abort(t.Context(), task.Rebuild, 4)
	require.ErrorIs(t, err, task.ErrNone)
}

// TestAbortAgainstAnOwner aborts while the owner writes how far it is: the abort is not lost.
func TestAbortAgainstAnOwner(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	_, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 0)
	require.NoError(t, err)
	move(t, b, task.Rebuild, 0, task.Running)
	done := make(chan error, 1)
	go func() {
		for {
			found, err := b.Get(t.Context(), task.Rebuild, 0)
			if err == nil && found.State == task.Aborting {
				found.State = task.Aborted
				done <- b.Update(t.Context(), &found)
				return
			}
			found.At++
			if err == nil {
				err = b.Update(t.Context(), &found)
			}
			if err != nil && !errors.Is(err, task.ErrChanged) {
				done <- err
				return
			}
		}
	}()
	_, err = b.Abort(t.Context(), task.Rebuild, 1)
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Equal(t, task.Aborted, get(t, b, task.Rebuild, 0).State)
}

func TestList(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	all, err := b.List(t.Context(), 2)
	require.NoError(t, err)
	require.Empty(t, all)

	for _, kind := range []task.Kind{task.Snapshot, task.Rebuild} {
		_, err = b.Ask(t.Context(), task.Task{Kind: kind}, 1, 0)
		require.NoError(t, err)
	}
	all, err = b.List(t.Context(), 2)
	require.NoError(t, err)
	var names []string
	for _, one := range all {
		names = append(names, string(one.Kind)+string(rune('0'+one.Stream)))
	}
	require.Equal(t, []string{"rebuild0", "rebuild1", "snapshot0", "snapshot1"}, names)

	all[0].State = task.Running
	require.NoError(t, b.Update(t.Context(), &all[0]), "what was listed can be written")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.List(ended, 2)
	require.ErrorIs(t, err, context.Canceled)
}

// TestListOfWhatIsWritten lists tasks that somebody writes all the time.
func TestListOfWhatIsWritten(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	_, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 0, 1)
	require.NoError(t, err)
	var writer sync.WaitGroup
	defer writer.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for stream := range 2 {
		writer.Go(func() {
			for one := get(t, b, task.Rebuild, stream); ctx.Err() == nil; one.Events++ {
				if err := b.Update(ctx, &one); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 300 {
		all, err := b.List(t.Context(), 2)
		require.NoError(t, err)
		require.Len(t, all, 2)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	b, _ := open(t)
	_, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild}, 0)
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	seen, done := make(chan task.Task), make(chan error, 1)
	go func() {
		done <- b.Watch(ctx, func(one task.Task) error {
			select {
			case seen <- one:
			case <-ctx.Done():
			}
			return nil
		})
	}()

	first := <-seen
	require.Equal(t, task.Asked, first.State, "what is there comes first")
	first.State = task.Running
	require.NoError(t, b.Update(t.Context(), &first), "and can be written")
	require.Equal(t, task.Running, (<-seen).State)
	_, err = b.Ask(t.Context(), task.Task{Kind: task.Snapshot}, 1)
	require.NoError(t, err)
	require.Equal(t, task.Snapshot, (<-seen).Kind)

	cancel()
	require.ErrorIs(t, <-done, context.Canceled)

	enough := errors.New("enough")
	require.ErrorIs(t, b.Watch(t.Context(), func(task.Task) error { return enough }), enough)
}

func TestWatchOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	b, js := open(t)
	kv, err := js.KeyValue(t.Context(), "hale_tasks")
	require.NoError(t, err)
	_, err = kv.PutString(t.Context(), "rebuild.0", "no JSON")
	require.NoError(t, err)

	for _, err := range []error{
		b.Watch(t.Context(), func(task.Task) error { return nil }),
		func() error { _, err := b.List(t.Context(), 2); return err }(),
		func() error { _, err := b.Get(t.Context(), task.Rebuild, 0); return err }(),
	} {
		require.ErrorContains(t, err, "reading task rebuild.0")
	}
}

// TestOpenAtOnce lets processes make the bucket at the same time.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	js := natstest.JetStream(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := task.Open(t.Context(), js, 1); err != nil {
				t.Errorf("opening: %v", err)
			}
		})
	}
	wg.Wait()
}
