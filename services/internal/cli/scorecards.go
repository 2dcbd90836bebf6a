package cli

import (
	"context"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

func (a *app) scorecardsCommand() *cobra.Command {
	k := scorecardsKind()

	return parent(k.kind, "Look at the scorecards and change them: list, check, apply",
		a.documentListCommand(k), a.documentCheckCommand(k), a.documentApplyCommand(k))
}

//nolint:wrapcheck // the commands say what they were doing
func scorecardsKind() documentKind {
	return documentKind{
		kind: "scorecards",
		get: func(ctx context.Context, c adminv1.AdminServiceClient) (uint64, string, error) {
			r, err := c.GetScorecards(ctx, &adminv1.GetScorecardsRequest{})

			return r.GetVersion(), r.GetDocument(), err
		},
		check: func(ctx context.Context, c adminv1.AdminServiceClient, doc string) ([]*adminv1.Problem, error) {
			r, err := c.CheckScorecards(ctx, &adminv1.CheckScorecardsRequest{Document: doc})

			return r.GetProblems(), err
		},
		apply: func(ctx context.Context, c adminv1.AdminServiceClient, doc string) (uint64, string, error) {
			r, err := c.ApplyScorecards(ctx, &adminv1.ApplyScorecardsRequest{Document: doc})

			return r.GetVersion(), r.GetToken(), err
		},
		table: scorecardsTable,
	}
}

func scorecardsTable(version uint64, text string) (table, error) {
	var doc struct {
		Scorecards []struct {
			Name string `yaml:"name"`
			When string `yaml:"when"`
		} `yaml:"scorecards"`
	}

	t := table{columns: []column{{name: "VERSION", right: true}, {name: "SCORECARD"}, {name: "WHEN"}}}
	err := yaml.Unmarshal([]byte(text), &doc)

	for _, s := range doc.Scorecards {
		t.add(versionText(version), s.Name, strings.TrimSpace(first(s.When, "always")))
	}

	return t, err //nolint:wrapcheck // the command says what it was doing
}
