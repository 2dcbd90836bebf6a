package health

import (
	"cmp"
	"slices"

	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// maxAlertDrivers bounds the drivers of an alert.
const maxAlertDrivers = 8

// alertDrivers says what moved before a rule fired: the measures that its conditions name, then those that changed the
// score most the way it fears, or hopes for.
func (a *Account) alertDrivers(one *rule.Rule, set *scorecard.Set) []alert.Driver {
	now := a.Explain(set)
	before := a.alerting.weekBefore(a.day)
	var old *scorecard.Values
	changes := map[scorecard.Measure]int64{}
	var moved []scorecard.Measure
	if before != nil {
		old = &before.values
		if from, card, ok := before.explain(set); ok && from.Result.Card == now.Result.Card {
			c := Split(&from, &now, card)
			for i := range c.Dimensions {
				for _, m := range c.Dimensions[i].Measures {
					changes[m.Measure] = m.Change
					moved = append(moved, m.Measure)
				}
			}
		}
	}
	sign := int64(1)
	if one.Opportunity {
		sign = -1
	}
	moved = slices.DeleteFunc(moved, func(m scorecard.Measure) bool {
		return sign*changes[m] >= 0 || slices.Contains(one.Measures, m)
	})
	slices.SortStableFunc(moved, func(x, y scorecard.Measure) int {
		return cmp.Or(cmp.Compare(sign*changes[x], sign*changes[y]), cmp.Compare(x, y))
	})
	all := slices.Concat(one.Measures, moved)
	drivers := make([]alert.Driver, 0, maxAlertDrivers)
	for _, m := range all[:min(len(all), maxAlertDrivers)] {
		d := alert.Driver{Measure: uint8(m), After: micros(now.Values[m]), Change: changes[m]}
		if old != nil {
			d.Before, d.Day = micros(old[m]), int32(before.day)
		}
		drivers = append(drivers, d)
	}
	return drivers
}

// micros is a value, nil where it is unknown.
func micros(v scorecard.Value) *int64 {
	if !v.Known {
		return nil
	}
	return &v.Micros
}
