package query

import (
	"unique"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// row makes the row of an account. set is the one that made its result; nil: not at hand, then the row has no measures.
func row(partition int, account string, a *health.Account, set *scorecard.Set) *column.Row {
	p, r := a.Profile(), a.Result()
	score, band := a.Effective()
	row := &column.Row{
		Account: account, Partition: partition, Day: a.Day(),
		Score: score.Micros, ScoreKnown: score.Known, Band: healthv1.Band(band),
		Computed: column.NumberOf(r.Score), ComputedBand: healthv1.Band(r.Band), Overridden: a.Override() != nil,
		Coverage: r.Coverage, Stage: healthv1.Stage(r.Stage), Card: shared(r.Card),
		Name: p.Name, Parent: p.Parent, Seats: p.Seats,
		// What many accounts share is kept once.
		Currency: shared(p.Currency), Owner: shared(p.Owner), Segment: shared(p.Segment), Plan: shared(p.Plan),
		Industry: shared(p.Industry),
		Renewal:  dayOr(p.RenewalDate), Created: dayOr(p.CreatedDate), Churn: dayOr(p.ChurnDate),
		First: column.NoDay, LastSeen: column.NoDay,
		Traits: p.Traits, Recent: a.Recent(), Months: a.Months(),
	}

	for i := range row.Traits {
		row.Traits[i].Name = shared(row.Traits[i].Name)
	}

	if p.ARR != nil {
		row.ARR, row.ARRKnown = *p.ARR, true
	}

	for i := range r.Dimensions {
		row.Dimensions[i] = column.NumberOf(r.Dimensions[i])
	}

	var values scorecard.Values
	if set != nil {
		values = a.Values(set)
	}

	for i := range values {
		row.Measures[i] = column.NumberOf(values[i])
	}

	since := a.CardSince()
	row.Change1 = change(row, 1, since)
	row.Change7 = change(row, 7, since)
	row.Change30 = change(row, 30, since)

	return row
}

// shared is the text, the same in memory wherever it is used.
func shared(text string) string { return unique.Make(text).Value() }

// change is how far the computed score is from that of the end of a day, days ago; None where the one or the other is
// unknown, or another scorecard made it.
func change(r *column.Row, days int, since health.Day) column.Number {
	then := r.Day - health.Day(days) //nolint:gosec // few
	if !r.Computed.Known() || then < since {
		return column.None
	}

	for i := range r.Recent {
		if d := &r.Recent[i]; d.Day == then && d.Score.Known {
			return r.Computed - column.Number(d.Score.Micros)
		}
	}

	return column.None
}

// dayOr reads a day of the profile.
func dayOr(text string) health.Day {
	if d, ok := health.ParseDay(text); ok {
		return d
	}

	return column.NoDay
}
