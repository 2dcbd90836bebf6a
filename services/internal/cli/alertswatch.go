package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
)

func (a *app) alertsWatchCommand() *cobra.Command {
	q := &alertv1.WatchAlertsRequest{}

	cmd := &cobra.Command{
		Use: "watch", Short: "Show what happens to alerts, each thing once", Args: arguments(0, 0, "no arguments"),
		Example: "  hale alerts watch --snapshot\n  hale alerts watch --filter 'severity = critical' -o jsonl\n" +
			"  hale alerts watch --resume-token TOKEN",
		RunE: func(cmd *cobra.Command, _ []string) error {
			conn, err := a.settings.dial(access.RoleViewer)
			if err != nil {
				return err
			}

			defer func() { _ = conn.Close() }() // the watch is over

			w := &alertWatch{app: a, request: q, client: alertv1.NewAlertServiceClient(conn)}

			return a.keepWatching(cmd.Context(), w.once, q.GetResumeToken)
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&q.Filter, "filter", "", "which alerts, as they are then, such as 'severity = critical'; empty: all")
	cmd.Flags().BoolVar(&q.Snapshot, "snapshot", false, "show all open alerts that match now first")
	cmd.Flags().StringVar(&q.ResumeToken, "resume-token", "", "token of an earlier watch with the same filter: go on from there")

	return cmd
}

// alertWatch is a watch that goes on by itself when it is cut.
type alertWatch struct {
	app     *app
	request *alertv1.WatchAlertsRequest
	client  alertv1.AlertServiceClient
}

// once watches until the stream ends.
func (w *alertWatch) once(ctx context.Context) (heard bool, err error) {
	stream, err := w.client.WatchAlerts(ctx, w.request)
	if err != nil {
		return false, err
	}

	for {
		part, err := stream.Recv()
		if err != nil {
			return heard, err //nolint:wrapcheck // keepWatching does
		}

		heard = true

		if err := w.print(part); err != nil {
			return heard, err
		}

		if t := part.GetResumeToken(); t != "" {
			w.request.ResumeToken = t
		}
	}
}

// alertLine is one line of a watch of alerts.
type alertLine struct {
	// Kind is snapshot, or what happened; reset: forget what came before; position: a watch can go on from the token.
	Kind        string          `json:"kind"`
	Alert       *alertView      `json:"alert,omitempty"`
	Transition  *transitionView `json:"transition,omitempty"`
	ResumeToken string          `json:"resume_token,omitempty"`
}

// print writes one part: lines for people, objects for programs.
func (w *alertWatch) print(part *alertv1.WatchAlertsResponse) error {
	var lines []alertLine

	if part.GetReset_() {
		lines = append(lines, alertLine{Kind: "reset"})
	}

	for _, a := range part.GetSnapshot() {
		v := viewAlert(a)
		lines = append(lines, alertLine{Kind: "snapshot", Alert: &v})
	}

	for _, t := range part.GetTransitions() {
		v := viewTransition(t)
		lines = append(lines, alertLine{Kind: v.Kind, Transition: &v})
	}

	if t := part.GetResumeToken(); t != "" {
		lines = append(lines, alertLine{Kind: "position", ResumeToken: t})
	}

	for i := range lines {
		if err := w.app.printAlertLine(&lines[i]); err != nil {
			return err
		}
	}

	return nil
}

// printAlertLine writes one line of a watch.
func (a *app) printAlertLine(l *alertLine) error {
	p := a.printer()

	switch p.format {
	case formatTable:
		if l.Kind == "position" {
			return nil
		}

		_, err := fmt.Fprintln(p.w, l.text())

		return err //nolint:wrapcheck // a failed write to stdout says it all
	case formatYAML:
		if _, err := io.WriteString(p.w, "---\n"); err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}
	}

	return p.one(l, nil)
}

// text is the line for people: when, what, and the alert as it is then.
func (l *alertLine) text() string {
	var (
		v  = l.Alert
		at string
	)

	if l.Transition != nil {
		v, at = l.Transition.Alert, l.Transition.At
	}

	if v == nil {
		return l.Kind
	}

	cells := []string{
		seconds(first(at, v.Since)), l.Kind, v.stands(), v.Severity, printable(v.about()), v.atRisk(), printable(v.Summary), v.AlertID,
	}

	if t := l.Transition; t != nil && t.Author != "" {
		cells = append(cells, "by "+printable(t.Author))
	}

	if t := l.Transition; t != nil && t.Note != "" {
		cells = append(cells, printable(t.Note))
	}

	return strings.Join(cells, "  ")
}
