package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// maxDocument is the most bytes a document may have.
const maxDocument = 256 << 10

func (a *app) scorecardsCommand() *cobra.Command {
	return parent("scorecards", "Look at the scorecards and change them: list, check, apply",
		a.scorecardsListCommand(), a.scorecardsCheckCommand(), a.scorecardsApplyCommand())
}

func (a *app) scorecardsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Show the scorecards in force; -o yaml prints the document to edit and apply",
		Args:    arguments(0, 0, "no arguments"),
		Example: "  hale scorecards list -o yaml > scorecards.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.GetScorecards(ctx, &adminv1.GetScorecardsRequest{})
				if err != nil {
					return fmt.Errorf("reading the scorecards: %w", err)
				}

				return a.printScorecards(r)
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// printScorecards writes the document itself as YAML: it is what `apply` takes.
func (a *app) printScorecards(r *adminv1.GetScorecardsResponse) error {
	if a.settings.output == formatYAML {
		_, err := io.WriteString(a.io.Out, r.GetDocument())

		return err //nolint:wrapcheck // a failed write to stdout says it all
	}

	v := struct {
		Version  uint64 `json:"version"`
		Document string `json:"document"`
	}{r.GetVersion(), r.GetDocument()}

	return a.printer().one(v, func(w io.Writer) error {
		var doc struct {
			Scorecards []struct {
				Name string `yaml:"name"`
				When string `yaml:"when"`
			} `yaml:"scorecards"`
		}

		if err := yaml.Unmarshal([]byte(r.GetDocument()), &doc); err != nil {
			return fmt.Errorf("reading the document: %w", err)
		}

		t := table{columns: []column{{name: "VERSION", right: true}, {name: "SCORECARD"}, {name: "WHEN"}}}

		for _, s := range doc.Scorecards {
			t.add(versionText(r.GetVersion()), s.Name, strings.TrimSpace(first(s.When, "always")))
		}

		return t.write(w)
	})
}

func versionText(v uint64) string {
	if v == 0 {
		return "shipped"
	}

	return strconv.FormatUint(v, 10)
}

// problemView is one thing wrong in a document.
type problemView struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (a *app) scorecardsCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Say what is wrong in a document; changes nothing",
		Args:    arguments(1, 1, "a file, or - for stdin"),
		Example: "  hale scorecards check scorecards.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.CheckScorecards(ctx, &adminv1.CheckScorecardsRequest{Document: string(doc)})
				if err != nil {
					return fmt.Errorf("checking %s: %w", args[0], err)
				}

				return a.checked(args[0], r.GetProblems())
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

func (a *app) checked(name string, problems []*adminv1.Problem) error {
	views := make([]problemView, 0, len(problems))
	for _, p := range problems {
		views = append(views, problemView{p.GetField(), p.GetCode(), p.GetMessage()})
	}

	err := many(a.printer(), views, func(w io.Writer) error {
		if len(views) == 0 {
			return nil
		}

		t := table{columns: []column{{name: "FIELD"}, {name: "CODE"}, {name: "MESSAGE"}}}
		for _, p := range views {
			t.add(p.Field, p.Code, p.Message)
		}

		return t.write(w)
	})
	if err != nil {
		return err
	}

	if len(views) > 0 {
		return refused("%s: %s", name, count(len(views), "problem"))
	}

	a.sayf("%s is good", name)

	return nil
}

func (a *app) scorecardsApplyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "apply FILE", Short: "Put a document in force",
		Args:    arguments(1, 1, "a file, or - for stdin"),
		Example: "  hale scorecards apply scorecards.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			done, err := a.applyScorecards(cmd.Context(), args[0], doc)
			if err != nil {
				return err
			}

			return a.printApplied([]appliedView{done})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// appliedView says what is in force now.
type appliedView struct {
	File    string `json:"file"`
	Kind    string `json:"kind"`
	Version uint64 `json:"version"`
	Token   string `json:"token"`
}

func (a *app) applyScorecards(ctx context.Context, name string, doc []byte) (appliedView, error) {
	var done appliedView

	err := a.admin(ctx, func(ctx context.Context, c adminv1.AdminServiceClient) error {
		ctx, cancel := a.settings.within(ctx)
		defer cancel()

		r, err := c.ApplyScorecards(ctx, &adminv1.ApplyScorecardsRequest{Document: string(doc)})
		if err != nil {
			return fmt.Errorf("applying %s: %w", name, err)
		}

		done = appliedView{File: name, Kind: kindScorecards, Version: r.GetVersion(), Token: r.GetToken()}

		return nil
	})

	return done, err
}

func (a *app) printApplied(all []appliedView) error {
	return many(a.printer(), all, func(w io.Writer) error {
		t := table{columns: []column{{name: "FILE"}, {name: "KIND"}, {name: "VERSION", right: true}, {name: "TOKEN"}}}
		for _, v := range all {
			t.add(v.File, v.Kind, strconv.FormatUint(v.Version, 10), v.Token)
		}

		return t.write(w)
	})
}
