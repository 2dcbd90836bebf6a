package column_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/query/internal/column"
)

// orders are all orders there are.
func orders() []column.Order {
	var all []column.Order
	for _, by := range []column.Field{column.ByScore, column.ByName, column.ByARR, column.ByAccount} {
		all = append(all, column.Order{By: by}, column.Order{By: by, Desc: true})
	}

	return all
}

// walk reads all pages.
func walk(t *testing.T, table *column.Table, o column.Order, limit int, between func()) []*column.Row {
	t.Helper()

	var (
		all   []*column.Row
		after *column.Position
	)

	for {
		page, more, _ := table.Page(o, after, limit)
		all = append(all, page...)

		if !more {
			return all
		}

		require.Len(t, page, limit)

		p, err := column.ParsePosition(o, column.After(o, page[len(page)-1]).String())
		require.NoError(t, err)

		after = &p

		between()
	}
}

// naive sorts rows the obvious way: those with the value by value, then the others.
func naive(o column.Order, rows map[string]*column.Row) []string {
	type entry struct {
		known  bool
		number int64
		text   string
		id     string
	}

	var all []entry

	for id, r := range rows {
		switch o.By {
		case column.ByScore:
			all = append(all, entry{r.ScoreKnown, r.Score, "", id})
		case column.ByARR:
			all = append(all, entry{r.ARRKnown, r.ARR, "", id})
		case column.ByName:
			all = append(all, entry{r.Name != "", 0, r.Name, id})
		case column.ByAccount:
			all = append(all, entry{true, 0, id, id})
		}
	}

	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(a.id, b.id) })
	slices.SortStableFunc(all, func(a, b entry) int {
		if !a.known || !b.known {
			switch {
			case a.known:
				return -1
			case b.known:
				return 1
			default:
				return 0
			}
		}

		c := cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.text, b.text))
		if o.Desc {
			c = -c
		}

		return c
	})

	ids := make([]string, 0, len(all))
	for _, e := range all {
		ids = append(ids, e.id)
	}

	return ids
}

func ids(rows []*column.Row) []string {
	all := make([]string, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.Account)
	}

	return all
}

// randomRow makes a row with many ties and missing values.
func randomRow(rnd *rand.Rand, account string) *column.Row {
	r := &column.Row{Account: account, Partition: rnd.IntN(4)}
	if rnd.IntN(4) > 0 {
		r.Score, r.ScoreKnown = rnd.Int64N(20), true
	}

	if rnd.IntN(4) > 0 {
		r.ARR, r.ARRKnown = rnd.Int64N(1e15), true
	}

	if rnd.IntN(4) > 0 {
		r.Name = fmt.Sprint("näme ", rnd.IntN(50))
	}

	return r
}

func TestTableAgreesWithANaiveOne(t *testing.T) {
	t.Parallel()

	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()

			var (
				rnd   = rand.New(rand.NewPCG(seed, 0))
				table = new(column.Table)
				want  = map[string]*column.Row{}
			)

			for range 30 {
				for range rnd.IntN(60) {
					r := randomRow(rnd, fmt.Sprint("a", rnd.IntN(200)))
					if old := want[r.Account]; old != nil {
						r.Partition = old.Partition
					}

					want[r.Account] = r
					table.Put(r)
				}

				if rnd.IntN(5) == 0 {
					partition, digit := rnd.IntN(4), fmt.Sprint(rnd.IntN(10))
					keep := func(id string) bool { return !strings.HasSuffix(id, digit) }
					table.Retain(partition, keep)

					for id, r := range want {
						if r.Partition == partition && !keep(id) {
							delete(want, id)
						}
					}
				}

				require.Equal(t, len(want), table.Len())

				o := orders()[rnd.IntN(len(orders()))]
				require.Equal(t, naive(o, want), ids(walk(t, table, o, 1+rnd.IntN(50), func() {})))
			}
		})
	}
}

func TestWalkUnderChange(t *testing.T) {
	t.Parallel()

	// Accounts whose place does not change are seen once each, whatever others do meanwhile.
	for _, o := range orders() {
		t.Run(fmt.Sprint(o), func(t *testing.T) {
			t.Parallel()

			rnd := rand.New(rand.NewPCG(1, 2))
			table := new(column.Table)

			for i := range 500 {
				table.Put(randomRow(rnd, fmt.Sprint("still ", i)), randomRow(rnd, fmt.Sprint("moving ", i)))
			}

			seen := map[string]int{}
			for _, r := range walk(t, table, o, 37, func() {
				for range 100 {
					table.Put(randomRow(rnd, fmt.Sprint("moving ", rnd.IntN(1000))))
				}
			}) {
				seen[r.Account]++
			}

			for i := range 500 {
				require.Equal(t, 1, seen[fmt.Sprint("still ", i)])
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()

	var (
		book column.Book
		wg   sync.WaitGroup
	)

	for g := range uint64(4) {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(g, 0))
			for i := range 300 {
				book.Table("w").Put(randomRow(rnd, fmt.Sprint("a", i)))
				book.Table("w").Retain(int(g), func(string) bool { return rnd.IntN(10) > 0 })

				o := orders()[i%len(orders())]

				page, _, _ := book.Table("w").Page(o, nil, 10)
				if !slices.Equal(ids(page), ids(page)) {
					t.Error("a page changed")
				}
			}
		})
	}

	wg.Wait()

	names := []string{}

	book.Each(func(workspace string, _ *column.Table) { names = append(names, workspace) })
	require.Equal(t, []string{"w"}, names)
}

func TestParseOrder(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]column.Order{
		"":                {By: column.ByScore},
		"score":           {By: column.ByScore},
		" score  desc ":   {By: column.ByScore, Desc: true},
		"name asc":        {By: column.ByName},
		"arr desc":        {By: column.ByARR, Desc: true},
		"account_id desc": {By: column.ByAccount, Desc: true},
	} {
		got, err := column.ParseOrder(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}

	for _, text := range []string{"?", "desc", "score down", "score desc x", "name,score", "Score"} {
		_, err := column.ParseOrder(text)

		var bad *column.OrderError

		require.ErrorAs(t, err, &bad, text)
		require.ErrorContains(t, err, text)
	}
}

func TestParsePosition(t *testing.T) {
	t.Parallel()

	row := &column.Row{
		Account: "a", Name: "n", Score: -5, ScoreKnown: true, ARR: 1 << 60, ARRKnown: true,
	}

	for _, made := range orders() {
		token := column.After(made, row).String()

		for _, read := range orders() {
			_, err := column.ParsePosition(read, token)
			if made == read {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, column.ErrPosition)
			}
		}

		for cut := range token {
			_, err := column.ParsePosition(made, token[:cut])
			if err == nil { // a shorter id is a position too
				require.Positive(t, cut)
			}
		}
	}

	for _, text := range []string{"", "x", "!!", "AQ", "AgBh", "AUE"} {
		_, err := column.ParsePosition(column.Order{}, text)
		require.ErrorIs(t, err, column.ErrPosition, text)
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, o := range orders() {
		f.Add(column.After(o, &column.Row{Account: "a", Name: "n", ScoreKnown: true, Score: 7}).String())
	}

	f.Fuzz(func(t *testing.T, text string) {
		table := new(column.Table)
		table.Put(&column.Row{Account: "b", Score: 3, ScoreKnown: true, Name: "m"})

		for _, o := range orders() {
			if p, err := column.ParsePosition(o, text); err == nil {
				table.Page(o, &p, 10)

				again, err := column.ParsePosition(o, p.String())
				if err != nil || again.String() != p.String() {
					t.Fatal("a position that cannot be written again")
				}
			}
		}
	})
}

// BenchmarkPage reads pages of 100 out of 100,000 accounts, 1,000 of which changed since the last.
func BenchmarkPage(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	table := new(column.Table)

	const accounts = 100_000

	row := func() *column.Row {
		return &column.Row{
			Account: fmt.Sprint("account-", rnd.IntN(accounts)), Score: rnd.Int64N(100e6), ScoreKnown: true,
		}
	}
	for range 3 * accounts {
		table.Put(row())
	}

	for _, changed := range []int{0, 1000, 20_000} {
		b.Run(fmt.Sprint("changed=", changed), func(b *testing.B) {
			after := column.After(column.Order{}, row())

			for b.Loop() {
				b.StopTimer()

				rows := make([]*column.Row, changed)
				for i := range rows {
					rows[i] = row()
				}

				table.Put(rows...)
				b.StartTimer()
				table.Page(column.Order{}, &after, 100)
			}
		})
	}
}
