package member

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/zeebo/xxh3"
)

// Assign returns the name of the process that should own each stream; empty: nobody is there. It depends on nothing
// but the processes, so all that hear the same decide the same.
//
// Each stream goes to the candidate with the highest hash of (process, stream) that has not got its even share yet.
// So when a process comes or goes few streams move, and nobody gets more than one stream beyond an even share.
func Assign(live []Beat, streams int) []string {
	owners := make([]string, streams)
	able := candidates(live)
	if len(able) == 0 {
		return owners
	}
	share := (streams + len(able) - 1) / len(able)
	got := make(map[string]int, len(able))
	for stream := range owners {
		ranked := slices.Clone(able)
		slices.SortFunc(ranked, func(a, b string) int {
			return cmp.Or(cmp.Compare(rank(b, stream), rank(a, stream)), cmp.Compare(a, b))
		})
		for _, name := range ranked {
			if got[name] < share {
				got[name]++
				owners[stream] = name
				break
			}
		}
	}
	return owners
}

// candidates returns who may own streams: of those that are not leaving and fold by the newest rules, those that are
// settled, or began together with the one that is there for longest.
func candidates(live []Beat) []string {
	newest, longest := uint64(0), time.Duration(0)
	for _, b := range live {
		if !b.Leaving {
			newest = max(newest, b.Rules)
		}
	}
	able := slices.DeleteFunc(slices.Clone(live), func(b Beat) bool { return b.Leaving || b.Rules < newest })
	for _, b := range able {
		longest = max(longest, b.Up)
	}
	var names []string
	for _, b := range able {
		if b.Up >= settled || longest-b.Up < settled {
			names = append(names, b.Name)
		}
	}
	return names
}

func rank(name string, stream int) uint64 {
	b := binary.BigEndian.AppendUint32(nil, uint32(stream)) //nolint:gosec // a handful of streams
	return xxh3.Hash(append(b, name...))
}
