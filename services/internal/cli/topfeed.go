package cli

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/cli/top"
)

const (
	// portfolioPause is the least time between two looks at the figures, portfolioEvery the most.
	portfolioPause, portfolioEvery = 2 * time.Second, 30 * time.Second
)

// topFeeds bring messages to the view.
type topFeeds struct {
	alerts  alertv1.AlertServiceClient
	health  healthv1.HealthServiceClient
	send    func(tea.Msg)
	timeout time.Duration
	// moved holds something when the figures of the portfolio may be others.
	moved chan struct{}
}

func newTopFeeds(conn grpc.ClientConnInterface, send func(tea.Msg), timeout time.Duration) *topFeeds {
	return &topFeeds{
		alerts: alertv1.NewAlertServiceClient(conn), health: healthv1.NewHealthServiceClient(conn),
		send: send, timeout: timeout, moved: make(chan struct{}, 1),
	}
}

// all are the feeds; each runs until its context ends, or it cannot go on.
func (f *topFeeds) all() []func(context.Context) error {
	return []func(context.Context) error{f.watchAlerts, f.watchAccounts, f.readPortfolio, f.tick}
}

// cut tells that a feed was cut and goes on.
func (f *topFeeds) cut(feed top.Feed) func(error) {
	return func(err error) { f.send(top.FeedState{Feed: feed, Err: flatError(err)}) }
}

func (f *topFeeds) watchAlerts(ctx context.Context) error {
	q := &alertv1.WatchAlertsRequest{Snapshot: true}

	return followStream(ctx, func(ctx context.Context) (heard bool, err error) {
		stream, err := f.alerts.WatchAlerts(ctx, q)
		if err != nil {
			return false, err
		}

		for {
			part, err := stream.Recv()
			if err != nil {
				return heard, err //nolint:wrapcheck // followStream does
			}

			// Without a token a snapshot was cut: this is another one, from its beginning.
			part.Reset_ = part.GetReset_() || (!heard && q.GetResumeToken() == "")
			heard = true

			f.send(top.AlertsPart{Part: part})

			if t := part.GetResumeToken(); t != "" {
				q.ResumeToken = t
			}
		}
	}, f.cut(top.FeedAlerts))
}

func (f *topFeeds) watchAccounts(ctx context.Context) error {
	q := &healthv1.WatchHealthRequest{Snapshot: true, ReadMask: &fieldmaskpb.FieldMask{
		Paths: []string{"account_id", "name", "score", "band", "score_change_7d"},
	}}

	return followStream(ctx, func(ctx context.Context) (heard bool, err error) {
		stream, err := f.health.WatchHealth(ctx, q)
		if err != nil {
			return false, err
		}

		for {
			part, err := stream.Recv()
			if err != nil {
				return heard, err //nolint:wrapcheck // followStream does
			}

			part.Reset_ = part.GetReset_() || (!heard && q.GetResumeToken() == "")
			heard = true

			f.send(top.AccountsPart{Part: part})

			if len(part.GetChanges()) > 0 {
				f.mark()
			}

			if t := part.GetResumeToken(); t != "" {
				q.ResumeToken = t
			}
		}
	}, f.cut(top.FeedAccounts))
}

// mark says that the figures of the portfolio may be others.
func (f *topFeeds) mark() {
	select {
	case f.moved <- struct{}{}:
	default: // it is said already
	}
}

// readPortfolio reads the figures when accounts changed, and now and then: days pass too.
func (f *topFeeds) readPortfolio(ctx context.Context) error {
	for {
		if err := f.readPortfolioOnce(ctx); err != nil && ctx.Err() == nil {
			f.cut(top.FeedPortfolio)(err)
		}

		if !wait(ctx, portfolioPause) {
			return nil
		}

		select {
		case <-ctx.Done():
			return nil
		case <-f.moved:
		case <-time.After(portfolioEvery):
		}
	}
}

func (f *topFeeds) readPortfolioOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()

	r, err := f.health.GetPortfolio(ctx, &healthv1.GetPortfolioRequest{Limit: 1})
	if err != nil {
		return fmt.Errorf("summing up the portfolio: %w", err)
	}

	f.send(top.PortfolioRead{Portfolio: r})

	return nil
}

// tick tells the time.
func (f *topFeeds) tick(ctx context.Context) error {
	for wait(ctx, time.Second) {
		f.send(top.Tick(time.Now()))
	}

	return nil
}

// wait waits, and says whether ctx goes on.
func wait(ctx context.Context, long time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(long):
		return true
	}
}
