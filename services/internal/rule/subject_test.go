package rule_test

import (
	"maps"
	"slices"

	"hale.dev/services/internal/scorecard"
)

// account is a made-up subject; the zero value has no data.
type account struct {
	stage, band string
	age         int64
	text        map[string]string
	numbers     map[string]int64
	traits      map[string]scorecard.Trait
	measures    map[scorecard.Measure]int64 // whole units
	moved       map[scorecard.Measure]int64 // likewise
	score       scorecard.Value
	coverage    int64
	dimensions  [5]scorecard.Value
	changes     map[int32]int64 // whole points
	renewal     *int64
	known       int64
	urgent      int64
	tickets     int64
	detractors  int64
	promoters   int64
}

const one = 1_000_000

func points(v int64) scorecard.Value { return scorecard.Value{Micros: v * one, Known: true} }

func (a account) Stage() string                    { return a.stage }
func (a account) AgeDays() int64                   { return a.age }
func (a account) KnownDays() int64                 { return a.known }
func (a account) ProfileText(field string) string  { return a.text[field] }
func (a account) ProfileNumber(field string) int64 { return a.numbers[field] }
func (a account) Score() scorecard.Value           { return a.score }
func (a account) Band() string                     { return a.band }
func (a account) Coverage() int64                  { return a.coverage }
func (a account) Dimension(i int) scorecard.Value  { return a.dimensions[i] }
func (a account) UrgentTicketHours() int64         { return a.urgent }
func (a account) TicketsOpened(days int32) int64   { return a.tickets * int64(days) / 7 }
func (a account) Detractors(days int32) int64      { return a.detractors * int64(days) / 7 }
func (a account) Promoters(days int32) int64       { return a.promoters * int64(days) / 30 }

func (a account) Traits(f func(name string, t scorecard.Trait)) {
	for _, name := range slices.Sorted(maps.Keys(a.traits)) {
		f(name, a.traits[name])
	}
}

func (a account) Measure(m scorecard.Measure) scorecard.Value {
	v, ok := a.measures[m]
	return scorecard.Value{Micros: v * one, Known: ok}
}

func (a account) ScoreChange(days int32) scorecard.Value {
	v, ok := a.changes[days]
	return scorecard.Value{Micros: v * one, Known: ok}
}

func (a account) MeasureChange(m scorecard.Measure) scorecard.Value {
	v, ok := a.moved[m]
	return scorecard.Value{Micros: v * one, Known: ok}
}

func (a account) RenewalDays() (int64, bool) {
	if a.renewal == nil {
		return 0, false
	}
	return *a.renewal, true
}
