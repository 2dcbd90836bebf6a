package alertlog_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

// BenchmarkAppend appends records of 16 partitions, as after a midnight.
func BenchmarkAppend(b *testing.B) {
	const partitions = 16

	for _, sync := range []bool{false, true} {
		for _, size := range []int{1, 10, 500} {
			b.Run(fmt.Sprintf("sync=%t/records=%d", sync, size), func(b *testing.B) {
				_, js := natstest.Start(b, natsserver.Options{SyncAlways: sync})
				appendAll(b, open(b, js, alertlog.Options{}), partitions, size)
			})
		}
	}
}

func appendAll(b *testing.B, l *alertlog.Log, partitions, size int) {
	b.Helper()

	each := max(1, b.N/partitions)

	var group sync.WaitGroup

	b.ResetTimer()

	for p := range partitions {
		group.Go(func() {
			after := uint64(0)

			for done := 0; done < each; done += size {
				last, err := l.Append(b.Context(), p, after, records(fmt.Sprintf("p%d_%d_", p, done), min(size, each-done)))
				if err != nil {
					b.Error(err)

					return
				}

				after = last
			}
		})
	}

	group.Wait()
	b.ReportMetric(float64(each*partitions)/b.Elapsed().Seconds(), "records/s")

	last, err := l.Last(b.Context())
	require.NoError(b, err)
	require.EqualValues(b, each*partitions, last)
}
