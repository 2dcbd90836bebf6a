package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Errors of values.
var (
	errBool     = errors.New("must be true or false")
	errInt      = errors.New("must be a whole number")
	errFloat    = errors.New("must be a number")
	errDuration = errors.New("must be a duration such as 5ms, 90s or 24h")
	errSize     = errors.New("must be a size such as 4MiB or 64GiB")
)

// String declares a text setting.
func (s *Set) String(p *string, key, value, usage string, options ...Option) {
	*p = value
	s.Var((*text)(p), key, usage, options...)
}

// Strings declares a list setting: text with commas, or a YAML list. A source that sets it
// replaces the whole list.
func (s *Set) Strings(p *[]string, key string, value []string, usage string, options ...Option) {
	*p = value
	s.Var((*list)(p), key, usage, options...)
}

// Bool declares a yes-or-no setting.
func (s *Set) Bool(p *bool, key string, value bool, usage string, options ...Option) {
	*p = value
	s.Var((*boolean)(p), key, usage, options...)
}

// Int declares a whole-number setting.
func (s *Set) Int(p *int, key string, value int, usage string, options ...Option) {
	*p = value
	s.Var((*integer)(p), key, usage, options...)
}

// Float declares a number setting.
func (s *Set) Float(p *float64, key string, value float64, usage string, options ...Option) {
	*p = value
	s.Var((*float)(p), key, usage, options...)
}

// Duration declares a setting of a length of time.
func (s *Set) Duration(p *time.Duration, key string, value time.Duration, usage string, options ...Option) {
	*p = value
	s.Var((*duration)(p), key, usage, options...)
}

// Size declares a setting in bytes, written with units: KiB, MiB, GiB, TiB, or kB, MB, GB, TB.
func (s *Set) Size(p *int64, key string, value int64, usage string, options ...Option) {
	*p = value
	s.Var((*size)(p), key, usage, options...)
}

type text string

func (v *text) Set(s string) error { *v = text(s); return nil }
func (v *text) String() string     { return string(*v) }
func (*text) Type() string         { return "string" }

type list []string

func (v *list) Set(s string) error {
	*v = nil

	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*v = append(*v, part)
		}
	}

	return nil
}
func (v *list) String() string { return strings.Join(*v, ",") }
func (*list) Type() string     { return "list" }

type boolean bool

func (v *boolean) Set(s string) error {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return errBool
	}

	*v = boolean(b)

	return nil
}
func (v *boolean) String() string { return strconv.FormatBool(bool(*v)) }
func (*boolean) Type() string     { return "bool" }

// IsBoolFlag lets the flag stand without a value.
func (*boolean) IsBoolFlag() bool { return true }

type integer int

func (v *integer) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil {
		return errInt
	}

	*v = integer(n)

	return nil
}
func (v *integer) String() string { return strconv.Itoa(int(*v)) }
func (*integer) Type() string     { return "int" }

type float float64

func (v *float) Set(s string) error {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return errFloat
	}

	*v = float(f)

	return nil
}
func (v *float) String() string { return strconv.FormatFloat(float64(*v), 'g', -1, 64) }
func (*float) Type() string     { return "number" }

type duration time.Duration

func (v *duration) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		return errDuration
	}

	*v = duration(d)

	return nil
}
func (v *duration) String() string { return time.Duration(*v).String() }
func (*duration) Type() string     { return "duration" }

type size int64

type unit struct {
	name  string
	bytes int64
}

// units go from large to small, those of 1024 first: "KiB" must be tried before "B".
func units() []unit {
	return []unit{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
	}
}

func (v *size) Set(s string) error {
	number, factor := strings.TrimSpace(s), int64(1)

	for _, u := range units() {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = strings.TrimSpace(rest), u.bytes

			break
		}
	}

	if factor == 1 {
		number = strings.TrimSuffix(number, "B")
	}

	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return errSize
	}

	*v = size(n * factor)

	return nil
}

// String writes the size in the shortest way.
func (v *size) String() string {
	shortest := strconv.FormatInt(int64(*v), 10)

	for _, u := range units() {
		if *v == 0 || int64(*v)%u.bytes != 0 {
			continue
		}

		if s := fmt.Sprintf("%d%s", int64(*v)/u.bytes, u.name); len(s) <= len(shortest) {
			shortest = s
		}
	}

	return shortest
}
func (*size) Type() string { return "size" }
