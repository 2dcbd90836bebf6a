package scoring

import (
	"context"
	"errors"
	"fmt"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/task"
)

// restoreBytes and restoreKeys bound a commit of a restore.
const (
	restoreBytes = 1 << 20
	restoreKeys  = 2000
)

// restoreNewest puts the newest snapshot that fits the log in place of what is live; false: there is none.
func (g *guard) restoreNewest(ctx context.Context, head store.Head, alarm *AlarmError) (store.Head, bool, error) {
	s := g.service
	if s.deps.Archive == nil {
		return head, false, nil
	}
	found, meta, err := g.newest(ctx)
	if errors.Is(err, snapshot.ErrNotFound) {
		return head, false, nil
	}
	if err != nil {
		return head, false, fmt.Errorf("looking for a snapshot of partition %d: %w", g.partition, err)
	}
	if alarm == nil {
		alarm = alarmf(codeStoreFellBack, "the store has no state of partition %d", g.partition)
	}
	s.raise(ctx, g.partition, alarm, fmt.Sprintf("the snapshot up to message %d takes the place of the state", meta.Cursor))
	head, err = s.restore(ctx, g.partition, head.Epoch, found)
	return head, err == nil, err
}

// newest finds the newest good snapshot from which the log can be read on. What cannot be asked of the log is an
// error, rather than a reason to take an older one.
func (g *guard) newest(ctx context.Context) (snapshot.Info, *snapshot.Meta, error) {
	var failed error
	found, meta, err := g.service.deps.Archive.Newest(ctx, g.partition, func(m snapshot.Meta) bool {
		fits, err := g.fits(ctx, &m)
		failed = errors.Join(failed, err)
		return fits
	})
	return found, meta, errors.Join(err, failed)
}

// fits reports whether the log can be read on from a snapshot.
func (g *guard) fits(ctx context.Context, m *snapshot.Meta) (bool, error) {
	if m.Stream != g.identity() || m.Rules > fold.Rules || m.Cursor == 0 ||
		g.info.First > m.Cursor+1 || g.info.Last < m.Cursor {
		return false, nil
	}
	return g.holds(ctx, m.Cursor, m.LastTime, m.LastHash)
}

// restore puts a snapshot in place of what is live.
func (s *Service) restore(ctx context.Context, partition int, epoch uint64, from snapshot.Info) (store.Head, error) {
	draft, err := s.draftOf(ctx, partition, epoch, from)
	if err != nil {
		return draft, err
	}
	return s.publish(ctx, partition, draft)
}

// draftOf makes a draft of a snapshot.
func (s *Service) draftOf(ctx context.Context, partition int, epoch uint64, from snapshot.Info) (store.Head, error) {
	draft, err := s.deps.Store.BeginDraft(ctx, partition, epoch)
	if err != nil {
		return draft, fmt.Errorf("beginning to restore partition %d: %w", partition, err)
	}
	head, err := s.fill(ctx, partition, draft, from)
	if err != nil {
		return draft, errors.Join(err, s.deps.Store.DropDraft(ctx, partition, epoch))
	}
	return head, nil
}

// publish puts a draft in place of what is live.
func (s *Service) publish(ctx context.Context, partition int, draft store.Head) (store.Head, error) {
	head, err := s.deps.Store.Publish(ctx, partition, draft.Epoch, draft.Generation)
	if err != nil {
		return head, fmt.Errorf("publishing the draft of partition %d: %w", partition, err)
	}
	return head, nil
}

// fill writes a snapshot into an empty draft and returns the draft's head.
func (s *Service) fill(ctx context.Context, partition int, draft store.Head, from snapshot.Info) (store.Head, error) {
	in, err := s.deps.Archive.Open(ctx, from)
	if err != nil {
		return draft, fmt.Errorf("opening snapshot %s: %w", from.Name, err)
	}
	defer func() { _ = in.Close() }() // nothing is written to it
	f := &filler{service: s, partition: partition, head: draft, puts: map[string][]byte{}, gone: map[string]struct{}{}}
	meta, err := in.Each(ctx, func(e snapshot.Entry) error { return f.take(ctx, e) })
	if err != nil {
		return draft, fmt.Errorf("restoring partition %d from %s: %w", partition, from.Name, err)
	}
	if err := f.flush(ctx, meta.Cursor, meta.State); err != nil {
		return draft, err
	}
	f.head.Cursor, f.head.State = meta.Cursor, meta.State
	return f.head, nil
}

// filler gathers entries of a snapshot into commits.
type filler struct {
	service   *Service
	partition int
	head      store.Head
	puts      map[string][]byte
	gone      map[string]struct{}
	bytes     int
}

func (f *filler) take(ctx context.Context, e snapshot.Entry) error {
	if e.Removed {
		delete(f.puts, e.Key)
		f.gone[e.Key] = struct{}{}
	} else {
		delete(f.gone, e.Key)
		f.puts[e.Key] = append([]byte(nil), e.Value...)
		f.bytes += len(e.Key) + len(e.Value)
	}
	if f.bytes < restoreBytes && len(f.puts)+len(f.gone) < restoreKeys {
		return nil
	}
	return f.flush(ctx, 0, nil)
}

// flush commits what is gathered. Until the last one the draft stays at cursor 0, without a state.
func (f *filler) flush(ctx context.Context, cursor uint64, state []byte) error {
	c := &store.Commit{
		Partition: f.partition, Epoch: f.head.Epoch, Generation: f.head.Generation, Revision: f.head.Revision,
		Cursor: cursor, State: state, Draft: true,
	}
	for key, value := range f.puts {
		c.Put = append(c.Put, store.Entry{Key: key, Value: value})
	}
	for key := range f.gone {
		c.Delete = append(c.Delete, key)
	}
	clear(f.puts)
	clear(f.gone)
	f.bytes = 0
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := f.service.deps.Store.Commit(ctx, c); err != nil {
		return fmt.Errorf("writing the restored partition %d: %w", f.partition, err)
	}
	f.head.Revision++
	return nil
}

// restoreTask puts the snapshots that an operator asked for in place of what is live. The drafts are written while
// everything goes on.
func (o *owner) restoreTask(ctx context.Context, t *task.Task) error {
	s := o.service
	if s.deps.Archive == nil {
		return errNoVault
	}
	drafts := map[int]store.Head{}
	t.Results, t.From, t.At, t.To = nil, 0, 0, uint64(len(o.chosen(t)))
	for _, p := range o.chosen(t) {
		if s.tasks.aborted(t) {
			return errAborted
		}
		if err := o.tell(ctx, t); err != nil {
			return err
		}
		from, err := o.wanted(ctx, p, t.Cursor)
		if err != nil {
			return err
		}
		if drafts[p], err = s.draftOf(ctx, p, o.workers[p].epoch, from); err != nil {
			return err
		}
		t.At++
		t.Results = append(t.Results, task.Result{Partition: p, Cursor: from.Cursor, Bytes: from.Size, Name: from.Name})
	}
	return o.paused(ctx, func(ctx context.Context) (renewed bool, err error) {
		for p, draft := range drafts {
			if _, err := s.publish(ctx, p, draft); err != nil {
				return renewed, err
			}
			renewed = true
		}
		t.State = task.Done
		return true, o.tell(ctx, t)
	})
}

// errNoSnapshot says that what an operator asked for is not there, or cannot be used.
var errNoSnapshot = errors.New("no good snapshot from which the log can be read on")

// wanted finds the snapshot up to a cursor, or the newest; only one from which the log can be read on.
func (o *owner) wanted(ctx context.Context, partition int, cursor uint64) (snapshot.Info, error) {
	info, err := o.service.deps.Log.Info(ctx, o.stream)
	if err != nil {
		return snapshot.Info{}, fmt.Errorf("asking for stream %d: %w", o.stream, err)
	}
	g := &guard{service: o.service, stream: o.stream, partition: partition, info: info}
	var failed error
	found, _, err := o.service.deps.Archive.Newest(ctx, partition, func(m snapshot.Meta) bool {
		if cursor != 0 && m.Cursor != cursor {
			return false
		}
		fits, err := g.fits(ctx, &m)
		failed = errors.Join(failed, err)
		return fits
	})
	if errors.Is(err, snapshot.ErrNotFound) && failed == nil {
		return found, fmt.Errorf("partition %d, cursor %d (0: any): %w", partition, cursor, errNoSnapshot)
	}
	return found, errors.Join(err, failed)
}
