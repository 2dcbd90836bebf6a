package eventlog_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
)

func TestPartition(t *testing.T) {
	t.Parallel()

	layout := eventlog.Layout{ID: "x", Partitions: 16, Streams: 1, Replicas: 1}

	t.Run("never changes for an account", func(t *testing.T) {
		t.Parallel()

		// Kept by hand: a change of any figure sends the events of live accounts to other partitions.
		golden := map[[2]string]int{
			{"default", "acme"}: 0, {"default", "globex"}: 0, {"default", ""}: 14, {"", ""}: 11,
			{"", "default"}: 2, {"staging", "acme"}: 14, {"default", "Ünïcode\x00"}: 11,
		}
		for key, want := range golden {
			require.Equal(t, want, layout.Partition(key[0], key[1]), "%q", key)
		}
	})

	t.Run("tells workspace from account", func(t *testing.T) {
		t.Parallel()

		wide := eventlog.Layout{Partitions: 4096, Streams: 1}
		require.NotEqual(t, wide.Partition("ab", "c"), wide.Partition("a", "bc"))
	})

	t.Run("spreads accounts evenly", func(t *testing.T) {
		t.Parallel()

		counts := make([]int, layout.Partitions)
		for i := range 16_000 {
			counts[layout.Partition("default", fmt.Sprintf("account-%d", i))]++
		}

		for partition, n := range counts {
			require.InDelta(t, 1000, n, 150, "partition %d", partition)
		}
	})

	t.Run("takes ids of any length", func(t *testing.T) {
		t.Parallel()

		long := string(make([]byte, 10_000))
		require.Less(t, layout.Partition(long, long), layout.Partitions)
	})
}

func TestNames(t *testing.T) {
	t.Parallel()

	t.Run("one stream is EVENTS and holds every partition", func(t *testing.T) {
		t.Parallel()

		layout := eventlog.Layout{Partitions: 3, Streams: 1}
		require.Equal(t, "EVENTS", layout.StreamName(0))
		require.Equal(t, []string{"events.0", "events.1", "events.2"}, layout.Subjects(0))
	})

	t.Run("several streams share the partitions evenly", func(t *testing.T) {
		t.Parallel()

		layout := eventlog.Layout{Partitions: 64, Streams: 16}
		seen := map[string]bool{}

		for stream := range layout.Streams {
			require.Equal(t, fmt.Sprintf("EVENTS_%d", stream), layout.StreamName(stream))
			require.Len(t, layout.Subjects(stream), 4)

			for _, subject := range layout.Subjects(stream) {
				require.False(t, seen[subject])
				seen[subject] = true
			}
		}
	})

	t.Run("a subject gives its partition back, and nothing else does", func(t *testing.T) {
		t.Parallel()

		for _, partition := range []int{0, 7, 4095} {
			got, ok := eventlog.PartitionOf(eventlog.Subject(partition))
			require.True(t, ok)
			require.Equal(t, partition, got)
		}

		for _, bad := range []string{"", "events.", "events.x", "events.-1", "events.01", "events.1.2", "alerts.1"} {
			_, ok := eventlog.PartitionOf(bad)
			require.False(t, ok, bad)
		}
	})
}
