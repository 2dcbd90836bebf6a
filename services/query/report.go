package query

import (
	"context"
	"errors"
	"fmt"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
)

// quarterMonths and yearMonths are how many months a quarter and a year have.
const quarterMonths, yearMonths = 3, 12

// GetReport implements HealthService.
func (h *healthServer) GetReport(
	ctx context.Context, req *healthv1.GetReportRequest,
) (*healthv1.GetReportResponse, error) {
	v, err := h.service.past(ctx, req.GetAccountId(), "")
	if err != nil {
		return nil, err
	}

	quarter, from, to, err := quarterDays(req.GetQuarter(), v.account.Day())
	if err != nil {
		return nil, err
	}

	p := v.account.Profile()
	report := &healthv1.Report{
		AccountId: req.GetAccountId(), Quarter: quarter, FromDate: from.String(), ToDate: to.String(),
		AsOf: timestamp(v.logTime), Profile: profile(&p),
	}

	if report.Facts, err = h.service.facts(ctx, req.GetAccountId(), v, defaultFacts); err != nil {
		return nil, err
	}

	if err := h.service.addPast(ctx, report, v, from, to); err != nil {
		return nil, err
	}

	document, err := h.service.document(report, req.GetFormat())
	if err != nil {
		return nil, err
	}

	return &healthv1.GetReportResponse{Report: report, Document: document}, nil
}

// addPast adds the weeks of the quarter and the comparison of its ends. A quarter that begins before the first score is
// compared from that on; without two scores there is no comparison.
func (s *Service) addPast(ctx context.Context, report *healthv1.Report, v *view, from, to health.Day) error {
	rows, err := v.history()
	if err != nil {
		return err
	}

	var first, last *health.Row

	for i := range rows {
		r := &rows[i]
		if r.Day < from-1 || r.Day > to {
			continue
		}

		if first == nil {
			first = r
		}

		last = r

		if r.Day >= from && stands(rows, i, to, healthv1.HistoryStep_HISTORY_STEP_WEEK) {
			report.Weeks = append(report.Weeks, historyRow(r))
		}
	}

	if first == nil || first == last {
		return nil
	}

	report.Comparison, err = s.accounts.compare(ctx, v, rows, first.Day, last.Day)

	var known *Error
	if errors.As(err, &known) && known.Reason == reasonHistory {
		return nil // rows of before there were measures in them
	}

	return err
}

// document writes a report in a format; empty if none is wanted.
func (s *Service) document(r *healthv1.Report, format healthv1.ReportFormat) (string, error) {
	write := s.reports.Markdown

	switch format {
	case healthv1.ReportFormat_REPORT_FORMAT_UNSPECIFIED:
		return "", nil
	case healthv1.ReportFormat_REPORT_FORMAT_HTML:
		write = s.reports.HTML
	case healthv1.ReportFormat_REPORT_FORMAT_MARKDOWN:
	}

	text, err := write(r)
	if err != nil {
		return "", fmt.Errorf("writing the report of account %q: %w", r.GetAccountId(), err)
	}

	return text, nil
}

// quarterDays reads a quarter, for example 2026-Q3; empty is the one that today is in. It ends today if it is not over.
func quarterDays(text string, today health.Day) (name string, from, to health.Day, err error) {
	month := health.MonthOf(today)
	month -= (month%quarterMonths + quarterMonths) % quarterMonths

	if text != "" {
		var year, quarter int
		if _, err := fmt.Sscanf(text, "%d-Q%d", &year, &quarter); err != nil {
			return "", 0, 0, invalid("quarter", "quarter.syntax", "is written like 2026-Q3")
		}

		day, _ := health.ParseDay(fmt.Sprintf("%04d-%02d-01", year, (quarter-1)*quarterMonths+1))
		month = health.MonthOf(day)
	}

	from, to = month.First(), min((month+quarterMonths-1).Last(), today)
	if from > today {
		return "", 0, 0, invalid("quarter", "quarter.future", "has not begun")
	}

	return fmt.Sprintf("%s-Q%d", from.String()[:4], (month%yearMonths+yearMonths)%yearMonths/quarterMonths+1), from, to, nil
}
