package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/query/internal/board"
)

// alertServer implements AlertService.
type alertServer struct {
	alertv1.UnimplementedAlertServiceServer

	service *Service
}

// alertBytes is how large a part of an answer about alerts is that takes no more: clients take 4 MiB. The last that it
// takes may be as large as a record of the stream, 1 MiB.
const alertBytes = 1 << 20

// Deliveries says how alerts were delivered. The notify service's stream will be one.
type Deliveries interface {
	// Of returns what became of the notifications of an alert, the newest first.
	Of(ctx context.Context, workspace, alertID string) ([]*alertv1.Delivery, error)
}

// alertsReady refuses while alerts are being read.
func (s *Service) alertsReady() error {
	if err := errors.Join(s.alerts.ready(), s.silences.ready()); err != nil {
		return errAlertsFilling(err)
	}

	return nil
}

func errAlertsFilling(cause error) error {
	return &Error{Code: codes.Unavailable, Reason: reasonFilling, Message: "the alerts are being read", cause: cause}
}

// ListAlerts implements AlertService.
func (a *alertServer) ListAlerts(
	ctx context.Context, req *alertv1.ListAlertsRequest,
) (*alertv1.ListAlertsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := a.service.alertsReady(); err != nil {
		return nil, err
	}

	q, err := alertQuery(req)
	if err != nil {
		return nil, err
	}

	page := a.service.alerts.board.Find(ws, &q)
	shown := a.service.silences.markedPage(ws, page.Alerts)
	answer := &alertv1.ListAlertsResponse{
		Alerts: shown, TotalSize: int32(page.Total), //nolint:gosec // far below
	}

	if page.More || len(shown) < len(page.Alerts) {
		answer.NextPageToken = board.After(q.Filter, q.Order, shown[len(shown)-1]).String()
	}

	return answer, nil
}

// alertQuery reads what a request asks for.
func alertQuery(req *alertv1.ListAlertsRequest) (board.Query, error) {
	q := board.Query{Limit: pageSize(req.GetPageSize())}

	var err error
	if q.Filter, err = board.ParseFilter(req.GetFilter()); err != nil {
		return q, badFilter(err)
	}

	if q.Filter == nil {
		q.Filter = board.Open()
	}

	if q.Order, err = board.ParseOrder(req.GetOrderBy()); err != nil {
		return q, badOrder(err)
	}

	if text := req.GetPageToken(); text != "" {
		p, err := board.ParsePosition(q.Filter, q.Order, text)
		if err != nil {
			return q, errPageToken("it is not one of this filter in this order")
		}

		q.After = &p
	}

	return q, nil
}

// foundAlert is an alert of the caller.
type foundAlert struct {
	workspace string
	partition int
	alert     *alertv1.Alert // shared
}

// alertPatience is how long an alert is waited for of which another process may have told already.
const alertPatience = 2 * time.Second

// findAlert finds an alert of the caller. One that is not here may be in the stream already.
func (s *Service) findAlert(ctx context.Context, id string) (*foundAlert, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := s.alertsReady(); err != nil {
		return nil, err
	}

	for caughtUp := false; ; caughtUp = true {
		if a, partition := s.alerts.board.Get(ws, id); a != nil {
			return &foundAlert{workspace: ws, partition: partition, alert: a}, nil
		}

		if caughtUp {
			return nil, &Error{Code: codes.NotFound, Reason: reasonAlert, Message: fmt.Sprintf("there is no alert %q", id)}
		}

		last, err := s.deps.Alerts.Last(ctx)
		if err != nil {
			return nil, alertsFailed("looking for an alert", err)
		}

		waiting, cancel := context.WithTimeoutCause(ctx, alertPatience, errWaited)
		err = s.alerts.board.Await(waiting, last)

		cancel()

		if err != nil && !errors.Is(err, errWaited) {
			return nil, fmt.Errorf("waiting for an alert: %w", err)
		}
	}
}

// alertsFailed is the answer when the stream of alerts does not answer.
func alertsFailed(doing string, err error) error {
	return unavailable(reasonAlerts, "the stream of alerts does not answer", fmt.Errorf("%s: %w", doing, err))
}
