package query

import (
	"context"
	"fmt"

	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/trial"
)

// seed forgets the stream before, and makes the partitions that go on from snapshots.
func (t *rulesTest) seed(ctx context.Context, s logSpan) error {
	t.folded, t.accountsNow = map[int]*trial.Partition{}, 0

	for p, info := range s.seeds {
		if err := t.resume(ctx, p, info); err != nil {
			return err
		}
	}

	return nil
}

// resume makes a partition of a snapshot.
func (t *rulesTest) resume(ctx context.Context, number int, info snapshot.Info) error {
	in, err := t.snapshots.Open(ctx, info)
	if err != nil {
		return fmt.Errorf("testing rules on partition %d: %w", number, err)
	}
	defer func() { _ = in.Close() }() // nothing is written to it

	seed := trial.NewSeed(t.workspace)

	meta, err := in.Each(ctx, func(e snapshot.Entry) error {
		if e.Removed {
			seed.Remove(e.Key)
		} else {
			seed.Put(e.Key, e.Value)
		}

		if t.accountsNow+seed.Accounts() > t.limit {
			return t.grow(seed.Accounts())
		}

		return nil
	})
	if err != nil {
		return fmt.Errorf("testing rules on partition %d: %w", number, err)
	}

	p, transitions, err := trial.Resume(t.options(number), seed, meta.Cursor, meta.State)
	if err != nil {
		return fmt.Errorf("testing rules: %w", err)
	}

	t.folded[number] = p
	t.take(transitions)

	return t.grow(p.Accounts())
}
