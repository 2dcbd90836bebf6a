package column

import (
	"errors"
	"math"
	"strings"

	"hale.dev/services/internal/fixed"
)

// between is the numbers from low to high, or, with outside, all others. It is empty where low is above high.
type between struct {
	low, high Number
	outside   bool
}

// has says whether a number is one of them. None never is.
func (b between) has(n Number) bool { return n != None && (b.low <= n && n <= b.high) != b.outside }

// least is the least number but None.
const least = None + 1

// interval is what an operator and a number want; with broken, the number lies between v and the next.
func interval(operator string, v Number, broken bool) between {
	same := between{low: v, high: v}
	if broken {
		same = between{low: 1, high: 0}
	}

	switch operator {
	case "<=":
		return between{low: least, high: v}
	case "<":
		if broken {
			return between{low: least, high: v}
		}

		return between{low: least, high: v - 1}
	case ">=":
		if !broken {
			return between{low: v, high: math.MaxInt64}
		}

		fallthrough
	case ">":
		if v == math.MaxInt64 {
			return between{low: 1, high: 0}
		}

		return between{low: v + 1, high: math.MaxInt64}
	case "!=":
		same.outside = true
	}

	return same
}

// literal is a number of a filter: micros, rounded down if it has more digits than that.
type literal struct {
	micros int64
	// broken says that the number lies between micros and the next.
	broken bool
}

// parseNumber reads a decimal number; false: it is none.
func parseNumber(text string) (literal, bool) {
	micros, err := fixed.ParseDecimal(text)

	switch {
	case errors.Is(err, fixed.ErrRange) && strings.HasPrefix(text, "-"):
		return literal{micros: math.MinInt64 + 1, broken: true}, true
	case errors.Is(err, fixed.ErrRange):
		return literal{micros: math.MaxInt64, broken: true}, true
	case err != nil:
		return literal{}, false
	}

	// Exponents aside, more than six decimals say more than micros can.
	if _, decimals, ok := strings.Cut(text, "."); !ok || len(strings.TrimRight(decimals, "0")) <= 6 ||
		strings.ContainsAny(text, "eE") {
		return literal{micros: micros}, true
	}

	return floor(text, micros), true
}

// floor undoes the rounding of a number with many decimals.
func floor(text string, rounded int64) literal {
	whole, decimals, _ := strings.Cut(text, ".")

	cut, err := fixed.ParseDecimal(whole + "." + decimals[:6]) // towards zero
	if err != nil {
		return literal{micros: rounded}
	}

	if strings.HasPrefix(text, "-") {
		cut--
	}

	return literal{micros: cut, broken: true}
}

// interval is what an operator and the number want.
func (l literal) interval(operator string) between {
	return interval(operator, Number(l.micros), l.broken)
}
