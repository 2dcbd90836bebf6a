package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
)

func (a *app) alertsCommand() *cobra.Command {
	return parent("alerts", "Alerts: list, show, watch, acknowledge, snooze, resolve, assign, comment",
		a.alertsListCommand(), a.alertsShowCommand(), a.alertsWatchCommand(), a.alertsAckCommand(), a.alertsSnoozeCommand(),
		a.alertsResolveCommand(), a.alertsAssignCommand(), a.alertsCommentCommand())
}

// alerts calls f with a client of the alert service that has a role.
func (a *app) alerts(
	ctx context.Context, role access.Role, f func(context.Context, alertv1.AlertServiceClient) error,
) error {
	conn, err := a.settings.dial(role)
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close() }() // the answer is there

	ctx, cancel := a.settings.within(ctx)
	defer cancel()

	return f(ctx, alertv1.NewAlertServiceClient(conn))
}

func (a *app) alertsListCommand() *cobra.Command {
	var (
		q     = &alertv1.ListAlertsRequest{}
		limit int
	)

	cmd := &cobra.Command{
		Use: "list", Short: "List alerts: those that are open, or what a filter wants", Args: arguments(0, 0, "no arguments"),
		Example: "  hale alerts list\n" +
			"  hale alerts list --filter 'severity = critical AND arr_at_risk > 10000' --order-by 'arr_at_risk desc'\n" +
			"  hale alerts list --filter 'account_id = acme AND state = resolved' -o jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError("--limit must not be negative")
			}

			return a.alerts(cmd.Context(), access.RoleViewer, func(ctx context.Context, c alertv1.AlertServiceClient) error {
				views, total, err := listAlerts(ctx, c, q, limit)
				if err != nil {
					return err
				}

				if len(views) < int(total) {
					a.sayf("%d of %d alerts", len(views), total)
				}

				return many(a.printer(), views, drawAlerts(views))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().IntVar(&limit, "limit", 0, "at most this many; 0: all")
	cmd.Flags().StringVar(&q.Filter, "filter", "",
		"which alerts, such as 'severity = critical AND owner = maya'; empty: all that are open")
	cmd.Flags().StringVar(&q.OrderBy, "order-by", "",
		"up to 5 fields, comma-separated, each with ` desc` behind; empty: severity desc, fire_time desc")

	return cmd
}

// listAlerts reads pages until it has limit alerts (0: all).
func listAlerts(
	ctx context.Context, c alertv1.AlertServiceClient, q *alertv1.ListAlertsRequest, limit int,
) (views []alertView, total int32, err error) {
	for {
		q.PageSize = maxPage
		if limit > 0 {
			q.PageSize = int32(min(maxPage, limit-len(views))) //nolint:gosec // at most maxPage
		}

		r, err := c.ListAlerts(ctx, q)
		if err != nil {
			return nil, 0, fmt.Errorf("listing alerts: %w", err)
		}

		total = max(total, r.GetTotalSize())

		for _, one := range r.GetAlerts() {
			views = append(views, viewAlert(one))
		}

		q.PageToken = r.GetNextPageToken()
		if q.GetPageToken() == "" || (limit > 0 && len(views) >= limit) {
			return views, total, nil
		}
	}
}

func (a *app) alertsShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show ALERT", Short: "Show an alert, what moved, and what happened to it", Args: arguments(1, 1, "the alert's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.alerts(cmd.Context(), access.RoleViewer, func(ctx context.Context, c alertv1.AlertServiceClient) error {
				r, err := readTrail(ctx, c, args[0])
				if err != nil {
					return err
				}

				v := viewTrail(r)

				return a.printer().one(v, drawTrail(&v))
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// readTrail reads an alert with all pages of its trail.
func readTrail(ctx context.Context, c alertv1.AlertServiceClient, id string) (*alertv1.GetAlertResponse, error) {
	all := &alertv1.GetAlertResponse{}

	for q := (&alertv1.GetAlertRequest{AlertId: id}); ; {
		r, err := c.GetAlert(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading alert %q: %w", id, err)
		}

		all.Alert, all.Trail = r.GetAlert(), append(all.GetTrail(), r.GetTrail()...)
		all.Deliveries = append(r.GetDeliveries(), all.GetDeliveries()...) // the newest first

		if q.TrailPageToken = r.GetNextTrailPageToken(); q.GetTrailPageToken() == "" {
			return all, nil
		}
	}
}
