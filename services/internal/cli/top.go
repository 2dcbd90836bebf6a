package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/top"
)

func (a *app) topCommand() *cobra.Command {
	var author, filter string

	cmd := &cobra.Command{
		Use: "top", Short: "Live view of the portfolio and its alerts, with keys to decide about them",
		Args: arguments(0, 0, "no arguments"),
		Long: "The portfolio by band, the accounts that moved most, and the open alerts, as they change. Keys acknowledge,\n" +
			"snooze, resolve and comment on alerts and open the explanation of an account; ? says which.\n" +
			"It needs a terminal. With NO_COLOR in the environment it has no colours.",
		Example: "  hale top\n  hale top --filter 'severity = critical AND owner = maya' --author maya",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !terminal(a.io.In) || !terminal(a.io.Out) {
				return usageError("hale top needs a terminal; `hale alerts watch --snapshot` prints what happens to alerts as lines")
			}

			return a.runTop(cmd.Context(), filter, author)
		},
	}
	a.flags(cmd, connectFlags()...)
	cmd.Flags().StringVar(&filter, "filter", "", "alerts to begin with, as in `hale alerts list`; empty: all that are open")
	cmd.Flags().StringVar(&author, "author", "", "who decides; empty: whoever the key names")

	return cmd
}

// runTop shows the view until the user, or a feed that cannot go on, ends it.
func (a *app) runTop(ctx context.Context, filter, author string) error {
	at, err := a.settings.endpoints()
	if err != nil {
		return err
	}

	conn, err := a.settings.dial(access.RoleViewer)
	if err != nil {
		return err
	}

	defer func() { _ = conn.Close() }() // the view is closed

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	answers := &topAnswers{app: a, author: author}
	model := top.New(top.Options{
		Place: at.server, Now: time.Now(), Color: lookup(a.io.Environ, "NO_COLOR") == "", Filter: filter,
		Ask: func(request any) tea.Msg { return answers.answer(ctx, request) },
	})
	program := tea.NewProgram(model, tea.WithInput(a.io.In), tea.WithOutput(a.io.Out), tea.WithEnvironment(a.io.Environ),
		tea.WithoutSignalHandler()) // signals end ctx

	// With tea.WithContext the program would be killed, and leave behind what reads the terminal.
	defer context.AfterFunc(ctx, program.Quit)()

	var running sync.WaitGroup

	for _, feed := range newTopFeeds(conn, program.Send, a.settings.client.timeout).all() {
		running.Go(func() {
			if err := feed(ctx); err != nil {
				cancel(err)
			}
		})
	}

	_, err = program.Run()

	ended := context.Cause(ctx) // why, if not by the user

	cancel(nil)
	running.Wait()

	return topEnded(err, ended)
}

// topEnded tells why a view ended: the user closed it, the program was told to stop, a feed gave up, or the terminal failed.
func topEnded(err, cause error) error {
	switch {
	case cause != nil && !errors.Is(cause, context.Canceled):
		return cause
	case err != nil && cause == nil:
		return fmt.Errorf("showing the view: %w", err)
	default:
		return nil
	}
}
