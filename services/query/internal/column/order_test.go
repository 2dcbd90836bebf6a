package column_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/query/internal/column"
)

func TestParseOrder(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"": "score", " ": "score", "score": "score", " score  desc ": "score desc", "name asc": "name",
		"arr desc , account_id": "arr desc,account_id", "dimensions.adoption": "adoption", "measures.nps desc": "nps desc",
		"worklist": "worklist", "band,stage,owner,plan,seats": "band,stage,owner,plan,seats",
	} {
		require.Equal(t, want, parsed(t, text).String(), text)
	}

	for text, code := range map[string]string{
		"?": column.CodeOrderField, "desc": column.CodeOrderField, "score down": column.CodeOrderSyntax,
		"score desc x": column.CodeOrderSyntax, "name,,score": column.CodeOrderSyntax, "name,": column.CodeOrderSyntax,
		"Score": column.CodeOrderField, "traits.x": column.CodeOrderField, "name,name desc": column.CodeOrderLong,
		"nps,measures.nps": column.CodeOrderLong, "band,stage,owner,plan,seats,name": column.CodeOrderLong,
	} {
		_, err := column.ParseOrder(text)

		var bad *column.OrderError

		require.ErrorAs(t, err, &bad, text)
		require.Equal(t, code, bad.Code, text)
		require.NotEmpty(t, err.Error())
	}
}

func TestWorklist(t *testing.T) {
	t.Parallel()

	r := acme(t) // 50,000 at score 35.5, renews in 30 days
	require.Equal(t, column.Number(32_250_000_000), r.ARRAtRisk())
	require.Equal(t, column.Number(29_606_557_377), r.Worklist()) // 32,250 * 336 / 366

	for name, c := range map[string]struct {
		change func(*column.Row)
		want   column.Number
	}{
		"a renewal today counts in full":          {func(r *column.Row) { r.Renewal = r.Day }, 32_250_000_000},
		"one that is past does too":               {func(r *column.Row) { r.Renewal = r.Day - 9 }, 32_250_000_000},
		"one a year away counts one part":         {func(r *column.Row) { r.Renewal = r.Day + 365 }, 88_114_754},
		"one further away does too":               {func(r *column.Row) { r.Renewal = r.Day + 4000 }, 88_114_754},
		"so does an account without one":          {func(r *column.Row) { r.Renewal = column.NoDay }, 88_114_754},
		"without revenue there is nothing":        {func(r *column.Row) { r.ARRKnown = false }, column.None},
		"without a score there is nothing either": {func(r *column.Row) { r.ScoreKnown = false }, column.None},
	} {
		r := acme(t)
		c.change(r)
		require.Equal(t, c.want, r.Worklist(), name)
	}
}

func TestParsePosition(t *testing.T) {
	t.Parallel()

	var (
		row     = acme(t)
		filters = []*column.Filter{nil, filter(t, "score > 5"), filter(t, "score > 6")}
	)

	for i, made := range filters {
		for _, madeOrder := range orders() {
			token := column.After(made, parsed(t, madeOrder), row).String()

			for j, read := range filters {
				for _, readOrder := range orders() {
					_, err := column.ParsePosition(read, parsed(t, readOrder), token)
					if i == j && madeOrder == readOrder {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, column.ErrPosition)
					}
				}
			}

			for cut := range token {
				_, err := column.ParsePosition(made, parsed(t, madeOrder), token[:cut])
				if err == nil { // a shorter id is a position too
					require.Greater(t, cut, 12)
				}
			}
		}
	}

	for _, text := range []string{"", "x", "!!", "AQ", "AgBh", "AUE"} {
		_, err := column.ParsePosition(nil, parsed(t, ""), text)
		require.ErrorIs(t, err, column.ErrPosition, text)
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, o := range orders() {
		f.Add(column.After(nil, parsed(f, o), acme(f)).String())
	}

	f.Fuzz(func(t *testing.T, text string) {
		table := new(column.Table)
		table.Put(acme(t), blank("b"))

		for _, order := range orders() {
			o := parsed(t, order)

			p, err := column.ParsePosition(nil, o, text)
			if err != nil {
				continue
			}

			table.Find(column.Query{Order: o, After: &p, Limit: 10})

			again, err := column.ParsePosition(nil, o, p.String())
			if err != nil || again.String() != p.String() {
				t.Fatal("a position that cannot be written again")
			}
		}
	})
}
