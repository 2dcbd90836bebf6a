package column

import (
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/filter"
)

// key is a field of rows that filters and orders go by. Either text or number is set.
type key struct {
	name string
	kind filter.Kind
	// text is the value; empty: there is none.
	text func(*Row) string
	// number is the value: micros, a day, a name's number, 0 or 1; None: there is none.
	number func(*Row) Number
	// least, unless it is 0: what is below it is known, but neither more nor less than anything.
	least Number
	// names are the values of filter.KindName by name.
	names func(name string) (Number, bool)
}

// ranks says whether a number is more or less than others.
func (k *key) ranks(n Number) bool { return k.least == 0 || n >= k.least }

// ranked is the number where that goes by more and less.
func (k *key) ranked() func(*Row) Number {
	if k.least == 0 {
		return k.number
	}

	get, least := k.number, k.least

	return func(r *Row) Number {
		if n := get(r); n >= least {
			return n
		}

		return None
	}
}

// What may stand before the name of a dimension or a measure.
const dimensionPath, measurePath = "dimensions.", "measures."

// keyOf returns the key of a path, for example `score`, `dimensions.adoption` or `nps`.
func keyOf(path string) (key, bool) {
	for _, find := range []func(string) (key, bool){textKey, numberKey, dayKey, nameKey, dimensionKey, measureKey} {
		if k, ok := find(path); ok {
			k.name = strings.TrimPrefix(strings.TrimPrefix(path, dimensionPath), measurePath)

			return k, true
		}
	}

	return key{}, false
}

func textKey(path string) (key, bool) {
	var get func(*Row) string

	switch path {
	case "account_id":
		get = func(r *Row) string { return r.Account }
	case "name":
		get = func(r *Row) string { return r.Name }
	case "segment":
		get = func(r *Row) string { return r.Segment }
	case "owner":
		get = func(r *Row) string { return r.Owner }
	case "plan":
		get = func(r *Row) string { return r.Plan }
	case "industry":
		get = func(r *Row) string { return r.Industry }
	case "parent":
		get = func(r *Row) string { return r.Parent }
	case "currency":
		get = func(r *Row) string { return r.Currency }
	case "scorecard":
		get = func(r *Row) string { return r.Card }
	default:
		return key{}, false
	}

	return key{kind: filter.KindText, text: get}, true
}

func numberKey(path string) (key, bool) {
	var get func(*Row) Number

	switch path {
	case "score":
		get = func(r *Row) Number { return numberIf(r.ScoreKnown, r.Score) }
	case "computed_score":
		get = func(r *Row) Number { return r.Computed }
	case "coverage":
		get = func(r *Row) Number { return Number(r.Coverage) }
	case "arr":
		get = func(r *Row) Number { return numberIf(r.ARRKnown, r.ARR) }
	case "arr_at_risk":
		get = (*Row).ARRAtRisk
	case "seats":
		get = func(r *Row) Number { return numberIf(r.Seats != 0, fixed.MulDiv(r.Seats, fixed.One, 1)) }
	case "score_change_1d":
		get = func(r *Row) Number { return r.Change1 }
	case "score_change_7d":
		get = func(r *Row) Number { return r.Change7 }
	case "score_change_30d":
		get = func(r *Row) Number { return r.Change30 }
	case "renewal_days":
		get = func(r *Row) Number { return daysBetween(r.Day, r.Renewal) }
	case "age_days":
		get = (*Row).age
	default:
		return key{}, false
	}

	return key{kind: filter.KindNumber, number: get}, true
}

func numberIf(known bool, micros int64) Number {
	if !known {
		return None
	}

	return Number(micros)
}

// daysBetween is how many days it is from one day to the other; None if there is no such day.
func daysBetween(from, to health.Day) Number {
	if from == NoDay || to == NoDay {
		return None
	}

	return (Number(to) - Number(from)) * fixed.One
}

// age is how many days ago the account began: by its profile, else by its first event.
func (r *Row) age() Number {
	since := r.Created
	if since == NoDay {
		since = r.First
	}

	if since == NoDay {
		return None
	}

	return max(daysBetween(since, r.Day), 0)
}

func dayKey(path string) (key, bool) {
	var get func(*Row) health.Day

	switch path {
	case "renewal_date":
		get = func(r *Row) health.Day { return r.Renewal }
	case "created_date":
		get = func(r *Row) health.Day { return r.Created }
	case "churn_date":
		get = func(r *Row) health.Day { return r.Churn }
	case "first_date":
		get = func(r *Row) health.Day { return r.First }
	case "last_seen_date":
		get = func(r *Row) health.Day { return r.LastSeen }
	default:
		return key{}, false
	}

	return key{kind: filter.KindDay, number: func(r *Row) Number {
		if d := get(r); d != NoDay {
			return Number(d)
		}

		return None
	}}, true
}

func nameKey(path string) (key, bool) {
	switch path {
	case "band":
		return bandKey(func(r *Row) healthv1.Band { return r.Band }), true
	case "computed_band":
		return bandKey(func(r *Row) healthv1.Band { return r.ComputedBand }), true
	case "stage":
		get := func(r *Row) Number { return named(int32(r.Stage)) }

		return key{kind: filter.KindName, number: get, names: func(name string) (Number, bool) {
			return numberOfName(healthv1.Stage_value, "STAGE_"+name)
		}}, true
	case "overridden":
		return key{kind: filter.KindFlag, number: func(r *Row) Number {
			if r.Overridden {
				return 1
			}

			return 0
		}}, true
	}

	return key{}, false
}

// bandKey is a key of bands. The unknown one is equal to itself, but neither more nor less than any.
func bandKey(get func(*Row) healthv1.Band) key {
	return key{
		kind: filter.KindName, least: Number(healthv1.Band_BAND_UNKNOWN) + 1,
		number: func(r *Row) Number { return named(int32(get(r))) },
		names:  func(name string) (Number, bool) { return numberOfName(healthv1.Band_value, "BAND_"+name) },
	}
}

// named is the number of a name; None for that of no name.
func named(n int32) Number {
	if n == 0 {
		return None
	}

	return Number(n)
}

func numberOfName(all map[string]int32, name string) (Number, bool) {
	n := all[strings.ToUpper(name)]

	return Number(n), n != 0
}

func dimensionKey(path string) (key, bool) {
	name := strings.TrimPrefix(path, dimensionPath)

	for i := range health.DimensionCount {
		if health.DimensionName(i) == name {
			return key{kind: filter.KindNumber, number: func(r *Row) Number { return r.Dimensions[i] }}, true
		}
	}

	return key{}, false
}

func measureKey(path string) (key, bool) {
	m, ok := scorecard.MeasureByName(strings.TrimPrefix(path, measurePath))
	if !ok {
		return key{}, false
	}

	return key{kind: filter.KindNumber, number: func(r *Row) Number { return r.Measures[m] }}, true
}
