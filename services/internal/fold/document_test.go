package fold_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// document is a shipped document that can be told apart from others.
func document(n int) []byte { return fmt.Appendf(scorecard.ShippedDocument(), "\n# %d\n", n) }

func TestDocuments(t *testing.T) {
	t.Parallel()
	key := func(version uint64) string { return store.ScorecardsVersionKey("w", version) }
	t.Run("that were in force stay, and copies of the partition have them", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, scorecards(4, document(4)))
		r.commit()
		r.reopen()
		r.send(start.Add(time.Hour), scorecards(7, document(7)))
		r.commit()
		require.Equal(t, document(4), r.values[key(4)])
		require.Equal(t, document(7), r.values[key(7)])
		require.Equal(t, document(7), r.values[store.ScorecardsKey("w")])
		require.Contains(t, r.p.CopyKeys(), key(4))
		require.Contains(t, r.p.CopyKeys(), key(7))
	})
	t.Run("go when nothing is left that they made", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		for i, day := range []int{0, 100, 400, 402, 900} {
			r.send(start.AddDate(0, 0, day), scorecards(uint64(i+1), document(i)))
			r.sweep(1 << 20)
			r.commit()
		}
		require.NotContains(t, r.values, key(1))
		require.NotContains(t, r.values, key(3), "in force until day 402")
		require.Contains(t, r.values, key(4), "in force until day 900")
		require.Contains(t, r.values, key(5))
		require.NotContains(t, r.p.CopyKeys(), key(1))
	})
	t.Run("are not more than 64", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		for i := range 70 {
			r.send(start, scorecards(uint64(i+1), document(i)))
		}
		r.commit()
		require.Len(t, r.p.Sets[0].Kept, 64)
		require.NotContains(t, r.values, key(6))
		require.Contains(t, r.values, key(7))
	})
	t.Run("put in force by an older version of Hale are taken over", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, scorecards(4, document(4)))
		r.commit()
		delete(r.values, key(4))
		old := fold.State{LogTime: r.p.LogTime, Rules: 1, Sets: []fold.SetVersion{{Workspace: "w", Version: 4}}}
		r.head.State = old.Encode()
		r.reopen()
		r.send(start.Add(time.Hour), scorecards(5, document(5)))
		r.commit()
		require.Equal(t, document(4), r.values[key(4)])
		require.Equal(t, document(5), r.values[key(5)])
	})
}
