package scorecard

import (
	"hale.dev/services/internal/fixed"

	"hale.dev/services/internal/document"
)

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

func (p *parser) curve(n document.Node) Curve {
	elements, ok := p.Sequence(n, maxPoints)
	if !ok {
		return nil
	}
	if len(elements) < 2 {
		p.Reportf(n, CodeCurvePoints, "a curve needs at least 2 points")
	}
	c := make(Curve, 0, len(elements))
	for _, e := range elements {
		point, ok := p.point(e)
		if !ok {
			continue
		}
		if len(c) > 0 && point.X <= c[len(c)-1].X {
			p.Reportf(e, CodeCurveOrder, "value %s is not above the one before it, %s",
				fixed.Format(point.X), fixed.Format(c[len(c)-1].X))
		}
		c = append(c, point)
	}
	return c
}

// point reads [value, points].
func (p *parser) point(n document.Node) (Point, bool) {
	pair, ok := p.Sequence(n, maxPoints)
	if !ok {
		return Point{}, false
	}
	if len(pair) != 2 {
		p.Reportf(n, CodeWrongType, "a point is [value, points]")
		return Point{}, false
	}
	x, okX := p.Decimal(pair[0])
	y, okY := p.Decimal(pair[1])
	if okY && (y < 0 || y > percent*fixed.One) {
		p.Reportf(pair[1], CodeCurveRange, "points are from 0 to 100")
	}
	return Point{X: x, Y: y}, okX && okY
}
