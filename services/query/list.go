package query

import (
	"context"
	"errors"

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

	if err := h.service.listsAt(ctx, req.GetAtLeast()); err != nil {
		return nil, err
	}

	q, err := h.service.query(ws, req)
	if err != nil {
		return nil, err
	}

	fields, err := parseMask(req.GetReadMask())
	if err != nil {
		return nil, err
	}

	asOf := h.service.feed.asOf() // before the page is taken, so that the page is no older
	found := h.service.feed.book.Table(ws).Find(q)
	answer := &healthv1.ListAccountsResponse{
		Accounts: summaries(found.Rows, fields), TotalSize: int32(max(found.Total, 0)), //nolint:gosec // far below
		AsOf: timestamp(asOf),
	}

	if found.More {
		answer.NextPageToken = column.After(q.Filter, q.Order, found.Rows[len(found.Rows)-1]).String()
	}

	return answer, nil
}

// query reads what a request asks for.
func (s *Service) query(ws string, req *healthv1.ListAccountsRequest) (column.Query, error) {
	q := column.Query{Limit: pageSize(req.GetPageSize()), Count: req.GetCountTotal()}

	var err error
	if q.Filter, err = column.ParseFilter(req.GetFilter(), s.namedIn(ws)); err != nil {
		return q, badFilter(err)
	}

	if q.Order, err = column.ParseOrder(req.GetOrderBy()); err != nil {
		return q, badOrder(err)
	}

	if text := req.GetPageToken(); text != "" {
		p, err := column.ParsePosition(q.Filter, q.Order, text)
		if err != nil {
			return q, errPageToken("it is not one of this filter in this order")
		}

		q.After = &p
	}

	return q, nil
}

// namedIn finds the filters of a workspace's segments; nil: it has none.
func (s *Service) namedIn(ws string) func(name string) (*column.Filter, bool) {
	if s.named == nil {
		return nil
	}

	return func(name string) (*column.Filter, bool) { return s.named(ws, name) }
}

// badFilter is the answer to a filter that cannot be used.
func badFilter(err error) error {
	if bad, ok := errors.AsType[*column.FilterError](err); ok {
		return invalid("filter", bad.Code, bad.Error())
	}

	return err
}

// badOrder is the answer to an order that lists do not have.
func badOrder(err error) error {
	if bad, ok := errors.AsType[*column.OrderError](err); ok {
		return invalid("order_by", bad.Code, bad.Error())
	}

	return err
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
	if err := errors.Join(s.segments.ready(), s.feed.ready()); err != nil {
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
