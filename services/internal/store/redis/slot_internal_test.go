package redis

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCRC16(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint16(0x31C3), crc16(0, []byte("123456789")), "the check value in the Redis Cluster specification")
	require.Equal(t, crc16(0, []byte("123456789")), crc16(crc16(0, []byte("1234")), []byte("56789")))
}

func TestTags(t *testing.T) {
	t.Parallel()
	t.Run("a tag has its partition's slot, and no two partitions share one", func(t *testing.T) {
		t.Parallel()
		seen := map[string]bool{}
		for p := range 300 {
			tag := tagOf(p)
			require.Equal(t, slotOf(p), crc16(0, []byte(tag))%slots)
			require.Equal(t, tag, tagOf(p))
			require.False(t, seen[tag])
			seen[tag] = true
		}
		require.NotEqual(t, tagOf(0), tagOf(slots), "more partitions than slots share slots, not tags")
	})
	t.Run("tags stay what they are, stored keys depend on them", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"0.3nl", "1.2ky", "2.eo5", "63.bhk"}, []string{tagOf(0), tagOf(1), tagOf(2), tagOf(63)})
	})
	for _, partitions := range []int{1, 2, 3, 5, 12, 16, 48, 64, 100, 256} {
		t.Run("slots are spread evenly over nodes that share the range", func(t *testing.T) {
			t.Parallel()
			for nodes := 1; nodes <= min(16, partitions); nodes++ {
				least, most := spread(partitions, nodes)
				require.LessOrEqual(t, most-least, 3, "%d partitions over %d nodes", partitions, nodes)
			}
		})
	}
	t.Run("a power of two is spread exactly", func(t *testing.T) {
		t.Parallel()
		var all []int
		for p := range 64 {
			all = append(all, int(slotOf(p)))
		}
		slices.Sort(all)
		for i, s := range all {
			require.Equal(t, i*slots/64, s)
		}
	})
}

// spread returns how many partitions the least and the most loaded of equal nodes hold.
func spread(partitions, nodes int) (least, most int) {
	count := make([]int, nodes)
	for p := range partitions {
		count[int(slotOf(p))*nodes/slots]++
	}
	return slices.Min(count), slices.Max(count)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	k := newKeys("x:")
	require.Same(t, k.of(3), k.of(3))
	n := k.of(3)
	tag := "x:{" + tagOf(3) + "}"
	require.Equal(t, names{head: tag + "!head", changes: tag + "!changes", value: tag + ":"}, *n)
	var a arena
	a.grow(4, 3)
	a.add("p", "")
	a.add("p", "key")
	a.add("", "")
	require.Equal(t, []string{"p", "pkey", ""}, a.strings())
}
