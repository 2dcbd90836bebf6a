package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// testRevisions looks at the revision of changes; the other tests of watching leave it out.
func (u *suite) testRevisions(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := apply(t, s, next(0, claim(t, s, 0)))
	w := watch(t, s, 1)
	w.exact = true
	require.Equal(t, h.Revision, w.lost(t, 1)[0].Revision)
	for range 3 {
		c := next(0, h)
		c.Cursor, c.Changed = h.Cursor, []string{"account"}
		h = apply(t, s, c)
		got := w.next(t)
		require.Equal(t, h.Cursor, got.Cursor)
		require.Equal(t, h.Revision, got.Revision, "commits that leave the cursor where it is are told apart")
	}
	fresh, err := s.Reset(t.Context(), 0, h.Epoch)
	require.NoError(t, err)
	require.Equal(t, fresh.Revision, w.next(t).Revision)
}
