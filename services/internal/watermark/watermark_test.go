package watermark_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/watermark"
)

func TestBook(t *testing.T) {
	t.Parallel()
	t.Run("what was noted last is there, for each stream", func(t *testing.T) {
		t.Parallel()
		js := natstest.JetStream(t)
		book, err := watermark.Open(t.Context(), js, 1)
		require.NoError(t, err)
		none, err := book.Get(t.Context(), 3)
		require.NoError(t, err)
		require.Empty(t, none)
		require.NoError(t, book.Put(t.Context(), 3, []byte("first")))
		require.NoError(t, book.Put(t.Context(), 3, []byte("second")))
		require.NoError(t, book.Put(t.Context(), 4, []byte("other")))
		again, err := watermark.Open(t.Context(), js, 1)
		require.NoError(t, err)
		got, err := again.Get(t.Context(), 3)
		require.NoError(t, err)
		require.Equal(t, "second", string(got))
	})
	t.Run("several processes may make the bucket at once", func(t *testing.T) {
		t.Parallel()
		js := natstest.JetStream(t)
		var all sync.WaitGroup
		errs := make(chan error, 8)
		for range cap(errs) {
			all.Go(func() {
				_, err := watermark.Open(t.Context(), js, 1)
				errs <- err
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
	})
}
