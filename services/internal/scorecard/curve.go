package scorecard

import "hale.dev/services/internal/fixed"

// Points returns the points of a value; both in micros. The result is exact, rounded once, half away from
// zero. An empty curve gives 0.
func (c Curve) Points(v int64) int64 {
	if len(c) == 0 {
		return 0
	}
	if v <= c[0].X {
		return c[0].Y
	}
	for i := 1; i < len(c); i++ {
		if v <= c[i].X {
			return between(c[i-1], c[i], v)
		}
	}
	return c[len(c)-1].Y
}

// between reads the line from a to b at v, a.X < v <= b.X. It goes up from the lower end, so that what is
// rounded has the sign of the result: rounding a negative rise would round half down.
func between(a, b Point, v int64) int64 {
	run := b.X - a.X
	if a.Y <= b.Y {
		return a.Y + fixed.MulDiv(b.Y-a.Y, v-a.X, run)
	}
	return b.Y + fixed.MulDiv(a.Y-b.Y, b.X-v, run)
}
