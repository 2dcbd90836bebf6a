package portfolio_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/portfolio"
)

func TestChildren(t *testing.T) {
	t.Parallel()

	child := func(id string, score, arr int64, currency string) *column.Row {
		return &column.Row{
			Account: id, Score: score * fixed.One, ScoreKnown: score >= 0,
			ARR: arr * fixed.One, ARRKnown: arr >= 0, Currency: currency,
		}
	}
	churned := child("gone", 1, 1000, "EUR")
	churned.Stage = healthv1.Stage_STAGE_CHURNED

	t.Run("there are none", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, portfolio.Children(nil))
		require.Nil(t, portfolio.Children([]*column.Row{churned}))
	})

	t.Run("the mean is weighted by arr", func(t *testing.T) {
		t.Parallel()

		got := portfolio.Children([]*column.Row{
			child("a", 90, 100, "EUR"), child("b", 30, 200, "EUR"), child("c", 40, -1, ""), child("d", -1, 700, "USD"), churned,
		})
		require.EqualValues(t, 4, got.GetAccounts())
		require.EqualValues(t, 3, got.GetScored())
		require.InDelta(t, 50, got.GetScore(), 0) // (90 * 100 + 30 * 200) / 300
		require.Equal(t, map[string]float64{"EUR": 300, "USD": 700}, got.GetArr())
		require.Equal(t, "b", got.GetWorstAccountId())
		require.InDelta(t, 30, got.GetWorstScore(), 0)
	})

	t.Run("without any arr each counts the same", func(t *testing.T) {
		t.Parallel()

		got := portfolio.Children([]*column.Row{child("b", 10, 0, "EUR"), child("a", 10, -1, ""), child("c", 21, -1, "")})
		require.InDelta(t, 13.666667, got.GetScore(), 0)
		require.Equal(t, "a", got.GetWorstAccountId(), "of equals the first")
	})

	t.Run("without a score there is no mean", func(t *testing.T) {
		t.Parallel()

		got := portfolio.Children([]*column.Row{child("b", -1, 5, "EUR")})
		require.Nil(t, got.Score)
		require.Nil(t, got.WorstScore)
		require.Empty(t, got.GetWorstAccountId())
	})
}

func TestChildrenAgreeWithRationals(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		var (
			rows        []*column.Row
			sum, weight = new(big.Rat), new(big.Rat)
		)

		for i := range rapid.IntRange(1, 50).Draw(t, "children") {
			r := &column.Row{Account: fmt.Sprint(i), ScoreKnown: true, ARRKnown: true}
			r.Score = rapid.Int64Range(0, 100*fixed.One).Draw(t, "score")
			r.ARR = rapid.Int64Range(1, fixed.Max).Draw(t, "arr")
			rows = append(rows, r)

			w := units(r.ARR)
			weight.Add(weight, w)
			sum.Add(sum, new(big.Rat).Mul(w, units(r.Score)))
		}

		got := portfolio.Children(rows)
		require.InDelta(t, double(rounded(sum.Quo(sum, weight))), got.GetScore(), 0)
		require.InDelta(t, double(weight), got.GetArr()[""], 0)
	})
}
