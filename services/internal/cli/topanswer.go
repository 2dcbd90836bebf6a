package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"google.golang.org/protobuf/types/known/durationpb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/top"
)

// topAnswers answers what the view asks for.
type topAnswers struct {
	app    *app
	author string
}

func (t *topAnswers) answer(ctx context.Context, request any) tea.Msg {
	switch r := request.(type) {
	case top.Decide:
		alert, err := t.decide(ctx, r)

		return top.Decided{Request: r, Alert: alert, Err: flatError(err)}
	case top.Explain:
		text, err := t.explain(ctx, r.AccountID)

		return top.Explained{AccountID: r.AccountID, Text: text, Err: flatError(err)}
	case top.Match:
		ids, err := t.match(ctx, r.Filter)

		return top.Matched{Filter: r.Filter, IDs: ids, Err: flatError(err)}
	case top.List:
		accounts, total, err := t.list(ctx, r.Filter)

		return top.Listed{Filter: r.Filter, Accounts: accounts, Total: total, Err: flatError(err)}
	default:
		return nil
	}
}

// decide sends a decision with the key of an operator.
func (t *topAnswers) decide(ctx context.Context, d top.Decide) (alert *alertv1.Alert, err error) {
	err = t.app.alerts(ctx, access.RoleOperator, func(ctx context.Context, c alertv1.AlertServiceClient) error {
		alert, err = t.send(ctx, c, d)

		return err
	})

	return alert, err
}

func (t *topAnswers) send(ctx context.Context, c alertv1.AlertServiceClient, d top.Decide) (*alertv1.Alert, error) {
	switch d.Action {
	case top.Acknowledge:
		r, err := c.AcknowledgeAlert(ctx, &alertv1.AcknowledgeAlertRequest{
			AlertId: d.AlertID, Revision: d.Revision, Author: t.author,
		})

		return r.GetAlert(), err
	case top.Snooze:
		r, err := c.SnoozeAlert(ctx, &alertv1.SnoozeAlertRequest{
			AlertId: d.AlertID, Revision: d.Revision, Author: t.author, Duration: durationpb.New(d.For),
		})

		return r.GetAlert(), err
	case top.Resolve:
		r, err := c.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: d.AlertID, Revision: d.Revision, Author: t.author})

		return r.GetAlert(), err
	case top.Comment:
		r, err := c.CommentAlert(ctx, &alertv1.CommentAlertRequest{AlertId: d.AlertID, Comment: d.Text, Author: t.author})

		return r.GetAlert(), err
	default:
		return nil, fmt.Errorf("there is no decision %q", d.Action)
	}
}

// explain is what `hale accounts explain` and `hale accounts facts` print, the first narrower.
func (t *topAnswers) explain(ctx context.Context, account string) (string, error) {
	h, err := t.app.getHealth(ctx, account, "")
	if err != nil {
		return "", err
	}

	var b strings.Builder

	if err := drawHeading(&b, h); err != nil {
		return "", err
	}

	whole := explanationTable(h)
	measures := whole.narrow()

	if err := measures.write(&b); err != nil {
		return "", err
	}

	err = t.app.health(ctx, func(ctx context.Context, c healthv1.HealthServiceClient) error {
		r, err := c.GetFacts(ctx, &healthv1.GetFactsRequest{AccountId: account})
		if err != nil {
			return fmt.Errorf("reading the facts of account %q: %w", account, err)
		}

		b.WriteString("\nFacts\n")

		return drawFacts(r.GetFacts())(&b)
	})

	return b.String(), err
}

// match finds the open alerts that a filter wants.
func (t *topAnswers) match(ctx context.Context, filter string) (ids []string, err error) {
	err = t.app.alerts(ctx, access.RoleViewer, func(ctx context.Context, c alertv1.AlertServiceClient) error {
		found, _, err := listAlerts(ctx, c, &alertv1.ListAlertsRequest{Filter: "(" + filter + ") AND state < resolved"}, 0)

		for i := range found {
			ids = append(ids, found[i].AlertID)
		}

		return err
	})

	return ids, err
}

// topAccounts is how many accounts the view shows.
const topAccounts = 500

func (t *topAnswers) list(ctx context.Context, filter string) (accounts []*healthv1.AccountSummary, total int32, err error) {
	err = t.app.health(ctx, func(ctx context.Context, c healthv1.HealthServiceClient) error {
		q := &healthv1.ListAccountsRequest{Filter: filter, OrderBy: "worklist", CountTotal: true}
		accounts, total, err = listAccounts(ctx, c, q, topAccounts)

		return err
	})

	return accounts, total, err
}

// flatError is an error as printError writes it, on one line; nil: there was none.
func flatError(err error) error {
	if err == nil {
		return nil
	}

	var b strings.Builder

	printError(&b, err)

	lines := strings.FieldsFunc(strings.TrimPrefix(b.String(), "hale: "), func(r rune) bool { return r == '\n' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}

	return errors.New(strings.Join(lines, "; "))
}
