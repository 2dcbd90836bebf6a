package task

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

const (
	bucket = "hale_tasks"
	// withdrawing bounds how long taking back what could not be put up everywhere may take.
	withdrawing = 5 * time.Second
)

var (
	// ErrBusy says that such a task is under way already.
	ErrBusy = errors.New("task: one of this kind is under way")
	// ErrNone says that there is no such task, or it has ended.
	ErrNone = errors.New("task: there is none under way")
	// ErrChanged says that somebody else wrote the task meanwhile: read it again.
	ErrChanged = errors.New("task: it was changed meanwhile")
	errEnded   = errors.New("task: the watch has ended")
)

// Board holds the tasks. It is safe for concurrent use.
type Board struct{ kv jetstream.KeyValue }

// Open opens the bucket, and makes it with that many replicas (0: 1) if it is missing. A cluster that has no leader yet
// is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Board, error) {
	kv, err := jsretry.Bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: bucket, Description: "work for the owners of streams", Replicas: replicas,
	}, nil)
	if err != nil {
		return nil, err
	}
	return &Board{kv: kv}, nil
}

func key(kind Kind, stream int) string { return string(kind) + "." + strconv.Itoa(stream) }

// Ask puts a task of a kind up for every one of the streams and returns its id; ErrBusy if one is under way for any.
// Then, and after any other error, it is withdrawn from those streams that had it already.
func (b *Board) Ask(ctx context.Context, t Task, streams ...int) (id string, err error) {
	t.ID, t.State, t.Asked = rand.Text()[:10], Asked, time.Now().UTC()
	before := make([]uint64, len(streams))
	for i, stream := range streams {
		old, err := b.Get(ctx, t.Kind, stream)
		switch {
		case errors.Is(err, ErrNone):
		case err != nil:
			return "", err
		case !old.State.Final():
			return "", fmt.Errorf("%w: %s of stream %d since %s", ErrBusy, t.Kind, stream, old.Asked.Format(time.RFC3339))
		}
		before[i] = old.revision
	}
	for i, stream := range streams {
		t.Stream, t.revision = stream, before[i]
		if err := b.put(ctx, &t); err != nil {
			// This one too: an error does not say that it was not written.
			return "", errors.Join(asBusy(err), b.withdraw(ctx, &t, streams[:i+1]))
		}
	}
	return t.ID, nil
}

// asBusy turns around what Ask finds when somebody else asked for the same at the same time.
func asBusy(err error) error {
	if errors.Is(err, ErrChanged) {
		return fmt.Errorf("%w: somebody else asked at the same time", ErrBusy)
	}
	return err
}

// withdraw takes a task back that could not be put up everywhere. It does so also when the caller has gone.
func (b *Board) withdraw(ctx context.Context, t *Task, streams []int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawing)
	defer cancel()
	for _, stream := range streams {
		if _, err := b.abort(ctx, t.Kind, stream, t.ID); err != nil && !errors.Is(err, ErrNone) {
			return fmt.Errorf("withdrawing task %s: %w", t.ID, err)
		}
	}
	return nil
}

// Get reads a task; ErrNone if there never was one. One that has ended is still there.
func (b *Board) Get(ctx context.Context, kind Kind, stream int) (Task, error) {
	entry, err := b.kv.Get(ctx, key(kind, stream))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Task{}, ErrNone
	}
	if err != nil {
		return Task{}, fmt.Errorf("reading task %s: %w", key(kind, stream), err)
	}
	return parse(entry)
}

func parse(entry jetstream.KeyValueEntry) (Task, error) {
	var t Task
	if err := json.Unmarshal(entry.Value(), &t); err != nil {
		return t, fmt.Errorf("reading task %s: %w", entry.Key(), err)
	}
	t.revision = entry.Revision()
	return t, nil
}

// Update writes a task that was read before; ErrChanged if somebody wrote it since.
func (b *Board) Update(ctx context.Context, t *Task) error {
	t.Updated = time.Now().UTC()
	return b.put(ctx, t)
}

func (b *Board) put(ctx context.Context, t *Task) error {
	value, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encoding task %s: %w", key(t.Kind, t.Stream), err)
	}
	revision, err := b.write(ctx, key(t.Kind, t.Stream), value, t.revision)
	if wrongRevision(err) {
		return fmt.Errorf("%w: %s", ErrChanged, key(t.Kind, t.Stream))
	}
	if err != nil {
		return fmt.Errorf("writing task %s: %w", key(t.Kind, t.Stream), err)
	}
	t.revision = revision
	return nil
}

// write writes an entry over the one with a revision; 0: there must be none, or one that was deleted.
func (b *Board) write(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if revision == 0 {
		return b.kv.Create(ctx, key, value) //nolint:wrapcheck // wrapped by put
	}
	return b.kv.Update(ctx, key, value, revision) //nolint:wrapcheck // wrapped by put
}

// wrongRevision reports whether an update was refused because of its revision. A replicated bucket has a code of its own.
func wrongRevision(err error) bool {
	var refused *jetstream.APIError
	return errors.As(err, &refused) && (refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// Abort asks the owners to give a task up and returns its ids, one if all streams were asked at once; ErrNone if none
// of the kind is under way. One that nobody has begun ends at once.
func (b *Board) Abort(ctx context.Context, kind Kind, streams int) (ids []string, err error) {
	for stream := range streams {
		id, err := b.abort(ctx, kind, stream, "")
		switch {
		case errors.Is(err, ErrNone):
		case err != nil:
			return ids, err
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, ErrNone
	}
	return ids, nil
}

// abort asks the owner of a stream to give a task up, whatever its id, or only the one with an id.
func (b *Board) abort(ctx context.Context, kind Kind, stream int, id string) (string, error) {
	for {
		t, err := b.Get(ctx, kind, stream)
		switch {
		case err != nil:
			return "", err
		case t.State.Final(), id != "" && t.ID != id:
			return "", ErrNone
		case t.State == Aborting: // asked already
			return t.ID, nil
		case t.State == Asked:
			t.State = Aborted
		default:
			t.State = Aborting
		}
		if err = b.Update(ctx, &t); !errors.Is(err, ErrChanged) {
			return t.ID, err
		}
	}
}

// List returns the last task of every kind and stream, by kind and stream. It has all tasks of the first streams, as many
// as that, and of others those that nobody writes meanwhile.
func (b *Board) List(ctx context.Context, streams int) ([]Task, error) {
	found, err := b.seen(ctx)
	if err != nil {
		return nil, err
	}
	for _, kind := range []Kind{Rebuild, Restore, Snapshot} {
		for stream := range streams {
			at := key(kind, stream)
			if _, ok := found[at]; ok {
				continue
			}
			// A look at all keys passes over one that is written meanwhile.
			switch t, err := b.Get(ctx, kind, stream); {
			case err == nil:
				found[at] = t
			case !errors.Is(err, ErrNone):
				return nil, err
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Task) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Stream, b.Stream))
	}), nil
}

// seen returns what a look at all keys shows, by key.
func (b *Board) seen(ctx context.Context) (map[string]Task, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := b.kv.WatchAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading bucket %s: %w", bucket, err)
	}
	defer func() { _ = watcher.Stop() }()
	all := map[string]Task{}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return nil, ended(ctx)
			case entry == nil: // that is all there is now
				return all, nil
			case entry.Operation() != jetstream.KeyValuePut:
				continue
			}
			t, err := parse(entry)
			if err != nil {
				return nil, err
			}
			all[entry.Key()] = t // one that is written meanwhile may come twice
		}
	}
}

// Watch calls f for every task there is, and again for every one that is written, until ctx ends or f fails.
func (b *Board) Watch(ctx context.Context, f func(Task) error) error {
	watcher, err := b.kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watching bucket %s: %w", bucket, err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-watcher.Updates():
			if !ok {
				return ended(ctx)
			}
			if entry == nil || entry.Operation() != jetstream.KeyValuePut {
				continue
			}
			t, err := parse(entry)
			if err != nil {
				return err
			}
			if err := f(t); err != nil {
				return err
			}
		}
	}
}

// ended says why a watcher gives no more: its channel closes with the context too.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errEnded
}
