package scorecard_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/scorecard"
)

func TestPoints(t *testing.T) {
	t.Parallel()
	falling := scorecard.Curve{{X: 0, Y: 3}, {X: 2, Y: 0}} // in micros, so that rounding shows
	rising := scorecard.Curve{{X: -2, Y: 0}, {X: 0, Y: 3}}
	for _, c := range []struct {
		says        string
		curve       scorecard.Curve
		value, want int64
	}{
		{"flat before the first point", rising, -3, 0},
		{"flat after the last point", rising, 1, 3},
		{"exact at a point", rising, 0, 3},
		{"half rounds up on a rising line", rising, -1, 2},
		{"half rounds up on a falling line", falling, 1, 2},
		{"the least value there is", rising, math.MinInt64, 0},
		{"the greatest value there is", falling, math.MaxInt64, 0},
		{"active_users at half the seats", scorecard.ActiveUsers.Curve(), 50_000_000, 50_000_000},
		{"usage_trend between two bends", scorecard.UsageTrend.Curve(), -10_000_000, 65_000_000},
		{"resolution_hours at a third", scorecard.ResolutionHours.Curve(), 8_000_000, 96_666_667},
		{"no curve at all", nil, 5, 0},
	} {
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.curve.Points(c.value))
		})
	}
}

func TestPointsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const limit = 1_000_000_000_000_000_000
		x := rapid.Int64Range(-limit, limit)
		xs := rapid.SliceOfNDistinct(x, 2, 6, rapid.ID).Draw(t, "xs")
		slices.Sort(xs)
		curve := make(scorecard.Curve, len(xs))
		for i, x := range xs {
			curve[i] = scorecard.Point{X: x, Y: rapid.Int64Range(0, 100_000_000).Draw(t, "y")}
		}
		// Values close to the bends are where mistakes are.
		value := rapid.OneOf(x, rapid.SampledFrom(xs)).Draw(t, "value") + rapid.Int64Range(-2, 2).Draw(t, "off")
		require.Equal(t, exact(curve, value), curve.Points(value))
	})
}

// exact reads a curve with rational numbers.
func exact(c scorecard.Curve, v int64) int64 {
	after := slices.IndexFunc(c, func(p scorecard.Point) bool { return v <= p.X })
	switch after {
	case 0:
		return c[0].Y
	case -1:
		return c[len(c)-1].Y
	}
	a, b := c[after-1], c[after]
	rise := new(big.Rat).Mul(rat(b.Y-a.Y), new(big.Rat).Quo(rat(v-a.X), rat(b.X-a.X)))
	half := new(big.Rat).Add(new(big.Rat).Add(rat(a.Y), rise), big.NewRat(1, 2))
	return new(big.Int).Div(half.Num(), half.Denom()).Int64() // never negative, so half away from zero is up
}

func rat(v int64) *big.Rat { return new(big.Rat).SetInt64(v) }

func BenchmarkPoints(b *testing.B) {
	curve := scorecard.ResolutionHours.Curve()
	b.ReportAllocs()
	value := int64(0)
	for b.Loop() {
		value = (value + 7_777_777) % 400_000_000
		curve.Points(value)
	}
}
