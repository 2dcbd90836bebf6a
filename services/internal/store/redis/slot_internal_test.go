package redis

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
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
	for _, partitions := range []int{16, 64, 4096} {
		t.Run(fmt.Sprintf("%d partitions are spread evenly over three masters and over the slots", partitions), func(t *testing.T) {
			t.Parallel()
			masters, seen := [3]int{}, map[int]bool{}
			for p := range partitions {
				slot := int(crc16(0, []byte(tagOf(p))) % slots)
				seen[slot*partitions/slots] = true
				masters[slot*3/slots]++
			}
			require.Len(t, seen, partitions, "of as many equal parts of the slots, each has one")
			require.LessOrEqual(t, slices.Max(masters[:])-slices.Min(masters[:]), 1, "%v", masters)
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
	n, again := k.of(3), k.of(3)
	require.Same(t, n, again)
	tag := "x:{" + tagOf(3) + "}"
	require.Equal(t, []string{tag + "!head", tag + "!changes", tag + "!stale"}, []string{n.head, n.changes, n.stale})
	require.Equal(t, []string{tag + "!lease", tag + "!draft", tag + "!last", tag + "!renewed", tag + "!absent"},
		[]string{n.lease, n.draft, n.last, n.renewed, n.absent})
	require.Equal(t, tag+"0:", n.space.Load().value)
	require.Equal(t, tag+"7:", n.at(7).value)
	require.Equal(t, uint64(0), n.space.Load().generation, "asking is not seeing")
	require.Equal(t, tag+"18446744073709551615:", n.see(1<<64-1).value)
	require.Equal(t, uint64(1<<64-1), n.space.Load().generation)
	drafted := n.seeDraft(8)
	require.Same(t, drafted, n.at(8), "the draft's generation is remembered beside the live one")
	require.Same(t, n.space.Load(), n.at(1<<64-1))
	var a arena
	a.grow(4, 3)
	a.add("p", "")
	a.add("p", "key")
	a.add("", "")
	require.Equal(t, []string{"p", "pkey", ""}, a.strings())
}

func TestGenerationOf(t *testing.T) {
	t.Parallel()
	n := newKeys("x:").of(3)
	t.Run("the generation of every value is found", rapid.MakeCheck(func(rt *rapid.T) {
		generation, key := rapid.Uint64().Draw(rt, "generation"), rapid.String().Draw(rt, "key")
		got, ok := n.generationOf(n.at(generation).value + key)
		require.True(rt, ok)
		require.Equal(rt, generation, got)
	}))
	t.Run("other keys have none", func(t *testing.T) {
		t.Parallel()
		for _, k := range []string{"", n.head, n.changes, n.stale, n.lease, n.draft, n.last, n.renewed, n.tag, n.tag + "7", n.tag + ":", n.tag + "-1:", newKeys("x:").of(4).at(1).value} {
			_, ok := n.generationOf(k)
			require.False(t, ok, "%q", k)
		}
	})
}
