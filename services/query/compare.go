package query

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

const (
	// compareDays is how far apart the days of a comparison are when the request does not say.
	compareDays = 7
	// maxDrivers bounds the drivers of a measure in an answer.
	maxDrivers = 20
)

// CompareHealth implements HealthService.
func (h *healthServer) CompareHealth(
	ctx context.Context, req *healthv1.CompareHealthRequest,
) (*healthv1.CompareHealthResponse, error) {
	from, to, err := span(req.GetFromDate(), req.GetToDate())
	if err != nil {
		return nil, err
	}

	v, err := h.service.past(ctx, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	if from, to, err = compared(from, to, v.account.Day()); err != nil {
		return nil, err
	}

	rows, err := v.history()
	if err != nil {
		return nil, err
	}

	return h.service.accounts.compare(ctx, v, rows, from, to)
}

// compared fills in the days that the request leaves open, and refuses those that have not come, neither for the account
// nor for anybody.
func compared(from, to, today health.Day) (health.Day, health.Day, error) {
	latestDay := max(today, health.DayOf(time.Now().UnixMicro()))

	switch {
	case from > latestDay:
		return 0, 0, invalid("from_date", "date.future", fmt.Sprintf("is after %s, which is today", latestDay))
	case to != latest && to > latestDay:
		return 0, 0, invalid("to_date", "date.future", fmt.Sprintf("is after %s, which is today", latestDay))
	}

	if to == latest {
		to = today
	}

	if from == earliest {
		from = to - compareDays
	}

	if from > to { // log time has not come to this day yet
		return 0, 0, invalid("from_date", "date.order", fmt.Sprintf("is after %s, up to which the account is known", to))
	}

	return from, to, nil
}

// compare splits the change between the ends of two days of an account with those rows.
func (a *accounts) compare(
	ctx context.Context, v *view, rows []health.Row, from, to health.Day,
) (*healthv1.CompareHealthResponse, error) {
	before, err := a.explainDay(ctx, v, rows, from, "from_date")
	if err != nil {
		return nil, err
	}

	after, err := a.explainDay(ctx, v, rows, to, "to_date")
	if err != nil {
		return nil, err
	}

	change := health.Split(&before.explanation, &after.explanation, before.card)
	facts := v.account.Facts(v.set)
	happened := health.Span{
		Facts: &facts, From: before.explanation.Day, To: after.explanation.Day, Today: v.account.Day(),
	}
	numbers := make(floats, 1)
	answer := &healthv1.CompareHealthResponse{
		From: point(&before.explanation), To: point(&after.explanation), Change: numbers.of(change.Total),
		ScorecardChange: float(change.Scorecard), AsOf: timestamp(v.logTime),
	}

	for i := range change.Dimensions {
		answer.Dimensions = append(answer.Dimensions, dimensionChange(&change.Dimensions[i], &happened))
	}

	return answer, nil
}

// dayExplained is an explained day with the scorecard that made it.
type dayExplained struct {
	explanation health.Explanation
	card        *scorecard.Card
}

// explainDay explains the last row at or before a day, if it is less than a week older. Today is explained as GetHealth
// does.
func (a *accounts) explainDay(
	ctx context.Context, v *view, rows []health.Row, day health.Day, field string,
) (*dayExplained, error) {
	var row *health.Row

	for i := range rows {
		if rows[i].Day <= day && rows[i].Day > day-weekDays {
			row = &rows[i]
		}
	}

	if row == nil {
		return nil, errHistory(rows, day, field)
	}

	ws, _, _ := store.SplitAccount(v.id)

	set, err := a.setOf(ctx, v.partition, ws, row.SetVersion)
	if err != nil {
		return nil, err
	}

	if set == nil {
		return nil, errUnexplained(row.Day, field)
	}

	if x, ok := health.ExplainRow(row, set); ok {
		return &dayExplained{explanation: x, card: set.Card(row.Card)}, nil
	}

	return nil, errUnexplained(row.Day, field)
}

// errUnexplained says that it is not known what a score was made of.
func errUnexplained(day health.Day, field string) *Error {
	return &Error{
		Code: codes.NotFound, Reason: reasonHistory,
		Message: fmt.Sprintf("%s: what the score of %s was made of is not known", field, day),
	}
}

// errHistory says for which days there are scores.
func errHistory(rows []health.Row, day health.Day, field string) *Error {
	e := &Error{
		Code: codes.NotFound, Reason: reasonHistory,
		Message: fmt.Sprintf("%s: the account has no score of %s or the 6 days before", field, day),
	}
	if len(rows) > 0 {
		e.Message += fmt.Sprintf("; there are scores from %s to %s", rows[0].Day, rows[len(rows)-1].Day)
	}

	return e
}

// point is a score at one time in answers.
func point(x *health.Explanation) *healthv1.ScorePoint {
	numbers := make(floats, 1)

	return &healthv1.ScorePoint{
		Day: x.Day.String(), Score: numbers.of(x.Result.Score), Band: healthv1.Band(x.Result.Band),
		Stage: healthv1.Stage(x.Result.Stage), Scorecard: x.Result.Card, ScorecardVersion: x.Result.SetVersion,
	}
}

// dimensionChange is a dimension's share in answers.
func dimensionChange(d *health.DimensionChange, happened *health.Span) *healthv1.DimensionChange {
	out := &healthv1.DimensionChange{Name: d.Name, Change: float(d.Change)}

	for i := range d.Measures {
		m := &d.Measures[i]
		numbers := make(floats, 2)
		to := &healthv1.MeasureChange{
			Name: m.Measure.Name(), Unit: m.Measure.Unit(), Change: float(m.Change),
			FromValue: numbers.of(m.From), ToValue: numbers.of(m.To),
		}
		drivers := happened.Drivers(m)
		to.MoreDrivers = int32(max(0, len(drivers)-maxDrivers)) //nolint:gosec // bounded by what an account holds

		for j := range drivers[:min(maxDrivers, len(drivers))] {
			to.Drivers = append(to.Drivers, driver(&drivers[j]))
		}

		out.Measures = append(out.Measures, to)
	}

	return out
}

// driver is what is behind a change in answers.
func driver(d *health.Driver) *healthv1.Driver {
	out := &healthv1.Driver{Kind: healthv1.Driver_Kind(d.Kind), Subject: d.Subject, Text: d.Text}
	if d.Day != nil {
		out.Day = d.Day.String()
	}

	return out
}
