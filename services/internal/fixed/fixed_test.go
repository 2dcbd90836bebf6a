package fixed_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/fixed"
)

func TestMulDiv(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ a, b, c, want int64 }{
		"exact":                             {6, 7, 2, 21},
		"rounds down below half":            {10, 1, 3, 3},
		"rounds up above half":              {11, 1, 3, 4},
		"rounds half away from zero":        {5, 1, 2, 3},
		"rounds negative half away":         {-5, 1, 2, -3},
		"a negative divisor":                {5, 1, -2, -3},
		"two negatives":                     {-5, 1, -2, 3},
		"a product beyond 64 bit":           {4_000_000_000_000_000_000, 9, 1_000_000_000_000_000_000, 36},
		"saturates":                         {math.MaxInt64, math.MaxInt64, 1, fixed.Max},
		"saturates below":                   {math.MinInt64, math.MaxInt64, 1, -fixed.Max},
		"saturates just above the limit":    {fixed.Max, 2, 1, fixed.Max},
		"keeps the limit":                   {fixed.Max, 1, 1, fixed.Max},
		"the least integer over itself":     {math.MinInt64, 1, math.MinInt64, 1},
		"nothing over zero is nothing":      {0, 5, 0, 0},
		"something over zero saturates":     {1, 5, 0, fixed.Max},
		"something less over zero":          {-1, 5, 0, -fixed.Max},
		"a half of the largest odd divisor": {math.MaxInt64/2 + 1, 1, math.MaxInt64, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, fixed.MulDiv(c.a, c.b, c.c))
		})
	}
}

func TestMulDivIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		c := rapid.Int64().Filter(func(v int64) bool { return v != 0 }).Draw(t, "c")
		require.Equal(t, roundedQuotient(a, b, c), fixed.MulDiv(a, b, c))
	})
}

// roundedQuotient is a*b/c by big rationals: floor of twice the magnitude plus one, halved.
func roundedQuotient(a, b, c int64) int64 {
	num := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	den := big.NewInt(c)
	sign := num.Sign() * den.Sign()
	num.Abs(num).Lsh(num, 1)
	den.Abs(den)
	num.Add(num, den)
	num.Div(num, den.Lsh(den, 1))
	if num.Cmp(big.NewInt(fixed.Max)) > 0 {
		num.SetInt64(fixed.Max)
	}
	return int64(sign) * num.Int64()
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0":                                      0,
		"-0":                                     0,
		"1":                                      1_000_000,
		"-1.5":                                   -1_500_000,
		"0.0000005":                              1,
		"0.0000004999":                           0,
		"-0.0000005":                             -1,
		"12.3456785":                             12_345_679,
		"1e3":                                    1_000_000_000,
		"1E+3":                                   1_000_000_000,
		"1.5e-6":                                 2,
		"5e-7":                                   1,
		"4e-7":                                   0,
		"9e-8":                                   0,
		"1000000000000":                          fixed.Max,
		"-1000000000000":                         -fixed.Max,
		"1e12":                                   fixed.Max,
		"0e999999999999":                         0,
		"1e-999999999999":                        0,
		"0.000001":                               1,
		"0.00001e1":                              100,
		"99999999.9999995":                       100_000_000_000_000,
		"1" + strings.Repeat("0", 400) + "e-400": 1_000_000,
		"0." + strings.Repeat("0", 400) + "1e401": 1_000_000,
	} {
		got, err := fixed.ParseDecimal(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", "+1", ".5", "1.", "01", "1e", "1e+", "1e1.5", "NaN", "Infinity", "0x10", "1 ", " 1",
		"1_000", "--1", "1e5x", "1,5",
	} {
		_, err := fixed.ParseDecimal(text)
		require.ErrorIs(t, err, fixed.ErrSyntax, text)
	}
	for _, text := range []string{
		"1e400", "1e999999999999999999999999", "1000000000000.000001", "-1000000000000.0000005",
		"1e13", "18446744073709551616", "99999999999999999999",
	} {
		_, err := fixed.ParseDecimal(text)
		require.ErrorIs(t, err, fixed.ErrRange, text)
	}
}

func TestFormatIsReadBack(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0", fixed.Format(0))
	require.Equal(t, "-12.5", fixed.Format(-12_500_000))
	require.Equal(t, "0.000001", fixed.Format(1))
	require.Equal(t, "70.1", fixed.Format(70_100_000))
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.Int64Range(-fixed.Max, fixed.Max).Draw(t, "m")
		got, err := fixed.ParseDecimal(fixed.Format(m))
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
}

func TestFloatIsTheWholeUnit(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 61.25, fixed.Float(61_250_000), 0)
	require.InDelta(t, -0.000001, fixed.Float(-1), 0)
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1", "-1.5e-3", "1e400", "0.0000005", "1e-999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := fixed.ParseDecimal(s)
		if err != nil || len(s) > 100 {
			return
		}
		want, ok := new(big.Rat).SetString("0")
		if e := strings.IndexAny(s, "eE"); e < 0 || len(s)-e < 5 {
			want, ok = new(big.Rat).SetString(s)
		}
		if !ok || want.Sign() == 0 {
			return
		}
		diff := new(big.Rat).Sub(want, big.NewRat(m, fixed.One))
		require.LessOrEqual(t, diff.Abs(diff).Cmp(big.NewRat(1, 2*fixed.One)), 0)
	})
}
