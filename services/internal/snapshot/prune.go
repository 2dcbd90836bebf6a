package snapshot

import (
	"context"
	"fmt"
)

// Prune keeps the newest good snapshots of a partition, at least one, and removes all that are older than those, good
// or not. As long as there are fewer good ones it removes nothing.
func (a *Archive) Prune(ctx context.Context, partition, keep int) (removed int, err error) {
	if partition < 0 {
		return 0, fmt.Errorf("removing snapshots: there is no partition %d", partition)
	}

	all, err := a.List(ctx, partition)
	if err != nil {
		return 0, err
	}

	good := 0
	for len(all) > 0 && good < max(1, keep) {
		_, err := a.verify(ctx, all[0])

		switch {
		case err == nil:
			good++
		case useless(err):
		default:
			return 0, err
		}

		all = all[1:]
	}

	for _, info := range all {
		if err := a.vault.Delete(ctx, info.Name); err != nil {
			return removed, fmt.Errorf("removing an old snapshot: %w", err)
		}

		a.verdicts.forget(info.Name)
		a.metrics.removed.Add(ctx, 1)

		removed++
	}

	return removed, nil
}

// Sweep removes what is left of uploads that ended with their process, a day and more ago.
func (a *Archive) Sweep(ctx context.Context) (removed int, err error) {
	removed, err = a.vault.Sweep(ctx, a.o.Now().Add(-sweepAfter))
	if err != nil {
		return removed, fmt.Errorf("removing unfinished snapshots: %w", err)
	}

	return removed, nil
}
