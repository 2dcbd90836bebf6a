package health

import (
	"hale.dev/services/internal/scorecard"
)

// weekDays is how far the kept ends of weeks are apart, and weeksKept how many are kept.
const (
	weekDays  = 7
	weeksKept = 2
)

// week is what is kept of the end of a week: the measures, and by which scorecard they were judged.
type week struct {
	day     Day
	card    string
	version uint64
	values  scorecard.Values
}

// keepWeek notes the end of a day, if a week ends with it.
func (g *alerting) keepWeek(row *Row) {
	if row.Day%weekDays != 0 || !row.HasMeasures {
		return
	}
	var w writer
	last := week{}
	if kept, ok := readWeeks(g.weeks); ok && len(kept) > 0 {
		last = kept[len(kept)-1]
		last.write(&w, nil)
	}
	next := week{row.Day, row.Card, row.SetVersion, row.Measures}
	if w.n == 0 {
		next.write(&w, nil)
	} else {
		next.write(&w, &last)
	}
	g.weeks = w.bytes()
}

// weekBefore returns the older of the kept ends of weeks, if it is at least a week old; nil: there is none.
func (g *alerting) weekBefore(today Day) *week {
	kept, ok := readWeeks(g.weeks)
	if !ok || len(kept) == 0 || kept[0].day > today-weekDays {
		return nil
	}
	return &kept[0]
}

// explain says what the score was made of, by the scorecards that made it; false where set does not hold them.
func (k *week) explain(set *scorecard.Set) (Explanation, *scorecard.Card, bool) {
	card := set.Card(k.card)
	if card == nil || set.Version != k.version {
		return Explanation{}, nil, false
	}
	x := Explanation{Day: k.day, Result: Result{Card: k.card, SetVersion: k.version}}
	x.Result.rate(card, &k.values)
	x.explain(card, &k.values)
	return x, card, true
}

// write appends a week, its values as what differs from those of an earlier one; nil: there is none.
func (k *week) write(w *writer, earlier *week) {
	w.int(int64(k.day))
	writeCard(w, k.card)
	w.uint(k.version)
	var from scorecard.Values
	if earlier != nil {
		from = earlier.values
	}
	var knowns, changed uint64
	for m := range k.values {
		if k.values[m].Known {
			knowns |= 1 << m
		}
		if k.values[m].Known && k.values[m] != from[m] {
			changed |= 1 << m
		}
	}
	w.uint(knowns)
	if earlier != nil {
		w.uint(changed)
	}
	for m := range k.values {
		if changed&(1<<m) != 0 {
			w.amount(k.values[m].Micros)
		}
	}
}

// readWeeks reads the kept weeks, the older first; false: these are none.
func readWeeks(b []byte) ([]week, bool) {
	r := reader{b: b}
	kept := make([]week, 0, weeksKept)
	for r.left() > 0 && len(kept) < weeksKept {
		k := week{day: r.day(0), card: readCard(&r), version: r.uint()}
		knowns := r.uint()
		changed := knowns
		if len(kept) > 0 {
			k.values = kept[0].values
			changed = r.uint()
		}
		if knowns>>scorecard.MeasureCount != 0 || changed&^knowns != 0 {
			return nil, false
		}
		for m := range k.values {
			switch {
			case changed&(1<<m) != 0:
				k.values[m] = known(r.amount())
			case knowns&(1<<m) == 0:
				k.values[m] = scorecard.Value{}
			case !k.values[m].Known: // not changed from nothing
				return nil, false
			}
		}
		kept = append(kept, k)
	}
	return kept, !r.bad && r.left() == 0
}

// writeCard writes the name of a scorecard, that of a shipped one in a byte.
func writeCard(w *writer, card string) {
	switch card {
	case "standard":
		w.byte(cardStandard)
	case "onboarding":
		w.byte(cardOnboarding)
	default:
		w.byte(cardOther)
		w.text(card)
	}
}

func readCard(r *reader) string {
	switch r.byte() {
	case cardOther:
		return r.text()
	case cardStandard:
		return "standard"
	case cardOnboarding:
		return "onboarding"
	}
	r.fail()
	return ""
}
