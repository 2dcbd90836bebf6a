package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// decisionFlags are those of every command by which a person decides something.
func decisionFlags(flags *pflag.FlagSet, author, id *string) {
	flags.StringVar(author, "author", "", "who decides; empty: whoever the key names")
	flags.StringVar(id, "command-id", "", "id of the command, the same on a retry; empty: a random one")
}

func (a *app) overrideCommand() *cobra.Command {
	return parent("override", "Set an account's score by hand for some days, or end that",
		a.overrideSetCommand(), a.overrideClearCommand())
}

func (a *app) overrideSetCommand() *cobra.Command {
	q := &healthv1.SetOverrideRequest{}

	cmd := &cobra.Command{
		Use: "set ACCOUNT", Short: "Put a score in place of the computed one, which stays visible beside it",
		Args:    arguments(1, 1, "the account's id"),
		Example: "  hale override set acme --score 25 --reason 'their champion told me they look around' --until 2026-12-31",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.SetOverride(ctx, q)
				if err != nil {
					return fmt.Errorf("setting the score of account %q: %w", q.GetAccountId(), err)
				}

				return a.printer().one(viewAccount(r.GetHealth()), drawAccount(r.GetHealth()))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().Float64Var(&q.Score, "score", 0, "the score, 0 to 100")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why")
	cmd.Flags().StringVar(&q.ExpireDate, "until", "", "last UTC day on which it holds, YYYY-MM-DD; at most 366 days ahead")
	decisionFlags(cmd.Flags(), &q.Author, &q.CommandId)
	needs(cmd, "score", "reason", "until")

	return cmd
}

// needs says that a command cannot do without some flags.
func needs(cmd *cobra.Command, flags ...string) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, f := range flags {
			if !cmd.Flags().Changed(f) {
				return usageError("%q needs --%s (see `%s --help`)", cmd.CommandPath(), f, cmd.CommandPath())
			}
		}

		return run(cmd, args)
	}
}

func (a *app) overrideClearCommand() *cobra.Command {
	q := &healthv1.ClearOverrideRequest{}

	cmd := &cobra.Command{
		Use: "clear ACCOUNT", Short: "Go back to the computed score", Args: arguments(1, 1, "the account's id"),
		Example: "  hale override clear acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.ClearOverride(ctx, q)
				if err != nil {
					return fmt.Errorf("clearing the score of account %q: %w", q.GetAccountId(), err)
				}

				return a.printer().one(viewAccount(r.GetHealth()), drawAccount(r.GetHealth()))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	decisionFlags(cmd.Flags(), &q.Author, &q.CommandId)

	return cmd
}

func (a *app) pulseCommand() *cobra.Command {
	q := &healthv1.SetPulseRequest{}

	cmd := &cobra.Command{
		Use: "pulse ACCOUNT RATING", Short: "Rate the relation to an account, 1 (worst) to 5; it counts for 90 days",
		Args:    arguments(2, 2, "the account's id and a rating"), //nolint:mnd // as it says
		Example: "  hale pulse acme 4 --note 'good call with the new sponsor'",
		RunE: func(cmd *cobra.Command, args []string) error {
			q.AccountId = args[0]

			rating, err := strconv.ParseInt(args[1], 10, 32)
			if err != nil {
				return usageError("%q is no rating: it is a number from 1 to 5", args[1])
			}

			q.Pulse = int32(rating)

			return a.decide(cmd.Context(), func(ctx context.Context, c healthv1.HealthServiceClient) error {
				r, err := c.SetPulse(ctx, q)
				if err != nil {
					return fmt.Errorf("rating account %q: %w", q.GetAccountId(), err)
				}

				return a.printer().one(viewAccount(r.GetHealth()), drawAccount(r.GetHealth()))
			})
		},
	}
	a.flags(cmd, readFlags()...)
	cmd.Flags().StringVar(&q.Note, "note", "", "why")
	decisionFlags(cmd.Flags(), &q.Author, &q.CommandId)

	return cmd
}
