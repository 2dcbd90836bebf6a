package process

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
)

func TestLateStore(t *testing.T) {
	t.Parallel()

	down, opened := errors.New("down"), 0
	failing := true
	l := &lateStore{open: func(context.Context) (store.Store, error) {
		if failing {
			return nil, down
		}

		opened++

		return memory.Open(memory.Options{})
	}}
	require.NoError(t, l.Close(), "it was never opened")

	_, _, err := l.Read(t.Context(), 0, "a")
	require.ErrorIs(t, err, down)

	failing = false

	for range 2 {
		_, values, err := l.Read(t.Context(), 0, "a")
		require.NoError(t, err)
		require.Len(t, values, 1)
	}

	require.Equal(t, 1, opened)
	require.NoError(t, l.Close())
}
