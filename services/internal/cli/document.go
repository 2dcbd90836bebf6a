package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// maxDocument is the most bytes a document may have.
const maxDocument = 256 << 10

// documentKind is a kind of document that operators keep as a file: how it is called, and what the server does with it.
type documentKind struct {
	// kind is what its `kind` says, the name of its command, and of what it holds.
	kind string
	// get returns the one in force.
	get func(context.Context, adminv1.AdminServiceClient) (version uint64, doc string, err error)
	// check returns what is wrong with one.
	check func(context.Context, adminv1.AdminServiceClient, string) ([]*adminv1.Problem, error)
	// apply puts one in force.
	apply func(context.Context, adminv1.AdminServiceClient, string) (version uint64, token string, err error)
	// table shows what stands in one.
	table func(version uint64, doc string) (table, error)
}

// documentKinds are those that `hale apply` knows.
func documentKinds() []documentKind {
	return []documentKind{scorecardsKind(), rulesKind(), receiversKind()}
}

func (a *app) documentListCommand(k documentKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Show the " + k.kind + " in force; -o yaml prints the document to edit and apply",
		Args:    arguments(0, 0, "no arguments"),
		Example: "  hale " + k.kind + " list -o yaml > " + k.kind + ".yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				version, doc, err := k.get(ctx, c)
				if err != nil {
					return fmt.Errorf("reading the %s: %w", k.kind, err)
				}

				return a.printDocument(k, version, doc)
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// printDocument writes the document itself as YAML: it is what `apply` takes.
func (a *app) printDocument(k documentKind, version uint64, doc string) error {
	if a.settings.output == formatYAML {
		_, err := io.WriteString(a.io.Out, doc)

		return err //nolint:wrapcheck // a failed write to stdout says it all
	}

	v := struct {
		Version  uint64 `json:"version"`
		Document string `json:"document"`
	}{version, doc}

	return a.printer().one(v, func(w io.Writer) error {
		t, err := k.table(version, doc)
		if err != nil {
			return fmt.Errorf("reading the document: %w", err)
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

func (a *app) documentCheckCommand(k documentKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Say what is wrong in a document; changes nothing",
		Args:    arguments(1, 1, "a file, or - for stdin"),
		Example: "  hale " + k.kind + " check " + k.kind + ".yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				problems, err := k.check(ctx, c, string(doc))
				if err != nil {
					return fmt.Errorf("checking %s: %w", args[0], err)
				}

				return a.checked(args[0], problems)
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

func (a *app) documentApplyCommand(k documentKind) *cobra.Command {
	cmd := &cobra.Command{
		Use: "apply FILE", Short: "Put a document in force",
		Args:    arguments(1, 1, "a file, or - for stdin"),
		Example: "  hale " + k.kind + " apply " + k.kind + ".yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			done, err := a.applyDocument(cmd.Context(), k, args[0], doc)
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

func (a *app) applyDocument(ctx context.Context, k documentKind, name string, doc []byte) (appliedView, error) {
	done := appliedView{File: name, Kind: k.kind}

	err := a.admin(ctx, func(ctx context.Context, c adminv1.AdminServiceClient) (err error) {
		ctx, cancel := a.settings.within(ctx)
		defer cancel()

		if done.Version, done.Token, err = k.apply(ctx, c, string(doc)); err != nil {
			return fmt.Errorf("applying %s: %w", name, err)
		}

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
