package oracle

import "math/big"

// limit is the largest value, 10^12 units in micros.
const limit int64 = 1_000_000_000_000_000_000

func whole(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

func plus(a, b *big.Rat) *big.Rat    { return new(big.Rat).Add(a, b) }
func minus(a, b *big.Rat) *big.Rat   { return new(big.Rat).Sub(a, b) }
func times(a, b *big.Rat) *big.Rat   { return new(big.Rat).Mul(a, b) }
func through(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }

// percent is a of b, in percent.
func percent(a, b *big.Rat) *big.Rat { return times(through(a, b), whole(100)) }

// atMost100 cuts off what is above 100.
func atMost100(a *big.Rat) *big.Rat {
	if a.Cmp(whole(100)) > 0 {
		return whole(100)
	}
	return a
}

// round rounds to a whole number, half away from zero.
func round(a *big.Rat) *big.Int {
	half := big.NewRat(1, 2)
	if a.Sign() < 0 {
		return new(big.Int).Neg(floor(plus(new(big.Rat).Neg(a), half)))
	}
	return floor(plus(a, half))
}

// floor rounds down to a whole number.
func floor(a *big.Rat) *big.Int {
	// The denominator is positive, and Euclidean division by a positive number rounds down.
	return new(big.Int).Div(a.Num(), a.Denom())
}

// micros turns units into rounded micros, saturating at the limits.
func micros(units *big.Rat) int64 {
	rounded := round(times(units, whole(1_000_000)))
	if rounded.Cmp(big.NewInt(limit)) > 0 {
		return limit
	}
	if rounded.Cmp(big.NewInt(-limit)) < 0 {
		return -limit
	}
	return rounded.Int64()
}
