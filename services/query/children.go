package query

import (
	"context"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/query/internal/portfolio"
)

// children sums up the caller's accounts right under one, as far as the lists are; nil: there are none, or the lists
// are being filled, and part of the children would look like all of them.
func (s *Service) children(ctx context.Context, account string) *healthv1.Children {
	ws, err := workspace(ctx)
	if err != nil {
		return nil
	}

	rows := s.feed.book.Table(ws).Children(account)
	if len(rows) == 0 || s.feed.ready() != nil {
		return nil
	}

	return portfolio.Children(rows)
}
