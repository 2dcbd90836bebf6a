package cli

import (
	"io"

	"github.com/spf13/cobra"

	"hale.dev/services/internal/config"
)

// allGroups are the groups of all settings.
func allGroups() []string {
	return []string{
		"data", "nats", "redis", "admin", "admin_allow_public", "admin_tls_cert", "admin_tls_key", "admin_tls_client_ca",
		"access", "events", "telemetry", "ingest", "scoring", "query", "client", "demo",
	}
}

func (a *app) configCommand() *cobra.Command {
	return parent("config", "Look at the configuration: print", a.configPrintCommand())
}

func (a *app) configPrintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "print", Short: "Show every setting with its value, and who set it; secrets are hidden",
		Long: "Shows the effective configuration. Each setting has a key in the configuration file\n" +
			"(--config, YAML), a variable in the environment and a flag; the later one wins.",
		Args:    arguments(0, 0, "no arguments"),
		Example: "  hale config print --config hale.yaml\n  hale config print -o json",
		RunE: func(*cobra.Command, []string) error {
			entries := a.set.Entries()

			return many(a.printer(), entries, drawEntries(entries))
		},
	}
	a.flags(cmd, allGroups()...)

	return cmd
}

func drawEntries(entries []config.Entry) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{{name: "KEY"}, {name: "VALUE"}, {name: "SET BY"}, {name: "VARIABLE"}, {name: "FLAG"}}}
		for _, e := range entries {
			t.add(e.Key, e.Value, e.Origin, e.Variable, "--"+e.Flag)
		}

		return t.write(w)
	}
}
