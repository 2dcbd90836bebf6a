package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/matcher"
)

func (a *app) silencesCommand() *cobra.Command {
	return parent("silences", "Keep alerts from being delivered for a while: create, list, expire",
		a.silencesCreateCommand(), a.silencesListCommand(), a.silencesExpireCommand())
}

// silenceView is a silence as it is printed.
type silenceView struct {
	SilenceID  string   `json:"silence_id"`
	Matchers   []string `json:"matchers"`
	StartTime  string   `json:"start_time"`
	EndTime    string   `json:"end_time"`
	Author     string   `json:"author"`
	Comment    string   `json:"comment"`
	CreateTime string   `json:"create_time"`
}

func viewSilence(s *alertv1.Silence) silenceView {
	v := silenceView{
		SilenceID: s.GetSilenceId(), Matchers: []string{}, StartTime: timeText(s.GetStartTime()),
		EndTime: timeText(s.GetEndTime()), Author: s.GetAuthor(), Comment: s.GetComment(), CreateTime: timeText(s.GetCreateTime()),
	}

	for _, m := range s.GetMatchers() {
		text := m.GetField() + " ? " + m.GetValue() // of a newer server
		if known, err := matcher.New(m); err == nil {
			text = known.String()
		}

		v.Matchers = append(v.Matchers, text)
	}

	return v
}

func drawSilences(views []silenceView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "SILENCE"}, {name: "FROM"}, {name: "UNTIL"}, {name: "AUTHOR"}, {name: "MATCHERS"}, {name: "COMMENT"},
		}}

		for _, v := range views {
			t.add(v.SilenceID, seconds(v.StartTime), seconds(v.EndTime), v.Author, strings.Join(v.Matchers, " "), v.Comment)
		}

		return t.write(w)
	}
}

// printSilence writes one silence.
func (a *app) printSilence(s *alertv1.Silence) error {
	v := viewSilence(s)

	return a.printer().one(v, drawSilences([]silenceView{v}))
}

func (a *app) silencesCreateCommand() *cobra.Command {
	var (
		s     = &alertv1.Silence{}
		long  time.Duration
		start string
	)

	cmd := &cobra.Command{
		Use: "create MATCHER...", Short: "Silence the alerts that all matchers match",
		Args:    arguments(1, 20, `matchers, such as severity="critical"`), //nolint:mnd // as many as the API takes
		Example: "  hale silences create 'rule=\"inactive\"' 'segment=~\"smb|free\"' --for 48h --comment 'holidays'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fillSilence(s, args, start, long); err != nil {
				return err
			}

			return a.alerts(cmd.Context(), access.RoleOperator, func(ctx context.Context, c alertv1.AlertServiceClient) error {
				r, err := c.CreateSilence(ctx, &alertv1.CreateSilenceRequest{Silence: s})
				if err != nil {
					return fmt.Errorf("making a silence: %w", err)
				}

				return a.printSilence(r.GetSilence())
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().DurationVar(&long, "for", 0, "how long, such as 48h")
	cmd.Flags().StringVar(&start, "from", "", "when it begins, such as 2026-12-24T00:00:00Z; empty: now")
	cmd.Flags().StringVar(&s.Comment, "comment", "", "why")
	cmd.Flags().StringVar(&s.Author, "author", "", "who makes it; empty: whoever the key names")
	needs(cmd, "for", "comment")

	return cmd
}

// fillSilence reads matchers and times.
func fillSilence(s *alertv1.Silence, matchers []string, start string, long time.Duration) error {
	for _, text := range matchers {
		m, err := matcher.Parse(text)
		if err != nil {
			return usageError("%s: %w", text, err)
		}

		s.Matchers = append(s.Matchers, m.Proto())
	}

	from := time.Now()

	if start != "" {
		at, err := time.Parse(time.RFC3339, start)
		if err != nil {
			return usageError("--from %q is no time such as 2026-12-24T00:00:00Z", start)
		}

		from, s.StartTime = at, timestamppb.New(at)
	}

	s.EndTime = timestamppb.New(from.Add(long))

	return nil
}

func (a *app) silencesListCommand() *cobra.Command {
	q := &alertv1.ListSilencesRequest{}

	cmd := &cobra.Command{
		Use: "list", Short: "List silences; the one that ends soonest comes first", Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.alerts(cmd.Context(), access.RoleViewer, func(ctx context.Context, c alertv1.AlertServiceClient) error {
				r, err := c.ListSilences(ctx, q)
				if err != nil {
					return fmt.Errorf("listing silences: %w", err)
				}

				views := make([]silenceView, 0, len(r.GetSilences()))
				for _, s := range r.GetSilences() {
					views = append(views, viewSilence(s))
				}

				return many(a.printer(), views, drawSilences(views))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().BoolVar(&q.ShowExpired, "expired", false, "show those too that ended in the last 7 days")

	return cmd
}

func (a *app) silencesExpireCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "expire SILENCE", Short: "End a silence now", Args: arguments(1, 1, "the silence's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.alerts(cmd.Context(), access.RoleOperator, func(ctx context.Context, c alertv1.AlertServiceClient) error {
				r, err := c.ExpireSilence(ctx, &alertv1.ExpireSilenceRequest{SilenceId: args[0]})
				if err != nil {
					return fmt.Errorf("ending silence %q: %w", args[0], err)
				}

				return a.printSilence(r.GetSilence())
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}
