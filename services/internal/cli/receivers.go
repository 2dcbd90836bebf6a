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
	"hale.dev/services/notify/receiver"
)

func (a *app) receiversCommand() *cobra.Command {
	k := receiversKind()

	return parent(k.kind, "Look at who is told of alerts and change it: list, check, apply, preview",
		a.documentListCommand(k), a.documentCheckCommand(k), a.documentApplyCommand(k), a.receiversPreviewCommand())
}

func receiversKind() documentKind {
	return documentKind{
		kind: "receivers",
		get: func(ctx context.Context, c adminv1.AdminServiceClient) (uint64, string, error) {
			r, err := c.GetReceivers(ctx, &adminv1.GetReceiversRequest{})

			return r.GetVersion(), r.GetDocument(), err
		},
		check: func(ctx context.Context, c adminv1.AdminServiceClient, doc string) ([]*adminv1.Problem, error) {
			r, err := c.CheckReceivers(ctx, &adminv1.CheckReceiversRequest{Document: doc})

			return r.GetProblems(), err
		},
		apply: func(ctx context.Context, c adminv1.AdminServiceClient, doc string) (uint64, string, error) {
			r, err := c.ApplyReceivers(ctx, &adminv1.ApplyReceiversRequest{Document: doc})

			return r.GetVersion(), "", err
		},
		table: receiversTable,
	}
}

func receiversTable(version uint64, text string) (table, error) {
	var doc struct {
		Receivers []struct {
			Name string `yaml:"name"`
			Kind string `yaml:"kind"`
		} `yaml:"receivers"`
	}

	t := table{columns: []column{{name: "VERSION", right: true}, {name: "RECEIVER"}, {name: "KIND"}}}
	err := yaml.Unmarshal([]byte(text), &doc)

	for _, r := range doc.Receivers {
		t.add(strconv.FormatUint(version, 10), r.Name, r.Kind)
	}

	return t, err //nolint:wrapcheck // the command says what it was doing
}

// receiversPreviewCommand needs no server: templates are in the file.
func (a *app) receiversPreviewCommand() *cobra.Command {
	var digest bool

	cmd := &cobra.Command{
		Use: "preview FILE RECEIVER", Short: "Show what a receiver of a document would be sent for a made-up alert; sends nothing",
		Args: arguments(2, 2, "a file, or - for stdin, and the name of a receiver"),
		Example: "  hale receivers preview receivers.yaml on-call\n" +
			"  hale receivers preview receivers.yaml success-mail --digest",
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := a.read(args[0], maxDocument)
			if err != nil {
				return err
			}

			set, err := receiver.Parse(doc)
			if err != nil {
				return refused("%s: %w", args[0], err)
			}

			preview := set.Preview
			if digest {
				preview = set.PreviewDigest
			}

			shown, err := preview(args[1], a.settings.process.Notify.ConsoleURL)
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
	cmd.Flags().BoolVar(&digest, "digest", false, "a made-up digest instead")

	return cmd
}
