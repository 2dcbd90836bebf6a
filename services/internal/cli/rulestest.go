package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

// defaultSince is how far a test of rules looks back.
const defaultSince = "30d"

func (a *app) rulesTestCommand() *cobra.Command {
	var (
		since string
		q     adminv1.TestRulesRequest
	)

	cmd := &cobra.Command{
		Use: "test [FILE]", Short: "Replay what is in the log, and show the alerts that would have been; changes nothing",
		Args:    arguments(0, 1, "at most a file, or - for stdin; without one: the rules in force"),
		Example: "  hale rules test rules.yaml --since 90d\n  hale rules test rules.yaml --account acme -o jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			back, err := parseSince(since)
			if err != nil {
				return err
			}

			if back > 0 {
				q.StartTime = timestamppb.New(time.Now().Add(-back))
			}

			if len(args) > 0 {
				doc, err := a.read(args[0], maxDocument)
				if err != nil {
					return err
				}

				q.Document = string(doc)
			}

			return a.admin(cmd.Context(), func(ctx context.Context, c adminv1.AdminServiceClient) error {
				return a.testRules(ctx, c, &q)
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&since, "since", defaultSince, "how far to look back: 12h, 30d; 0: as far as the log reaches")
	cmd.Flags().StringArrayVar(&q.AccountIds, "account", nil, "only this account; may be given again")

	return cmd
}

// parseSince reads a duration, which may be of days.
func parseSince(text string) (time.Duration, error) {
	const (
		day     = 24 * time.Hour
		maxDays = 36500
	)

	if days, found := strings.CutSuffix(text, "d"); found {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > maxDays {
			return 0, usageError("--since %q: must be a duration such as 12h or 30d", text)
		}

		return time.Duration(n) * day, nil
	}

	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, usageError("--since %q: must be a duration such as 12h or 30d", text)
	}

	return d, nil
}

// testRules shows what comes of a test.
func (a *app) testRules(ctx context.Context, c adminv1.AdminServiceClient, q *adminv1.TestRulesRequest) error {
	names, err := a.testedRules(ctx, c, q.GetDocument())
	if err != nil {
		return err
	}

	stream, err := c.TestRules(ctx, q)
	if err != nil {
		return fmt.Errorf("testing the rules: %w", err)
	}

	o := newTrialOutcome(names)
	if err := a.follow(stream, o); err != nil {
		return fmt.Errorf("testing the rules: %w", err)
	}

	header, err := stream.Header()
	if err != nil {
		return fmt.Errorf("testing the rules: %w", err)
	}

	o.begins = headerText(header, "hale-test-begins")
	if o.trimmed = headerText(header, "hale-log-trimmed") == "true"; o.trimmed {
		a.sayf("the log was trimmed: the test begins at %s, and what accounts did before may be missing", seconds(o.begins))
	}

	return a.printOutcome(o.view(time.Now()))
}

// testedRules are the names of the rules in the document, or of those in force, in order.
func (a *app) testedRules(ctx context.Context, c adminv1.AdminServiceClient, doc string) ([]string, error) {
	if doc == "" {
		ctx, cancel := a.settings.within(ctx)
		defer cancel()

		r, err := c.GetRules(ctx, &adminv1.GetRulesRequest{})
		if err != nil {
			return nil, fmt.Errorf("reading the rules: %w", err)
		}

		doc = r.GetDocument()
	}

	var read struct {
		Rules []struct {
			Name string `yaml:"name"`
		} `yaml:"rules"`
	}

	var names []string

	if err := yaml.Unmarshal([]byte(doc), &read); err != nil {
		return names, nil // the server says what is wrong with it, and better
	}

	for _, r := range read.Rules {
		names = append(names, r.Name)
	}

	return names, nil
}

// follow takes in what the server sends, to the end.
func (a *app) follow(stream grpc.ServerStreamingClient[adminv1.TestRulesResponse], o *trialOutcome) error {
	p := a.newProgress()
	defer p.end()

	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}

		if err != nil {
			return err //nolint:wrapcheck // the caller says what it was doing
		}

		for _, t := range r.GetTransitions() {
			o.take(t)
		}

		p.show(fmt.Sprintf("replaying the log: %.0f%%, %s", 100*r.GetProgress(), count(len(o.alerts), "alert")), //nolint:mnd // percent
			r.GetProgress())
	}
}

func headerText(header metadata.MD, name string) string {
	return first(header.Get(name)...)
}
