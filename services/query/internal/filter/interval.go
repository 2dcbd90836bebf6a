package filter

import (
	"errors"
	"math"
	"strings"

	"hale.dev/services/internal/fixed"
)

// Interval is the numbers from Low to High, or, with Outside, all others. It is empty where Low is above High.
type Interval struct {
	Low, High Number
	Outside   bool
}

// Has says whether a number is one of them. None never is.
func (b Interval) Has(n Number) bool { return n != None && (b.Low <= n && n <= b.High) != b.Outside }

// least is the least number but None.
const least = None + 1

// interval is what an operator and a number want; with broken, the number lies between v and the next.
func interval(operator string, v Number, broken bool) Interval {
	same := Interval{Low: v, High: v}
	if broken {
		same = Interval{Low: 1, High: 0}
	}

	switch operator {
	case "<=":
		return Interval{Low: least, High: v}
	case "<":
		if broken {
			return Interval{Low: least, High: v}
		}

		return Interval{Low: least, High: v - 1}
	case ">=":
		if !broken {
			return Interval{Low: v, High: math.MaxInt64}
		}

		fallthrough
	case ">":
		if v == math.MaxInt64 {
			return Interval{Low: 1, High: 0}
		}

		return Interval{Low: v + 1, High: math.MaxInt64}
	case "!=":
		same.Outside = true
	}

	return same
}

// Literal is a number of a filter: micros, rounded down if it has more digits than that.
type Literal struct {
	micros int64
	// broken says that the number lies between micros and the next.
	broken bool
}

// ParseNumber reads a decimal number; false: it is none.
func ParseNumber(text string) (Literal, bool) {
	micros, err := fixed.ParseDecimal(text)

	switch {
	case errors.Is(err, fixed.ErrRange) && strings.HasPrefix(text, "-"):
		return Literal{micros: math.MinInt64 + 1, broken: true}, true
	case errors.Is(err, fixed.ErrRange):
		return Literal{micros: math.MaxInt64, broken: true}, true
	case err != nil:
		return Literal{}, false
	}

	// Exponents aside, more than six decimals say more than micros can.
	if _, decimals, ok := strings.Cut(text, "."); !ok || len(strings.TrimRight(decimals, "0")) <= 6 ||
		strings.ContainsAny(text, "eE") {
		return Literal{micros: micros}, true
	}

	return floor(text, micros), true
}

// floor undoes the rounding of a number with many decimals.
func floor(text string, rounded int64) Literal {
	whole, decimals, _ := strings.Cut(text, ".")

	cut, err := fixed.ParseDecimal(whole + "." + decimals[:6]) // towards zero
	if err != nil {
		return Literal{micros: rounded}
	}

	if strings.HasPrefix(text, "-") {
		cut--
	}

	return Literal{micros: cut, broken: true}
}

// Interval is what an operator and the number want.
func (l Literal) Interval(operator string) Interval {
	return interval(operator, Number(l.micros), l.broken)
}
