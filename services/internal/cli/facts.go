package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func (a *app) accountsFactsCommand() *cobra.Command {
	q := &healthv1.GetFactsRequest{}

	cmd := &cobra.Command{
		Use: "facts ID", Short: "Show the users, features, tickets, surveys and sources behind an account's measures",
		Args:    arguments(1, 1, "the account's id"),
		Example: "  hale accounts facts acme\n  hale accounts facts acme --limit 1000 -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			return a.health(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.GetFacts(ctx, q)
				if err != nil {
					return fmt.Errorf("reading the facts of account %q: %w", q.GetAccountId(), err)
				}

				v, err := viewMessage(r.GetFacts())
				if err != nil {
					return err
				}

				return a.printer().one(v, drawFacts(r.GetFacts()))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().Int32Var(&q.Limit, "limit", 0, "at most this many of each list; 0: 50")
	atLeastFlag(cmd, &q.AtLeast)

	return cmd
}

// drawFacts writes the facts, a table for each kind.
func drawFacts(f *healthv1.Facts) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\nday %s, as of %s\nfirst day %s, last seen %s, last in touch %s\n"+
			"users seen in 28 days %d, not seen %d\nfeatures used in 30 days %d, no longer used %d, never used %d\n"+
			"open tickets %d\ndays to first value %s\n\n",
			printable(f.GetAccountId()), f.GetDay(), timeText(f.GetAsOf()),
			dash(f.GetFirstDate()), dash(f.GetLastSeenDate()), dash(f.GetLastTouchDate()),
			f.GetUsersSeen(), f.GetUsersUnseen(), f.GetFeaturesUsed(), f.GetFeaturesStopped(),
			len(f.GetFeaturesUnused())+int(f.GetMoreFeaturesUnused()), f.GetTicketsOpen(), wholeOr(f.DaysToFirstValue))
		if err != nil {
			return err //nolint:wrapcheck // a failed write to stdout says it all
		}

		for i, t := range factTables(f) {
			if i > 0 {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err //nolint:wrapcheck // a failed write to stdout says it all
				}
			}

			if err := t.write(w); err != nil {
				return err
			}
		}

		return nil
	}
}

// factTables are the tables that have rows.
func factTables(f *healthv1.Facts) []table {
	var tables []table

	for _, t := range []table{
		sourceTable(f.GetSources()), userTable(f.GetUsers()), featureTable(f.GetFeatures(), f.GetFeaturesUnused()),
		ticketTable(f.GetOpenTickets()), answerTable(f.GetSurveys()), milestoneTable(f.GetMilestones()), goalTable(f.GetGoals()),
	} {
		if len(t.rows) > 0 {
			tables = append(tables, t)
		}
	}

	return tables
}

func sourceTable(all []*healthv1.SourceFact) table {
	t := table{columns: []column{
		{name: "SOURCE"}, {name: "STATE"}, {name: "LAST EVENT"}, {name: "LAST IN WORKSPACE"}, {name: "COVERAGE", right: true},
	}}
	for _, s := range all {
		t.add(s.GetSource(), enumName(s.GetState().String(), "STATE_"), dash(seconds(timeText(s.GetLastEventAt()))),
			dash(seconds(timeText(s.GetWorkspaceLastEventAt()))), decimal(s.GetCoverage(), 0)+"%")
	}

	return t
}

func userTable(all []*healthv1.UserFact) table {
	t := table{columns: []column{{name: "USER"}, {name: "ROLE"}, {name: "LAST SEEN"}, {name: "DAYS OF 28", right: true}}}
	for _, u := range all {
		t.add(u.GetUserId(), dash(u.GetRole()), dash(u.GetLastSeenDate()), strconv.Itoa(int(u.GetDaysSeen())))
	}

	return t
}

func featureTable(all []*healthv1.FeatureFact, unused []string) table {
	t := table{columns: []column{{name: "FEATURE"}, {name: "FIRST"}, {name: "LAST"}, {name: "STATE"}}}
	for _, f := range all {
		state := "used"
		if f.GetStopped() {
			state = "stopped"
		}

		t.add(f.GetFeature(), f.GetFirstDate(), f.GetLastDate(), state)
	}

	for _, name := range unused {
		t.add(name, noData, noData, "unused")
	}

	return t
}

func ticketTable(all []*healthv1.TicketFact) table {
	t := table{columns: []column{
		{name: "TICKET"}, {name: "SEVERITY"}, {name: "ESCALATED"}, {name: "OPENED"}, {name: "POINTS", right: true},
	}}
	for _, k := range all {
		t.add(k.GetTicketId(), k.GetSeverity(), yesNo(k.GetEscalated()), seconds(timeText(k.GetOpenedAt())),
			strconv.Itoa(int(k.GetPoints())))
	}

	return t
}

func answerTable(all []*healthv1.SurveyFact) table {
	t := table{columns: []column{
		{name: "SURVEY"},
		{name: "ANSWERS", right: true},
		{name: "FAVORABLE", right: true},
		{name: "UNFAVORABLE", right: true},
		{name: "MEAN", right: true},
	}}
	for _, s := range all {
		if s.GetAnswers() > 0 {
			t.add(s.GetType(), strconv.FormatInt(s.GetAnswers(), 10), strconv.FormatInt(s.GetFavorable(), 10),
				strconv.FormatInt(s.GetUnfavorable(), 10), optional(s.Mean, 1))
		}
	}

	return t
}

func milestoneTable(all []*healthv1.MilestoneFact) table {
	t := table{columns: []column{{name: "MILESTONE"}, {name: "DUE"}, {name: "REACHED"}}}
	for _, m := range all {
		t.add(m.GetFeature(), m.GetDueDate(), dash(m.GetReachedDate()))
	}

	return t
}

func goalTable(all []*healthv1.Goal) table {
	t := table{columns: []column{
		{name: "GOAL"},
		{name: "TITLE"},
		{name: "ABOUT"},
		{name: "TARGET", right: true},
		{name: "NOW", right: true},
		{name: "DUE"},
		{name: "STATE"},
		{name: "PROGRESS", right: true},
	}}

	for _, g := range all {
		about, target := g.GetFeature(), "in use"

		if about == "" {
			about, target = g.GetMeasure(), "at least "+decimal(g.GetTarget(), 1)
			if g.GetAtMost() {
				target = "at most " + decimal(g.GetTarget(), 1)
			}
		}

		t.add(g.GetGoalId(), g.GetTitle(), about, target, optional(g.Value, 1), g.GetDueDate(),
			enumName(g.GetState().String(), "STATE_"), decimal(g.GetProgress(), 0)+"%")
	}

	return t
}

// dash stands for an empty text.
func dash(s string) string {
	if s == "" {
		return noData
	}

	return s
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}

	return "no"
}

func wholeOr(n *int32) string {
	if n == nil {
		return noData
	}

	return strconv.Itoa(int(*n))
}
