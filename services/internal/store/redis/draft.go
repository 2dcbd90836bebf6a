package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// A draft is a head under a key of its own. Its values lie under its generation, as all values do, so publishing
// moves nothing: what was the draft's head becomes the partition's.

// Reset implements store.Store. It writes the head; the values of earlier generations, which nobody finds any more,
// are removed in the background.
func (s *Store) Reset(ctx context.Context, partition int, epoch uint64) (store.Head, error) {
	n := s.keys.of(partition)
	head, err := s.replace(ctx, "resetting", partition, s.scripts.reset, []string{n.head, n.changes, n.stale, n.draft, n.last},
		epochGuard(epoch), []byte{changeLost}, maxChanges)
	if err != nil {
		return store.Head{}, err
	}
	n.see(head.Generation)
	s.sweep(partition)
	return head, nil
}

// BeginDraft implements store.Store.
func (s *Store) BeginDraft(ctx context.Context, partition int, epoch uint64) (store.Head, error) {
	n := s.keys.of(partition)
	head, err := s.replace(ctx, "beginning a draft of", partition, s.scripts.begin,
		[]string{n.head, n.stale, n.draft, n.last}, epochGuard(epoch))
	if err != nil {
		return store.Head{}, err
	}
	n.seeDraft(head.Generation)
	s.sweep(partition) // there may have been another
	return head, nil
}

// Publish implements store.Store.
func (s *Store) Publish(ctx context.Context, partition int, epoch, generation uint64) (store.Head, error) {
	n := s.keys.of(partition)
	head, err := s.replace(ctx, "publishing the draft of", partition, s.scripts.publish,
		[]string{n.head, n.changes, n.stale, n.draft},
		epochGuard(epoch), bytesOf(generation), []byte{changeLost}, maxChanges)
	if err != nil {
		return store.Head{}, err
	}
	n.see(head.Generation)
	s.sweep(partition)
	return head, nil
}

// replace runs a script that returns the new head, or nil when it is fenced.
func (s *Store) replace(ctx context.Context, doing string, partition int, script *script, keys []string, args ...any,
) (store.Head, error) {
	got, err := s.call(ctx, script, keys, args...).Text()
	if errors.Is(err, redis.Nil) {
		return store.Head{}, store.ErrFenced
	}
	var head store.Head
	if err == nil {
		head, err = parseHead(got)
	}
	if err != nil {
		return store.Head{}, fmt.Errorf("%s partition %d: %w", doing, partition, refusal(err))
	}
	return head, nil
}

// DropDraft implements store.Store.
func (s *Store) DropDraft(ctx context.Context, partition int, epoch uint64) error {
	n := s.keys.of(partition)
	done, err := s.call(ctx, s.scripts.drop, []string{n.head, n.stale, n.draft}, epochGuard(epoch)).Int64()
	switch {
	case err != nil:
		return fmt.Errorf("dropping the draft of partition %d: %w", partition, refusal(err))
	case done == 0:
		return store.ErrFenced
	case done > 1:
		s.sweep(partition)
	}
	return nil
}

// ReadDraft implements store.Store, as Read does.
func (s *Store) ReadDraft(ctx context.Context, partition int, wanted ...string) (store.Head, [][]byte, error) {
	n := s.keys.of(partition)
	in := n.drafted.Load()
	for {
		head, values, err := s.readFrom(ctx, n.draft, in, wanted)
		if errors.Is(err, errAbsent) {
			return store.Head{}, nil, store.ErrNoDraft
		}
		if err != nil {
			return store.Head{}, nil, fmt.Errorf("reading %d values of the draft of partition %d: %w", len(wanted), partition, err)
		}
		if head.Generation == in.generation {
			return head, values, nil
		}
		in = n.seeDraft(head.Generation)
	}
}
