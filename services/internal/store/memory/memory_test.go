package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/store/storetest"
)

func open(t *testing.T, o memory.Options) *memory.Store {
	t.Helper()
	s, err := memory.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("without files", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T) store.Store {
			t.Helper()
			return open(t, memory.Options{})
		})
	})
	t.Run("with snapshots all the time", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, func(t *testing.T) store.Store {
			t.Helper()
			return open(t, memory.Options{Dir: t.TempDir(), Interval: 1})
		})
	})
}
