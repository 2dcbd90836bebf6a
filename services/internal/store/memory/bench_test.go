package memory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	for name, interval := range map[string]time.Duration{"no snapshots": time.Hour, "snapshots all the time": time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			storetest.Bench(b, func(b *testing.B) store.Store {
				b.Helper()
				s, err := memory.Open(memory.Options{Dir: b.TempDir(), Interval: interval})
				require.NoError(b, err)
				b.Cleanup(func() { require.NoError(b, s.Close()) })
				return s
			})
		})
	}
}
