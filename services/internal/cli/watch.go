package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

const (
	// pauseLeast and pauseMost bound the pause before a watch goes on that was cut.
	pauseLeast, pauseMost = 100 * time.Millisecond, 5 * time.Second
)

func (a *app) watchCommand() *cobra.Command {
	q := &healthv1.WatchHealthRequest{}

	cmd := &cobra.Command{
		Use: "watch", Short: "Show changes of accounts as they happen", Args: arguments(0, 0, "no arguments"),
		Example: "  hale watch --filter 'band = critical'\n  hale watch --snapshot -o jsonl\n" +
			"  hale watch --filter 'in_segment(\"enterprise\")' --resume-token TOKEN",
		RunE: func(cmd *cobra.Command, _ []string) error {
			conn, err := a.settings.dial(access.RoleViewer)
			if err != nil {
				return err
			}

			defer func() { _ = conn.Close() }() // the watch is over

			w := &healthWatch{app: a, request: q, client: healthv1.NewHealthServiceClient(conn)}

			return w.run(cmd.Context())
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&q.Filter, "filter", "", "which accounts, such as 'band = critical AND arr > 50000'; empty: all")
	cmd.Flags().BoolVar(&q.Snapshot, "snapshot", false, "show all accounts that match now first")
	cmd.Flags().StringVar(&q.ResumeToken, "resume-token", "", "token of an earlier watch with the same filter: go on from there")

	return cmd
}

// healthWatch is a watch that goes on by itself when it is cut.
type healthWatch struct {
	app     *app
	request *healthv1.WatchHealthRequest
	client  healthv1.HealthServiceClient
}

// run watches until the user has seen enough, or the server says that it is no use.
func (w *healthWatch) run(ctx context.Context) error {
	return w.app.keepWatching(ctx, w.once, w.request.GetResumeToken)
}

// keepWatching calls once, which watches until its stream ends and says whether anything came, again and again: until the
// user has seen enough, or the server says that it is no use. token is where the watch is.
func (a *app) keepWatching(
	ctx context.Context, once func(context.Context) (heard bool, err error), token func() string,
) error {
	err := followStream(ctx, once, func(err error) {
		a.sayf("hale: the watch was cut and goes on: %s", status.Convert(err).Message())
	})

	if t := token(); err == nil && t != "" {
		a.sayf("to go on from here: --resume-token %s", t)
	}

	return err
}

// followStream is the loop of keepWatching; it calls cut each time before it goes on. Its error is nil once ctx has ended.
func followStream(ctx context.Context, once func(context.Context) (heard bool, err error), cut func(error)) error {
	pause := pauseLeast

	for begun := false; ; {
		heard, err := once(ctx)
		begun = begun || heard

		if ctx.Err() != nil {
			return nil //nolint:nilerr // that is how it is to end
		}

		if !begun || !goesOn(err) {
			return fmt.Errorf("watching: %w", err)
		}

		if heard {
			pause = pauseLeast
		}

		cut(err)

		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}

		pause = min(2*pause, pauseMost)
	}
}

// goesOn says whether a watch that ended so can go on with its token.
func goesOn(err error) bool {
	s, ok := status.FromError(err)

	switch {
	case errors.Is(err, io.EOF):
		return true
	case !ok:
		return false
	}

	switch s.Code() {
	case codes.Unavailable, codes.Aborted, codes.ResourceExhausted:
		return true
	default:
		return false
	}
}

// once watches until the stream ends.
func (w *healthWatch) once(ctx context.Context) (heard bool, err error) {
	stream, err := w.client.WatchHealth(ctx, w.request)
	if err != nil {
		return false, err
	}

	for {
		part, err := stream.Recv()
		if err != nil {
			return heard, err //nolint:wrapcheck // keepWatching wraps it
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

// watchView is one line of a watch: a change, or where it is.
type watchView struct {
	// Kind is snapshot, entered, updated or left for an account; reset: forget what came before; position: all up to
	// as_of has come, and a watch can go on from the token.
	Kind        string       `json:"kind"`
	Account     *summaryView `json:"account,omitempty"`
	AccountID   string       `json:"account_id,omitempty"`
	AsOf        string       `json:"as_of,omitempty"`
	ResumeToken string       `json:"resume_token,omitempty"`
}

// print writes one part: lines for people, objects for programs.
func (w *healthWatch) print(part *healthv1.WatchHealthResponse) error {
	var lines []watchView

	at := timeText(part.GetAsOf())

	if part.GetReset_() {
		lines = append(lines, watchView{Kind: "reset", AsOf: at})
	}

	for _, c := range part.GetChanges() {
		v := watchView{Kind: enumName(c.GetKind().String(), "KIND_"), AccountID: c.GetAccount().GetAccountId(), AsOf: at}

		if c.GetKind() != healthv1.AccountChange_KIND_LEFT {
			account := viewSummary(c.GetAccount())
			v.Account = &account
		}

		lines = append(lines, v)
	}

	if t := part.GetResumeToken(); t != "" {
		lines = append(lines, watchView{Kind: "position", AsOf: at, ResumeToken: t})
	}

	for i := range lines {
		if err := w.app.printWatch(&lines[i]); err != nil {
			return err
		}
	}

	return nil
}

// printWatch writes one line of a watch.
func (a *app) printWatch(v *watchView) error {
	p := a.printer()
	if p.format != formatTable {
		if p.format == formatYAML {
			if _, err := io.WriteString(p.w, "---\n"); err != nil {
				return err //nolint:wrapcheck // a failed write to stdout says it all
			}
		}

		return p.one(v, nil)
	}

	if v.Kind == "position" {
		return nil
	}

	line := seconds(v.AsOf) + "  " + v.Kind
	if v.AccountID != "" {
		line += "  " + printable(v.AccountID)
	}

	if s := v.Account; s != nil {
		line += "  " + optional(s.Score, 1) + " " + s.Band

		if s.Name != "" {
			line += "  " + printable(s.Name)
		}
	}

	_, err := fmt.Fprintln(p.w, line)

	return err //nolint:wrapcheck // a failed write to stdout says it all
}
