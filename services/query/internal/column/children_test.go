package column_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/query/internal/column"
)

func sortedIDs(rows []*column.Row) []string {
	all := ids(rows)
	slices.Sort(all)

	return all
}

func TestChildrenFollowTheRows(t *testing.T) {
	t.Parallel()

	var (
		rnd   = rand.New(rand.NewPCG(1, 9))
		table = new(column.Table)
		want  = map[string]*column.Row{}
		name  = func() string { return fmt.Sprint("a", rnd.IntN(12)) }
	)

	for range 2000 {
		var some []*column.Row

		for range 1 + rnd.IntN(3) { // the same account may be put twice at once
			r := &column.Row{Account: name()}
			if rnd.IntN(3) > 0 {
				r.Parent = name() // it may be itself, or close a circle
			}

			some = append(some, r)
			want[r.Account] = r
		}

		table.Put(some...)

		if rnd.IntN(10) == 0 {
			gone := name()

			table.Retain(0, func(account string) bool { return account != gone })
			delete(want, gone)
		}

		for i := range 12 {
			parent, under := fmt.Sprint("a", i), []string{}

			for account, r := range want {
				if r.Parent == parent && account != parent {
					under = append(under, account)
				}
			}

			slices.Sort(under)
			require.Equal(t, under, sortedIDs(table.Children(parent)))
		}

		all := make([]string, 0, len(want))
		for account := range want {
			all = append(all, account)
		}

		require.ElementsMatch(t, all, ids(slices.Collect(table.All())))
	}

	for _, r := range table.Children("a1") {
		require.Same(t, want[r.Account], r, "the newest row")
	}

	table.Retain(0, func(account string) bool { return strings.HasPrefix(account, "b") })
	require.Empty(t, table.Children("a1"))
	require.Zero(t, table.Len())
}
