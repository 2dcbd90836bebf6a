package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/notify/receiver"
)

func (a *app) receiversCommand() *cobra.Command {
	return parent("receivers", "Look at who is told of alerts and change it: list, check, apply, preview",
		a.receiversListCommand(), a.receiversCheckCommand(), a.receiversApplyCommand(), a.receiversPreviewCommand())
}

func (a *app) receiversListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Show the receivers in force; -o yaml prints the document to edit and apply",
		Args:    arguments(0, 0, "no arguments"),
		Example: "  hale receivers list -o yaml > receivers.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.GetReceivers(ctx, &adminv1.GetReceiversRequest{})
				if err != nil {
					return fmt.Errorf("reading the receivers: %w", err)
				}

				return a.printReceivers(r)
			})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

// printReceivers writes the document itself as YAML: it is what `apply` takes.
func (a *app) printReceivers(r *adminv1.GetReceiversResponse) error {
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
			Receivers []struct {
				Name string `yaml:"name"`
				Kind string `yaml:"kind"`
			} `yaml:"receivers"`
		}

		if err := yaml.Unmarshal([]byte(r.GetDocument()), &doc); err != nil {
			return fmt.Errorf("reading the document: %w", err)
		}

		t := table{columns: []column{{name: "VERSION", right: true}, {name: "RECEIVER"}, {name: "KIND"}}}
		for _, one := range doc.Receivers {
			t.add(fmt.Sprint(r.GetVersion()), one.Name, one.Kind)
		}

		return t.write(w)
	})
}

func (a *app) receiversCheckCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Say what is wrong in a document; changes nothing",
		Args:    arguments(1, 1, "a file, or - for stdin"),
		Example: "  hale receivers check receivers.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				ctx, cancel := a.settings.within(ctx)
				defer cancel()

				r, err := c.CheckReceivers(ctx, &adminv1.CheckReceiversRequest{Document: string(doc)})
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

func (a *app) receiversApplyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "apply FILE", Short: "Put a document in force",
		Args:    arguments(1, 1, "a file, or - for stdin"),
		Example: "  hale receivers apply receivers.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			done, err := a.applyReceivers(cmd.Context(), args[0], doc)
			if err != nil {
				return err
			}

			return a.printApplied([]appliedView{done})
		},
	}
	a.flags(cmd, readFlags()...)

	return cmd
}

func (a *app) applyReceivers(ctx context.Context, name string, doc []byte) (appliedView, error) {
	var done appliedView

	err := a.admin(ctx, func(ctx context.Context, c adminv1.AdminServiceClient) error {
		ctx, cancel := a.settings.within(ctx)
		defer cancel()

		r, err := c.ApplyReceivers(ctx, &adminv1.ApplyReceiversRequest{Document: string(doc)})
		if err != nil {
			return fmt.Errorf("applying %s: %w", name, err)
		}

		done = appliedView{File: name, Kind: kindReceivers, Version: r.GetVersion()}

		return nil
	})

	return done, err
}

// receiversPreviewCommand needs no server: templates are in the file.
func (a *app) receiversPreviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "preview FILE RECEIVER", Short: "Show what a receiver of a document would be sent for a made-up alert; sends nothing",
		Args:    arguments(2, 2, "a file, or - for stdin, and the name of a receiver"),
		Example: "  hale receivers preview receivers.yaml on-call",
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			set, err := receiver.Parse(doc)
			if err != nil {
				return refused("%s: %w", args[0], err)
			}

			shown, err := set.Preview(args[1], a.settings.process.Notify.ConsoleURL)
			if err != nil {
				return refused("%s: %w", args[0], err)
			}

			return many(a.printer(), shown, func(w io.Writer) error {
				for _, one := range shown {
					fmt.Fprintf(w, "To: %s\nContent-Type: %s\n\n%s\n", one.To, one.ContentType, strings.TrimSpace(one.Body))
				}

				return nil
			})
		},
	}
	a.flags(cmd, "client.output", "notify.console_url")

	return cmd
}
