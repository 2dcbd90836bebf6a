package query

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/portfolio"
)

// What GetPortfolio takes where the request does not say.
const (
	defaultMonths       = 12
	defaultMovementDays = 30
	defaultRenewalDays  = 90
	defaultEntries      = 50
)

// GetPortfolio implements HealthService.
func (h *healthServer) GetPortfolio(
	ctx context.Context, req *healthv1.GetPortfolioRequest,
) (*healthv1.GetPortfolioResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	filter, err := column.ParseFilter(req.GetFilter(), h.service.namedIn(ws))
	if err != nil {
		return nil, badFilter(err)
	}

	if err := h.service.listsAt(ctx, req.GetAtLeast()); err != nil {
		return nil, err
	}

	asOf := h.service.feed.asOf() // before the rows are taken, so that they are no older
	if asOf == 0 {                // nothing ever happened, so there is no today
		return &healthv1.GetPortfolioResponse{Total: &healthv1.Group{}}, nil
	}

	options, err := portfolioOptions(req, health.DayOf(asOf))
	if err != nil {
		return nil, err
	}

	answer, err := figures(ctx, slices.Collect(h.service.feed.book.Table(ws).All()), filter, options)
	if err != nil {
		return nil, fmt.Errorf("summing up the portfolio: %w", err)
	}

	answer.AsOf = timestamp(asOf)

	return answer, nil
}

// portfolioOptions reads a request. The currency may still be empty.
func portfolioOptions(req *healthv1.GetPortfolioRequest, today health.Day) (portfolio.Options, error) {
	o := portfolio.Options{
		Today: today, Currency: req.GetCurrency(),
		MovementDays: int(cmp.Or(req.GetMovementDays(), defaultMovementDays)),
		RenewalDays:  int(cmp.Or(req.GetRenewalDays(), defaultRenewalDays)),
		Limit:        int(cmp.Or(req.GetLimit(), defaultEntries)),
	}

	var (
		now = health.MonthOf(today)
		err error
	)

	if o.To, err = month("to_month", req.GetToMonth(), now); err != nil {
		return o, err
	}

	if o.To > now {
		return o, invalid("to_month", "month.future", fmt.Sprintf("%s has not begun", o.To))
	}

	if o.From, err = month("from_month", req.GetFromMonth(), o.To-defaultMonths+1); err != nil {
		return o, err
	}

	switch oldest := now - portfolio.MaxMonths + 1; {
	case o.From > o.To:
		return o, invalid("from_month", "month.order", fmt.Sprintf("%s is after %s", o.From, o.To))
	case o.From < oldest && req.GetFromMonth() != "":
		return o, invalid("from_month", "month.too_old", fmt.Sprintf("months are kept from %s on", oldest))
	case o.To < oldest:
		return o, invalid("to_month", "month.too_old", fmt.Sprintf("months are kept from %s on", oldest))
	default:
		o.From = max(o.From, oldest)
	}

	return o, nil
}

// month reads a month of the request.
func month(field, text string, otherwise health.Month) (health.Month, error) {
	if text == "" {
		return otherwise, nil
	}

	day, ok := health.ParseDay(text + "-01")
	if !ok {
		return 0, invalid(field, "month.invalid", fmt.Sprintf("%q is no month of the calendar, YYYY-MM", text))
	}

	return health.MonthOf(day), nil
}

// figures sums up the rows that the filter wants, on all processors.
func figures(
	ctx context.Context, rows []*column.Row, filter *column.Filter, o portfolio.Options,
) (*healthv1.GetPortfolioResponse, error) {
	workers := runtime.GOMAXPROCS(0)
	votes := make([]portfolio.Votes, workers)

	err := eachPiece(ctx, rows, func(worker int, piece []*column.Row) {
		for i, r := range piece {
			if filter.Match(r) {
				votes[worker].Add(r)
			} else {
				piece[i] = nil // the slice is ours
			}
		}
	})
	if err != nil {
		return nil, err
	}

	for i := range votes[1:] {
		votes[0].Merge(&votes[i+1])
	}

	o.Currency = cmp.Or(o.Currency, votes[0].Winner())

	sums := make([]*portfolio.Sum, workers)
	for i := range sums {
		sums[i] = portfolio.New(o)
	}

	err = eachPiece(ctx, rows, func(worker int, piece []*column.Row) {
		for _, r := range piece {
			if r != nil {
				sums[worker].Add(r)
			}
		}
	})
	if err != nil {
		return nil, err
	}

	for _, s := range sums[1:] {
		sums[0].Merge(s)
	}

	return sums[0].Figures(), nil
}

// pieceRows is how many rows a worker takes at once: enough that taking costs nothing, so few that all end together.
const pieceRows = 4096

// eachPiece hands all rows to f in pieces, to as many workers at the same time as there are processors.
func eachPiece(ctx context.Context, rows []*column.Row, f func(worker int, piece []*column.Row)) error {
	var next atomic.Int64

	g, ctx := errgroup.WithContext(ctx)

	for worker := range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for {
				first := int(next.Add(pieceRows)) - pieceRows
				if first >= len(rows) {
					return nil
				}

				if err := ctx.Err(); err != nil {
					return err
				}

				f(worker, rows[first:min(first+pieceRows, len(rows))])
			}
		})
	}

	return g.Wait() //nolint:wrapcheck // a context's own error
}
