package query

import (
	"context"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

// GetHistory implements HealthService.
func (h *healthServer) GetHistory(
	ctx context.Context, req *healthv1.GetHistoryRequest,
) (*healthv1.GetHistoryResponse, error) {
	from, to, err := span(req.GetFromDate(), req.GetToDate())
	if err != nil {
		return nil, err
	}

	v, err := h.service.past(ctx, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	rows, err := v.history()
	if err != nil {
		return nil, err
	}

	answer := &healthv1.GetHistoryResponse{AsOf: timestamp(v.logTime)}

	for i := range rows {
		if r := &rows[i]; r.Day >= from && r.Day <= to && stands(rows, i, to, req.GetStep()) {
			answer.Rows = append(answer.Rows, historyRow(r))
		}
	}

	return answer, nil
}

// past reads an account of the caller with its history, once what at_least names is in it.
func (s *Service) past(ctx context.Context, account, atLeast string) (*view, error) {
	v, err := s.account(ctx, account, atLeast)
	if err != nil {
		return nil, err
	}

	return s.accounts.withHistory(ctx, v)
}

// eraCount is how many eras of history are read: the 400 days that are kept reach into five, and one more, should a
// new one begin between two reads.
const eraCount = 6

// withHistory reads an account again, together with its history. Which eras there are follows from the account's
// day, so it takes a second read.
func (a *accounts) withHistory(ctx context.Context, v *view) (*view, error) {
	ws, _, _ := store.SplitAccount(v.id)
	last := fold.EraOf(v.account.Day()) + 1
	keys := make([]string, 0, eraCount)

	for era := last - eraCount + 1; era <= last; era++ {
		keys = append(keys, store.HistoryKey(v.id, era))
	}

	v, err := a.read(ctx, v.partition, ws, v.id, keys...)
	if err != nil {
		return nil, err
	}

	if v.account == nil { // the store fell back
		return nil, errNoAccount()
	}

	return v, nil
}

// keptDays is for how many days rows are kept.
const keptDays = 400

// history returns the rows of an account, oldest first, with that of today, which is not final yet.
func (v *view) history() ([]health.Row, error) {
	var rows []health.Row

	for _, value := range v.extra {
		some, err := health.DecodeRows(value)
		if err != nil {
			return nil, unusable("the history of an account", err)
		}

		rows = append(rows, some...)
	}

	rows = append(rows, v.rows...)

	today := v.account.Day()
	if r := v.account.Result(); r.Card != "" && r.Stage != health.StageChurned {
		rows = append(rows, health.Row{
			Day: today, Score: r.Score, Band: r.Band, Coverage: r.Coverage, Stage: r.Stage,
			Card: r.Card, SetVersion: r.SetVersion, Dimensions: r.Dimensions,
			Measures: v.account.Values(v.set), HasMeasures: true,
		})
	}

	for len(rows) > 0 && rows[0].Day < today-keptDays {
		rows = rows[1:]
	}

	return rows, nil
}

// earliest and latest stand for an end of a range that the request leaves open.
const earliest, latest = health.Day(-1 << 31), health.Day(1<<31 - 1)

// span reads the range of days of a request.
func span(fromDate, toDate string) (from, to health.Day, err error) {
	var ok bool

	from, to = earliest, latest

	if fromDate != "" {
		if from, ok = health.ParseDay(fromDate); !ok {
			return 0, 0, invalid("from_date", "date.calendar", "is not a day of the calendar")
		}
	}

	if toDate != "" {
		if to, ok = health.ParseDay(toDate); !ok {
			return 0, 0, invalid("to_date", "date.calendar", "is not a day of the calendar")
		}
	}

	if from > to {
		return 0, 0, invalid("to_date", "date.order", "is before from_date")
	}

	return from, to, nil
}

// weekDays is how many days a week has; weekOffset is how many days lie between a Monday and 1970-01-01, a Thursday.
const weekDays, weekOffset = 7, 3

// stands reports whether a row is one of those that a step leaves: of a week its last that is wanted.
func stands(rows []health.Row, i int, to health.Day, step healthv1.HistoryStep) bool {
	last := i+1 == len(rows) || rows[i+1].Day > to

	return step != healthv1.HistoryStep_HISTORY_STEP_WEEK || last || weekOf(rows[i+1].Day) != weekOf(rows[i].Day)
}

// weekOf numbers the weeks from Monday to Sunday.
func weekOf(d health.Day) health.Day {
	d += weekOffset
	if d < 0 {
		d -= weekDays - 1
	}

	return d / weekDays
}
