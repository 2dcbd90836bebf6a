package eventlog_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
)

// What Spread would do is decided without a cluster.
func TestSpreadPlan(t *testing.T) {
	t.Parallel()

	const servers = "abc"

	for name, tc := range map[string]struct {
		leaders string // of each stream; -: none
		moves   int
	}{
		"nothing to do":                        {"abcab", 0},
		"all on one":                           {"aaaaaaaa", 5},
		"one has none":                         {"aaaabbbb", 2},
		"a difference of one is left":          {"aabbc", 0},
		"streams without a leader do not move": {"aaa---", 2},
		"nobody leads":                         {"---", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			leads := map[string]int{"a": 0, "b": 0, "c": 0}
			moves := eventlog.PlanSpread(tc.leaders, servers)

			for _, leader := range tc.leaders {
				if leader != '-' {
					leads[string(leader)]++
				}
			}

			for stream, to := range moves {
				i, err := strconv.Atoi(stream)
				require.NoError(t, err)

				leads[string(tc.leaders[i])]--
				leads[to]++
			}

			require.Len(t, moves, tc.moves)

			if tc.leaders != "---" {
				require.LessOrEqual(t, max(leads["a"], leads["b"], leads["c"])-min(leads["a"], leads["b"], leads["c"]), 1, "%v", leads)
			}
		})
	}
}
