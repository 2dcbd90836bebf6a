package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hale.dev/services/internal/config"
)

// IO is what a command reads from and writes to.
type IO struct {
	// In is stdin.
	In io.Reader
	// Out gets data, Err gets messages.
	Out, Err io.Writer
	// Environ is the environment, as os.Environ returns it.
	Environ []string
	// Program is how the program was called, for the examples it prints: `bin/hale`.
	Program string
	// Version of the program.
	Version string
}

// Main runs one command line, without the program's name, and returns the exit code.
func Main(ctx context.Context, args []string, io IO) int {
	a := &app{io: io}
	a.settings.declare(&a.set)

	root := a.root()
	root.SetArgs(append([]string{}, args...)) // nil would stand for os.Args
	root.SetIn(io.In)
	root.SetOut(io.Out)
	root.SetErr(io.Err)

	err := root.ExecuteContext(ctx)
	if err != nil {
		printError(io.Err, err)
	}

	return exitCode(err)
}

// app is one run of the program.
type app struct {
	io       IO
	set      config.Set
	settings settings
	config   string
}

// The groups of the help page.
const (
	groupServices = "services"
	groupData     = "data"
	groupSettings = "settings"
	groupOperate  = "operate"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hale",
		Short: "Live, exact and explained health scores for customer accounts",
		Long: "Hale keeps a live health score for every customer account, and says why it moved.\n" +
			"`hale run` starts everything in one process.",
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.load,
		Args:              noCommand,

		SuggestionsMinimumDistance: suggestionDistance,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddGroup(
		&cobra.Group{ID: groupServices, Title: "Services:"},
		&cobra.Group{ID: groupData, Title: "Events and scores:"},
		&cobra.Group{ID: groupSettings, Title: "Settings:"},
		&cobra.Group{ID: groupOperate, Title: "Operation:"},
	)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w (see `%s --help`)", err, cmd.CommandPath())
	})
	root.PersistentFlags().StringVar(&a.config, "config", "", "configuration file, YAML ["+config.Prefix+"CONFIG]")

	addTo(root, groupServices, a.runCommand(), a.ingestCommand(), a.scoringCommand(), a.queryCommand(), a.notifyCommand())
	addTo(root, groupData, a.sendCommand(), a.accountsCommand(), a.watchCommand(), a.portfolioCommand(),
		a.reportCommand(), a.rejectsCommand(), a.eventsCommand(), a.demoCommand())
	addTo(root, groupData, a.overrideCommand(), a.pulseCommand(), a.goalsCommand())
	addTo(root, groupData, a.alertsCommand(), a.silencesCommand(), a.topCommand())
	addTo(root, groupSettings, a.scorecardsCommand(), a.rulesCommand(), a.receiversCommand(), a.segmentsCommand(),
		a.applyCommand(), a.keysCommand(), a.configCommand())
	addTo(root, groupOperate, a.partitionsCommand(), a.deadLettersCommand(), a.snapshotCommand(), a.rebuildCommand())
	root.AddCommand(a.versionCommand(), exitCodesTopic())

	return root
}

func addTo(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// parent makes a command that only holds others.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: noCommand, SuggestionsMinimumDistance: suggestionDistance,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(children...)

	return c
}

// suggestionDistance is how many letters may differ from the command that is suggested.
const suggestionDistance = 2

// noCommand refuses a word that names no command.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}

	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(", did you mean %q?", near[0])
	}

	return usageError("%q has no command %q%s", cmd.CommandPath(), args[0], hint)
}

// arguments takes from low to high arguments, and says what they are when there are others.
func arguments(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < low || len(args) > high {
			return usageError("%q takes %s (see `%s --help`)", cmd.CommandPath(), what, cmd.CommandPath())
		}

		return nil
	}
}

// load fills the settings before a command runs.
func (a *app) load(cmd *cobra.Command, _ []string) error {
	if isCompletion(cmd) {
		return nil // must work whatever the configuration says
	}

	file := a.config
	if file == "" {
		file = lookup(a.io.Environ, config.Prefix+"CONFIG")
	}

	if err := a.set.Load(file, a.io.Environ); err != nil {
		return usageError("%w", err)
	}

	if !slices.Contains(formats(), a.settings.output) {
		return usageError("output %q: must be one of %s", a.settings.output, strings.Join(formats(), ", "))
	}

	return nil
}

func isCompletion(cmd *cobra.Command) bool {
	for c := cmd; c != nil; c = c.Parent() {
		switch c.Name() {
		case "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd, "help":
			return true
		}
	}

	return false
}

func lookup(environ []string, name string) string {
	for _, pair := range environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}

	return ""
}

// flags adds the flags of the settings in the groups to a command.
func (a *app) flags(cmd *cobra.Command, groups ...string) {
	a.set.AddFlags(cmd.Flags(), groups...)

	if slices.Contains(groups, "client.output") {
		_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp))
	}
}

// printer returns the printer for what a command finds.
func (a *app) printer() printer { return printer{w: a.io.Out, format: a.settings.output} }

// sayf writes a message for a person.
func (a *app) sayf(format string, args ...any) { fmt.Fprintf(a.io.Err, format+"\n", args...) }

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
			}{a.io.Version}

			return a.printer().one(v, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, a.io.Version)

				return err //nolint:wrapcheck // a failed write to stdout says it all
			})
		},
	}
	a.flags(cmd, "client.output")

	return cmd
}

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesHelp}
}
