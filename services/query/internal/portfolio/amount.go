package portfolio

import (
	"math/big"
	"math/bits"

	"hale.dev/services/internal/fixed"
)

// amount is a sum of arr in micros. An account may have 10^18 of them, so it takes 128 bits; nothing is negative.
type amount struct{ hi, lo uint64 }

// add adds the arr of an account.
func (a *amount) add(micros int64) {
	var carry uint64

	a.lo, carry = bits.Add64(a.lo, uint64(micros), 0) //nolint:gosec // arr is never negative
	a.hi += carry
}

// plus returns the sum of two amounts.
func (a amount) plus(b amount) amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)

	return amount{hi: a.hi + b.hi + carry, lo: lo}
}

// minus returns what is left; b must not be larger.
func (a amount) minus(b amount) amount {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)

	return amount{hi: a.hi - b.hi - borrow, lo: lo}
}

// less says whether a is smaller than b.
func (a amount) less(b amount) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a amount) zero() bool { return a.hi|a.lo == 0 }

func (a amount) big() *big.Int {
	const word = 64

	n := new(big.Int).Lsh(new(big.Int).SetUint64(a.hi), word)

	return n.Or(n, new(big.Int).SetUint64(a.lo))
}

// float is the double nearest to the amount in currency units.
func (a amount) float() float64 {
	f, _ := new(big.Rat).SetFrac(a.big(), big.NewInt(fixed.One)).Float64()

	return f
}

// percent is 100 * a / b, rounded to micros, at most 10^12; nil where b is 0.
func (a amount) percent(b amount) *float64 {
	if b.zero() {
		return nil
	}

	const hundred = 100

	f := fixed.Float(ratio(new(big.Int).Mul(a.big(), big.NewInt(hundred*fixed.One)), b.big()))

	return &f
}

// ratio is n / d, rounded half away from zero, at most 10^18. Neither is negative, and d is not 0.
func ratio(n, d *big.Int) int64 {
	twice := new(big.Int).Lsh(d, 1)
	q := new(big.Int).Lsh(n, 1)
	q.Add(q, d)
	q.Quo(q, twice) // floor((2n + d) / 2d)

	if !q.IsInt64() {
		return fixed.Max
	}

	return min(q.Int64(), fixed.Max)
}

// share is 100 * part / all in percent, rounded to micros; nil where all is 0.
func share(part, all int64) *float64 {
	if all == 0 {
		return nil
	}

	f := fixed.Float(fixed.MulDiv(part, 100*fixed.One, all))

	return &f
}
