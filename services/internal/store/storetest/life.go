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
		_, err := s.Claim(t.Context(), 0, store.Lease{})
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		_, _, err = s.Read(t.Context(), 0)
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		_, err = s.Reset(t.Context(), 0, h.Epoch)
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		err = s.Commit(t.Context(), next(0, h))
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		for name, err := range drafting(t, s, h) {
			require.True(t, store.HasReason(err, store.ReasonClosed), "%s: %v", name, err)
		}
		require.True(t, store.HasReason(s.Check(t.Context()), store.ReasonClosed))
		err = <-w.done
		w.done <- err
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
		err = s.Watch(t.Context(), 1, func(store.Change) error { return nil })
		require.True(t, store.HasReason(err, store.ReasonClosed), err)
	})
}

// drafting makes the calls of leases and drafts.
func drafting(t *testing.T, s store.Store, h store.Head) map[string]error {
	t.Helper()
	_, inspect := s.Inspect(t.Context(), 0)
	_, begin := s.BeginDraft(t.Context(), 0, h.Epoch)
	_, _, read := s.ReadDraft(t.Context(), 0)
	_, publish := s.Publish(t.Context(), 0, h.Epoch, 1)
	return map[string]error{
		"inspect": inspect, "begin": begin, "read": read, "publish": publish,
		"drop":  s.DropDraft(t.Context(), 0, h.Epoch),
		"renew": s.Renew(t.Context(), 0, h.Epoch, lease("one", longTTL)), "release": s.Release(t.Context(), 0, h.Epoch),
	}
}
