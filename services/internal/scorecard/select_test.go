package scorecard_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/scorecard"
)

// account is what the tests' conditions look at. It counts how often a measure is asked for.
type account struct {
	stage   string
	age     int64
	text    map[string]string
	numbers map[string]int64
	traits  []trait
	values  scorecard.Values
	asked   map[scorecard.Measure]int
}

type trait struct {
	name  string
	value scorecard.Trait
}

func (a account) Stage() string                    { return a.stage }
func (a account) AgeDays() int64                   { return a.age }
func (a account) ProfileText(field string) string  { return a.text[field] }
func (a account) ProfileNumber(field string) int64 { return a.numbers[field] }

func (a account) Traits(f func(name string, t scorecard.Trait)) {
	for _, t := range a.traits {
		f(t.name, t.value)
	}
}

func (a account) Measure(m scorecard.Measure) scorecard.Value {
	if a.asked != nil {
		a.asked[m]++
	}
	return a.values[m]
}

func TestSelectShipped(t *testing.T) {
	t.Parallel()
	for stage, want := range map[string]string{
		"onboarding": "onboarding", "adopting": "standard", "steady": "standard", "renewal": "standard",
	} {
		t.Run("an account in "+stage+" gets "+want, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, scorecard.Shipped().Select(account{stage: stage}).Name)
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	set := scorecard.Shipped()
	in := scorecard.Subject(account{stage: "steady"})
	b.ReportAllocs()
	for b.Loop() {
		set.Select(in)
	}
}
