package column_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// parsed is an order.
func parsed(t testing.TB, text string) column.Order {
	t.Helper()

	o, err := column.ParseOrder(text)
	require.NoError(t, err, text)

	return o
}

// filter is a filter.
func filter(t testing.TB, text string) *column.Filter {
	t.Helper()

	f, err := column.ParseFilter(text, nil)
	require.NoError(t, err, text)

	return f
}

// walk reads all pages.
func walk(t testing.TB, table *column.Table, q column.Query, between func()) []*column.Row {
	t.Helper()

	var all []*column.Row

	for {
		found := table.Find(q)
		all = append(all, found.Rows...)

		if !found.More {
			return all
		}

		require.Len(t, found.Rows, q.Limit)

		p, err := column.ParsePosition(q.Filter, q.Order, column.After(q.Filter, q.Order, found.Rows[q.Limit-1]).String())
		require.NoError(t, err)

		q.After = &p

		between()
	}
}

func ids(rows []*column.Row) []string {
	all := make([]string, 0, len(rows))
	for _, r := range rows {
		all = append(all, r.Account)
	}

	return all
}

// maybe is a number of few, or none.
func maybe(rnd *rand.Rand, n int64) column.Number {
	if rnd.IntN(4) == 0 {
		return column.None
	}

	return column.Number(rnd.Int64N(n)-n/3) * 1e6
}

// pick is one of some, or none.
func pick(rnd *rand.Rand, some ...string) string { return append(some, "")[rnd.IntN(len(some)+1)] }

// randomRow makes a row with many ties and missing values.
func randomRow(rnd *rand.Rand, account string) *column.Row {
	r := blank(account)
	r.Partition, r.Day = rnd.IntN(4), health.Day(20_000+rnd.IntN(2))
	r.Band, r.Stage = healthv1.Band(rnd.IntN(6)), healthv1.Stage(rnd.IntN(6))
	r.Owner, r.Segment = pick(rnd, "kim", "sam", "Kim", "kimberly"), pick(rnd, "smb", "enterprise", "äb")
	r.Overridden, r.Seats = rnd.IntN(2) == 0, rnd.Int64N(4)
	r.Change7, r.Dimensions[1], r.Measures[scorecard.NPS] = maybe(rnd, 20), maybe(rnd, 9), maybe(rnd, 9)

	if rnd.IntN(4) > 0 {
		r.Score, r.ScoreKnown = rnd.Int64N(20)*1e6, true
	}

	if rnd.IntN(4) > 0 {
		r.ARR, r.ARRKnown = rnd.Int64N(1e15), true
	}

	if rnd.IntN(4) > 0 {
		r.Name = fmt.Sprint("näme ", rnd.IntN(50))
	}

	if rnd.IntN(4) > 0 {
		r.Renewal = r.Day + health.Day(rnd.IntN(500)-50)
	}

	switch rnd.IntN(4) {
	case 0:
		r.Traits = []health.Trait{{Name: "x", Trait: scorecard.Trait{Kind: scorecard.TraitText, Text: pick(rnd, "a", "5", "b")}}}
	case 1:
		r.Traits = []health.Trait{{Name: "x", Trait: scorecard.Trait{Kind: scorecard.TraitNumber, Micros: rnd.Int64N(9) * 1e6}}}
	case 2:
		r.Traits = []health.Trait{{Name: "x", Trait: scorecard.Trait{Kind: scorecard.TraitFlag, Flag: rnd.IntN(2) == 0}}}
	}

	return r
}
