package cli

import (
	"context"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

func (a *app) rulesCommand() *cobra.Command {
	k := rulesKind()

	return parent(k.kind, "Look at the rules of alerts, try and change them: list, check, test, apply",
		a.documentListCommand(k), a.documentCheckCommand(k), a.rulesTestCommand(), a.documentApplyCommand(k))
}

//nolint:dupl // the same calls with other messages
func rulesKind() documentKind {
	return documentKind{
		kind: "rules",
		get: func(ctx context.Context, c adminv1.AdminServiceClient) (uint64, string, error) {
			r, err := c.GetRules(ctx, &adminv1.GetRulesRequest{})

			return r.GetVersion(), r.GetDocument(), err
		},
		check: func(ctx context.Context, c adminv1.AdminServiceClient, doc string) ([]*adminv1.Problem, error) {
			r, err := c.CheckRules(ctx, &adminv1.CheckRulesRequest{Document: doc})

			return r.GetProblems(), err
		},
		apply: func(ctx context.Context, c adminv1.AdminServiceClient, doc string) (uint64, string, error) {
			r, err := c.ApplyRules(ctx, &adminv1.ApplyRulesRequest{Document: doc})

			return r.GetVersion(), r.GetToken(), err
		},
		table: rulesTable,
	}
}

func rulesTable(version uint64, text string) (table, error) {
	var doc struct {
		Rules []struct {
			Name     string `yaml:"name"`
			On       string `yaml:"on"`
			Severity string `yaml:"severity"`
			When     string `yaml:"when"`
			For      string `yaml:"for"`
		} `yaml:"rules"`
	}

	t := table{columns: []column{
		{name: "VERSION", right: true}, {name: "RULE"}, {name: "ON"}, {name: "SEVERITY"}, {name: "FOR", right: true}, {name: "WHEN"},
	}}
	err := yaml.Unmarshal([]byte(text), &doc)

	for _, r := range doc.Rules {
		t.add(versionText(version), r.Name, first(r.On, "account"), r.Severity, first(r.For, "-"),
			strings.Join(strings.Fields(r.When), " "))
	}

	return t, err //nolint:wrapcheck // the command says what it was doing
}
