package client

import (
	"context"
	"fmt"
	"iter"

	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// Accounts yields all accounts that a request asks for, page after page. It begins at the request's page token, and
// ends with the first error, which it yields. The request is not changed.
func (c *Client) Accounts(
	ctx context.Context, req *healthv1.ListAccountsRequest,
) iter.Seq2[*healthv1.AccountSummary, error] {
	return func(yield func(*healthv1.AccountSummary, error) bool) {
		page, _ := proto.Clone(req).(*healthv1.ListAccountsRequest)
		if page == nil {
			page = &healthv1.ListAccountsRequest{}
		}

		for {
			answer, err := c.Health.ListAccounts(ctx, page)
			if err != nil {
				yield(nil, fmt.Errorf("client: listing accounts: %w", err))

				return
			}

			for _, a := range answer.GetAccounts() {
				if !yield(a, nil) {
					return
				}
			}

			if page.PageToken = answer.GetNextPageToken(); page.GetPageToken() == "" {
				return
			}
		}
	}
}
