package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

func (u *suite) testLife(t *testing.T) {
	t.Parallel()
	t.Run("a sound store passes its check", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, u.open(t).Check(t.Context()))
	})
	t.Run("a closed store refuses every call and ends its watches", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		w := watch(t, s, 1)
		w.lost(t, 1)
		h := claim(t, s, 0)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "closing twice is harmless")
		_, err := s.Claim(t.Context(), 0)
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		_, _, err = s.Read(t.Context(), 0)
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		_, err = s.Reset(t.Context(), 0, h.Epoch)
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		err = s.Commit(t.Context(), next(0, h))
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		require.True(t, store.HasReason(s.Check(t.Context()), store.ReasonClosed))
		err = <-w.done
		w.done <- err
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		err = s.Watch(t.Context(), 1, func(store.Change) error { return nil })
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
	})
}
