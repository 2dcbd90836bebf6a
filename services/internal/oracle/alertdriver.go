package oracle

import (
	"cmp"
	"slices"

	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// Driver is a measure behind an alert.
type Driver struct {
	Measure       string
	Before, After scorecard.Value
	Change        int64 // of the score, micros
	Day           Day   // at whose end Before was; 0: there is none
}

// drivers says what moved before a rule fires.
func (a *Account) drivers(r *rule.Rule) []Driver {
	const most = 8
	before := a.before()
	same := before != nil && before.Evaluation.Card == a.Last.Card && before.Evaluation.SetVersion == a.Last.SetVersion
	split := same && before.Evaluation.Known && a.Last.Known
	driver := func(m scorecard.Measure) Driver {
		d := Driver{Measure: m.Name(), After: a.Last.Measures[m]}
		if before != nil {
			d.Day, d.Before = before.Day, before.Evaluation.Measures[m]
		}
		if split {
			d.Change = a.Last.contribution(m) - before.Evaluation.contribution(m)
		}
		return d
	}
	var named, moved []Driver
	for _, m := range r.Measures {
		named = append(named, driver(m))
	}
	if split {
		for _, d := range a.Last.Dimensions {
			for _, part := range d.Measures {
				if one := driver(part.Measure); worse(one.Change, r) && !slices.Contains(r.Measures, part.Measure) {
					moved = append(moved, one)
				}
			}
		}
	}
	slices.SortStableFunc(moved, func(x, y Driver) int {
		if less := x.Change < y.Change; x.Change != y.Change && less != r.Opportunity {
			return -1
		} else if x.Change != y.Change {
			return 1
		}
		return cmp.Compare(order(x.Measure), order(y.Measure))
	})
	all := slices.Concat(named, moved)
	return all[:min(len(all), most)]
}

// worse tells whether a change of the score is of the kind that a rule is about.
func worse(change int64, r *rule.Rule) bool {
	if r.Opportunity {
		return change > 0
	}
	return change < 0
}

// order is a measure's place in the table of measures.
func order(name string) scorecard.Measure {
	m, _ := scorecard.MeasureByName(name)
	return m
}

// contribution is what a measure gives to the score.
func (e *Evaluation) contribution(m scorecard.Measure) int64 {
	for _, d := range e.Dimensions {
		for _, part := range d.Measures {
			if part.Measure == m {
				return part.Contribution
			}
		}
	}
	return 0
}

// before is the day's end with which the present is compared, or nil.
func (a *Account) before() *Row {
	const week = 7
	var kept []Row
	for _, r := range a.Rows {
		if r.Day%week == 0 {
			kept = append(kept, r)
		}
	}
	kept = kept[max(0, len(kept)-2):]
	if len(kept) == 0 || kept[0].Day > a.Day-week {
		return nil
	}
	return &kept[0]
}
