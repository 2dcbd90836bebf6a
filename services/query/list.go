package query

import (
	"context"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/query/internal/column"
)

// defaultPage is how many entries a page has when the request does not say.
const defaultPage = 100

// ListAccounts implements HealthService.
func (h *healthServer) ListAccounts(
	ctx context.Context, req *healthv1.ListAccountsRequest,
) (*healthv1.ListAccountsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	order, err := column.ParseOrder(req.GetOrderBy())
	if err != nil {
		return nil, invalid("order_by", "order_by.unknown", err.Error())
	}

	var after *column.Position

	if text := req.GetPageToken(); text != "" {
		p, err := column.ParsePosition(order, text)
		if err != nil {
			return nil, errPageToken("it is not one of this list in this order")
		}

		after = &p
	}

	if err := h.service.listsAt(ctx, req.GetAtLeast()); err != nil {
		return nil, err
	}

	asOf := h.service.feed.asOf() // before the page is taken, so that the page is no older
	page, more, total := h.service.feed.book.Table(ws).Page(order, after, pageSize(req.GetPageSize()))
	answer := &healthv1.ListAccountsResponse{
		Accounts: summaries(page), TotalSize: int32(total), AsOf: timestamp(asOf), //nolint:gosec // far below
	}

	if more {
		answer.NextPageToken = column.After(order, page[len(page)-1]).String()
	}

	return answer, nil
}

// pageSize is the size of a page.
func pageSize(asked int32) int {
	if asked == 0 {
		return defaultPage
	}

	return int(asked)
}

func errPageToken(why string) *Error {
	return &Error{Code: codes.InvalidArgument, Reason: reasonPageToken, Message: "page_token: " + why}
}

// listsAt returns when what at_least names is in the lists.
func (s *Service) listsAt(ctx context.Context, atLeast string) error {
	if err := s.feed.ready(); err != nil {
		return &Error{
			Code: codes.Unavailable, Reason: reasonFilling, Message: "the lists are being filled", cause: err,
		}
	}

	token, waits, err := s.token(atLeast)
	if err != nil || !waits {
		return err
	}

	return s.patiently(ctx, func(waiting context.Context) error { return s.feed.waitAll(waiting, token) })
}

// waitAll returns when the columns have reached every place of a token.
func (f *feed) waitAll(ctx context.Context, t eventlog.Token) error {
	var failed error

	t.Each(func(partition int, sequence uint64) {
		if failed == nil {
			failed = f.wait(ctx, partition, sequence)
		}
	})

	return failed
}

// summaries are rows in answers.
func summaries(rows []*column.Row) []*healthv1.AccountSummary {
	var (
		all  = make([]*healthv1.AccountSummary, len(rows))
		slab = make([]healthv1.AccountSummary, len(rows))
	)

	for i, r := range rows {
		s := &slab[i]
		s.AccountId, s.Name, s.Band, s.Stage = r.Account, r.Name, r.Band, r.Stage
		s.Currency, s.Owner, s.Segment, s.Plan = r.Currency, r.Owner, r.Segment, r.Plan
		s.Coverage = float(r.Coverage)

		if r.ScoreKnown {
			score := float(r.Score)
			s.Score = &score
		}

		if r.ARRKnown {
			arr := float(r.ARR)
			s.Arr = &arr
		}

		all[i] = s
	}

	return all
}
