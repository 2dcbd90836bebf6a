package fixed

import (
	"math/bits"
	"strconv"
)

const (
	// One is the number 1 in micros.
	One = 1_000_000
	// Max is the largest magnitude of a number in micros; results saturate at plus or minus Max.
	Max = 1_000_000_000_000_000_000
)

// MulDiv returns a*b/c. The product is exact (128 bit); the quotient is rounded once, half away
// from zero, and saturates at plus or minus Max. Dividing by 0 saturates too: Max with the sign of
// the product, 0 where that is 0.
func MulDiv(a, b, c int64) int64 {
	negative := (a < 0) != (b < 0) != (c < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi|lo == 0 {
		return 0
	}
	d := magnitude(c)
	if hi >= d { // also: c is 0
		return signed(Max, negative)
	}
	q, r := bits.Div64(hi, lo, d)
	if q >= Max {
		return signed(Max, negative)
	}
	if r >= d-r {
		q++
	}
	return signed(q, negative)
}

// Float returns m as a double in whole units, for the wire.
func Float(m int64) float64 { return float64(m) / One }

// Format writes m in whole units with as many decimals as it needs, for example "-12.5".
func Format(m int64) string {
	u := magnitude(m)
	b := make([]byte, 0, 24)
	if m < 0 {
		b = append(b, '-')
	}
	b = strconv.AppendUint(b, u/One, 10)
	fraction := u % One
	if fraction == 0 {
		return string(b)
	}
	b = append(b, '.')
	for unit := uint64(One / 10); fraction > 0; unit /= 10 {
		b = append(b, byte('0'+fraction/unit)) //nolint:gosec // one digit
		fraction %= unit
	}
	return string(b)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v) //nolint:gosec // two's complement: right for the least int64 too
	}
	return uint64(v)
}

// signed gives a magnitude of at most Max its sign.
func signed(u uint64, negative bool) int64 {
	v := int64(u) //nolint:gosec // at most Max
	if negative {
		return -v
	}
	return v
}
