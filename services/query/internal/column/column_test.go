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

	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// orders are some orders of all kinds.
func orders() []string {
	return []string{
		"score", "score desc", "name", "name desc", "arr", "arr desc", "account_id", "account_id desc",
		"band,owner desc,score", "worklist", "worklist desc", "renewal_days,segment", "overridden desc,nps",
	}
}

// fact is what a row has for a field, read apart from the code under test.
func fact(r *column.Row, field string) (known bool, number int64, text string) {
	switch field {
	case "score":
		return r.ScoreKnown, r.Score, ""
	case "arr":
		return r.ARRKnown, r.ARR, ""
	case "name":
		return r.Name != "", 0, r.Name
	case "owner":
		return r.Owner != "", 0, r.Owner
	case "segment":
		return r.Segment != "", 0, r.Segment
	case "account_id":
		return true, 0, r.Account
	case "band":
		return r.Band > 1, int64(r.Band), ""
	case "nps":
		return r.Measures[11] != column.None, int64(r.Measures[11]), ""
	case "overridden":
		return true, map[bool]int64{true: 1}[r.Overridden], ""
	case "renewal_days":
		return r.Renewal != column.NoDay, int64(r.Renewal - r.Day), ""
	case "worklist":
		if !r.ARRKnown || !r.ScoreKnown {
			return false, 0, ""
		}

		away := health.Day(365)
		if r.Renewal != column.NoDay {
			away = max(0, min(365, r.Renewal-r.Day))
		}

		atRisk := (float64(r.ARR) * (100e6 - float64(r.Score)) / 100e6)

		return true, -int64(atRisk*float64(366-away)/366 + 0.5), ""
	}

	panic(field)
}

// naive sorts rows the obvious way: those with the value by value, then the others.
func naive(order string, rows []*column.Row) []string {
	all, parts := slices.Clone(rows), strings.Split(order, ",")
	slices.SortFunc(all, func(a, b *column.Row) int {
		for _, part := range parts {
			field, desc := strings.CutSuffix(part, " desc")
			ka, na, ta := fact(a, field)
			kb, nb, tb := fact(b, field)

			switch {
			case ka && !kb:
				return -1
			case kb && !ka:
				return 1
			case !ka:
				continue
			}

			if c := cmp.Or(cmp.Compare(na, nb), strings.Compare(ta, tb)); c != 0 {
				if desc {
					return -c
				}

				return c
			}
		}

		return strings.Compare(a.Account, b.Account)
	})

	return ids(all)
}

// values are the rows of a map.
func values(rows map[string]*column.Row) []*column.Row {
	all := make([]*column.Row, 0, len(rows))
	for _, r := range rows {
		all = append(all, r)
	}

	return all
}

func TestTableAgreesWithANaiveOne(t *testing.T) {
	t.Parallel()

	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()

			var (
				rnd   = rand.New(rand.NewPCG(seed, 0))
				table = new(column.Table)
				want  = map[string]*column.Row{}
			)

			for round := range 30 {
				for range rnd.IntN([]int{10, 100, 2000}[round%3]) {
					r := randomRow(rnd, fmt.Sprint("a", rnd.IntN(3000)))
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
				require.Equal(t, naive("account_id", values(want)), naive("account_id", slices.Collect(table.All())))

				order := orders()[rnd.IntN(len(orders()))]
				q := column.Query{Order: parsed(t, order), Limit: 20 + rnd.IntN(500)}
				require.Equal(t, naive(order, values(want)), ids(walk(t, table, q, func() {})), order)
			}
		})
	}
}

// moving are rows of accounts that change.
func moving(rnd *rand.Rand, n int) []*column.Row {
	rows := make([]*column.Row, n)
	for i := range rows {
		rows[i] = randomRow(rnd, fmt.Sprint("moving ", rnd.IntN(1000)))
	}

	return rows
}

func TestWalkUnderChange(t *testing.T) {
	t.Parallel()

	// Accounts whose place does not change are seen once each, whatever others do meanwhile.
	for _, order := range orders() {
		for _, text := range []string{"", "score > 5", "owner = kim OR owner = sam", "nps:* AND NOT traits.x = a"} {
			t.Run(order+" "+text, func(t *testing.T) {
				t.Parallel()

				var (
					rnd     = rand.New(rand.NewPCG(1, 2))
					table   = new(column.Table)
					f       = filter(t, text)
					seen    = map[string]int{}
					still   = map[string]int{}
					stopped = make(chan struct{})
					writer  sync.WaitGroup
				)

				for i := range 500 {
					r := randomRow(rnd, fmt.Sprint("still ", i))
					table.Put(r, randomRow(rnd, fmt.Sprint("moving ", i)))

					if f.Match(r) {
						still[r.Account] = 1
					}
				}

				writer.Go(func() {
					rnd := rand.New(rand.NewPCG(3, 4))

					for range 300 {
						select {
						case <-stopped:
							return
						default:
							table.Put(moving(rnd, 20)...)
						}
					}
				})

				q := column.Query{Filter: f, Order: parsed(t, order), Limit: 37}
				for _, r := range walk(t, table, q, func() { table.Put(moving(rnd, 100)...) }) {
					if strings.HasPrefix(r.Account, "still") {
						seen[r.Account]++
					}
				}

				close(stopped)
				writer.Wait()
				require.Equal(t, still, seen)
			})
		}
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

				q := column.Query{Order: parsed(t, orders()[i%len(orders())]), Limit: 10}

				page := book.Table("w").Find(q).Rows
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

func TestATableTellsOfItsChanges(t *testing.T) {
	t.Parallel()

	var (
		table column.Table
		heard []column.Change
	)

	table.Hear(func(c []column.Change) { heard = append(heard, c...) })

	a, b, other := blank("a"), blank("b"), blank("a")
	table.Put(a, b)
	table.Put(other)
	table.Retain(0, func(account string) bool { return account == "a" })

	require.Equal(t, []column.Change{{New: a}, {New: b}, {Old: a, New: other}, {Old: b}}, heard)
	require.Same(t, other, table.Get("a"))
	require.Nil(t, table.Get("b"))
}
