package fixed

import "errors"

// Errors of ParseDecimal.
var (
	// ErrSyntax says that the text is no JSON number.
	ErrSyntax = errors.New("not a decimal number")
	// ErrRange says that the number is larger than 10^12 in magnitude.
	ErrRange = errors.New("number out of range")
)

// maxExponent bounds exponents: anything beyond means zero or out of range all the same.
const maxExponent = 1 << 30

// ParseDecimal reads a JSON number, exponent included, as micros. Further decimals are rounded half
// away from zero. The work is linear in the length of the text, however large the exponent.
func ParseDecimal(s string) (int64, error) {
	d, ok := scan(s)
	if !ok {
		return 0, ErrSyntax
	}
	u, ok := d.micros()
	if !ok {
		return 0, ErrRange
	}
	return signed(u, d.negative), nil
}

// decimal is a scanned number: the digits without the point, and where the point stands in them.
type decimal struct {
	negative       bool
	whole, decimal string
	exponent       int
}

// scan splits a JSON number; false where s is none.
func scan(s string) (decimal, bool) {
	var d decimal
	if s != "" && s[0] == '-' {
		d.negative, s = true, s[1:]
	}
	n := digits(s)
	if n == 0 || (n > 1 && s[0] == '0') {
		return d, false
	}
	d.whole, s = s[:n], s[n:]
	if s != "" && s[0] == '.' {
		s = s[1:]
		if n = digits(s); n == 0 {
			return d, false
		}
		d.decimal, s = s[:n], s[n:]
	}
	if s == "" {
		return d, true
	}
	return d, d.scanExponent(s)
}

// scanExponent reads what follows the digits: an exponent and nothing else.
func (d *decimal) scanExponent(s string) bool {
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	n := digits(s)
	if n == 0 || n != len(s) {
		return false
	}
	for i := range n {
		d.exponent = min(d.exponent*10+int(s[i]-'0'), maxExponent)
	}
	if negative {
		d.exponent = -d.exponent
	}
	return true
}

// digits counts the digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// at returns digit i of whole and decimal together.
func (d *decimal) at(i int) uint64 {
	if i < len(d.whole) {
		return uint64(d.whole[i] - '0')
	}
	return uint64(d.decimal[i-len(d.whole)] - '0')
}

// micros rounds the magnitude to micros; false where it is out of range.
func (d *decimal) micros() (uint64, bool) {
	const places, limit = 6, 20
	n := len(d.whole) + len(d.decimal)
	end := len(d.whole) + d.exponent + places // digits before this place are whole micros
	first := 0
	for first < n && d.at(first) == 0 {
		first++
	}
	switch {
	case first == n || end < first:
		return 0, true
	case end-first > limit-1:
		return 0, false
	}
	var u uint64
	for i := first; i < end; i++ {
		u *= 10
		if i < n {
			u += d.at(i)
		}
	}
	if end < n && d.at(end) >= 5 {
		u++
	}
	return u, u <= Max
}
