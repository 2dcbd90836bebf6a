package catalog_test

import (
	"fmt"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/catalog"
)

const partitions = 3

// account is what one account uses: the last day by feature.
type account map[string]health.Day

func (a account) each(f func(name string, last health.Day)) {
	for name, day := range a {
		f(name, day)
	}
}

// naive is what Since says, worked out by looking at all accounts.
func naive(accounts []account, day health.Day) []catalog.Use {
	last := account{}
	for _, a := range accounts {
		for name, d := range a {
			if old, ok := last[name]; !ok || d > old {
				last[name] = d
			}
		}
	}

	var all []catalog.Use

	for name, d := range last {
		if d >= day {
			all = append(all, catalog.Use{Name: name, Last: d})
		}
	}

	sort.Slice(all, func(i, j int) bool {
		return all[i].Last > all[j].Last || all[i].Last == all[j].Last && all[i].Name < all[j].Name
	})

	return all[:min(len(all), catalog.Most)]
}

// drawAccount is an account that uses a run of features around a day. Some use very many.
func drawAccount(t *rapid.T, names []string) account {
	a := account{}
	first := rapid.IntRange(0, 3000).Draw(t, "first")
	last := health.Day(rapid.IntRange(0, 30).Draw(t, "last"))

	for i := range rapid.SampledFrom([]int{0, 1, 5, 40, 40, 40, 1500, 2500}).Draw(t, "features") {
		a[names[first+i]] = last + health.Day(i%7)
	}

	return a
}

func TestSinceIsWhatALookAtAllAccountsFinds(t *testing.T) {
	t.Parallel()

	names := make([]string, 5500)
	for i := range names {
		names[i] = fmt.Sprint("feature-", i)
	}

	rapid.Check(t, func(t *rapid.T) {
		var (
			book, filled = catalog.New(partitions), catalog.New(partitions)
			accounts     []account
		)

		for n := range rapid.IntRange(0, 8).Draw(t, "accounts") {
			a := drawAccount(t, names)
			accounts = append(accounts, a)

			// Changes come one by one, each with all that the account uses by then.
			early := account{}

			for name, day := range a {
				early[name] = day - health.Day(n%3)
			}

			book.Add(n%partitions, "w", early.each)
			book.Add(n%partitions, "w", a.each)
			book.Add(n%partitions, "other", account{"theirs": 99}.each)

			if rapid.Bool().Draw(t, "asked meanwhile") {
				same(t, naive(accounts, 10), book.Since("w", 10))
			}
		}

		day := health.Day(rapid.IntRange(0, 40).Draw(t, "day"))
		same(t, naive(accounts, day), book.Since("w", day))

		// Another process reads them in another order.
		for p := range partitions {
			filled.Begin(p)
		}

		for n := range slices.Backward(accounts) {
			filled.Add(n%partitions, "w", accounts[n].each)
		}

		for p := range partitions {
			filled.Filled(p)
		}

		same(t, naive(accounts, day), filled.Since("w", day))
	})
}

func same(t *rapid.T, want, got []catalog.Use) {
	require.True(t, slices.Equal(want, got), "want %v\ngot %v", want, got)
}

func TestAFill(t *testing.T) {
	t.Parallel()

	book := catalog.New(2)
	old, other, fresh := account{"old": 1, "kept": 1}, account{"other": 1}, account{"kept": 2}

	book.Add(0, "w", old.each)
	book.Add(1, "w", other.each)

	names := func() []string {
		var all []string
		for _, u := range book.Since("w", 0) {
			all = append(all, u.Name)
		}

		return all
	}

	book.Begin(0)
	book.Add(0, "w", fresh.each)
	require.Equal(t, []string{"kept", "old", "other"}, names(), "what was known stands until the fill is done")
	require.Equal(t, health.Day(1), book.Since("w", 0)[0].Last)

	book.Begin(0) // it broke, and begins again
	book.Add(0, "w", fresh.each)
	book.Filled(0)
	require.Equal(t, []string{"kept", "other"}, names(), "what nobody uses any more is forgotten, in its partition")
	require.Equal(t, health.Day(2), book.Since("w", 0)[0].Last)

	book.Add(0, "w", account{"new": 3}.each)
	require.Equal(t, []string{"new", "kept", "other"}, names())
	require.Len(t, book.Since("w", 3), 1, "days pass")
	require.Empty(t, book.Since("w", 4))
	require.Empty(t, book.Since("nobody", 0))

	for p := range 2 {
		book.Begin(p)
		book.Filled(p)
	}

	require.Empty(t, names(), "there are no accounts any more")
}
