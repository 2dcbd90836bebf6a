package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/process"
)

// serviceGroups are the settings that every process has.
func serviceGroups(more ...string) []string {
	return append([]string{
		"data", "nats", "redis", "admin", "admin_allow_public", "admin_tls_cert", "admin_tls_key", "admin_tls_client_ca",
		"access", "events", "snapshots", "telemetry",
	}, more...)
}

func (a *app) runCommand() *cobra.Command {
	return a.serviceCommand("run", "Run all services in one process",
		"Runs ingest, scoring, query and notify in one process. Without --nats and --redis it needs nothing\n"+
			"else: the log and the store are embedded, in the data folder. The first start makes the\n"+
			"keys and writes them to <data>/credentials.yaml.",
		process.All(), serviceGroups("ingest", "scoring", "query", "notify"))
}

func (a *app) ingestCommand() *cobra.Command {
	return a.serviceCommand("ingest", "Run the service that takes events in",
		"Runs the ingest service of its own. It needs --nats. --sources limits it to some\n"+
			"kinds of events.",
		[]process.Service{process.Ingest}, serviceGroups("ingest"))
}

func (a *app) scoringCommand() *cobra.Command {
	return a.serviceCommand("scoring", "Run the service that turns events into scores",
		"Runs the scoring service of its own. It needs --nats and --redis.",
		[]process.Service{process.Scoring}, serviceGroups("scoring"))
}

func (a *app) queryCommand() *cobra.Command {
	return a.serviceCommand("query", "Run the service that answers questions",
		"Runs the query service of its own. It needs --nats and --redis.",
		[]process.Service{process.Query}, serviceGroups("query"))
}

func (a *app) notifyCommand() *cobra.Command {
	return a.serviceCommand("notify", "Run the service that tells people of alerts",
		"Runs the notify service of its own. It needs --nats. Several may run: one delivers, the others\n"+
			"take over when it is gone.",
		[]process.Service{process.Notify}, serviceGroups("notify"))
}

func (a *app) serviceCommand(
	name, short, long string, services []process.Service, groups []string,
) *cobra.Command {
	var check bool

	cmd := &cobra.Command{
		Use: name, Short: short, Long: long, Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := a.settings.process
			if err := c.Validate(services); err != nil {
				return usageError("%w", err)
			}

			if check {
				a.sayf("the configuration is good")

				return nil
			}

			return process.Run(cmd.Context(), c, process.Options{
				Services: services, Version: a.io.Version, Logs: a.io.Err,
				Ready: func(at process.Addresses) {
					if name == "run" {
						a.welcome(at)
					}
				},
			})
		},
	}
	a.flags(cmd, groups...)
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and exit")

	return cmd
}

// welcome tells whoever started the run what to do next.
func (a *app) welcome(at process.Addresses) {
	keys := filepath.Join(a.settings.process.Data, access.CredentialsFile)
	program, data := a.program()

	var b strings.Builder

	fmt.Fprintln(&b, "Hale is ready.")
	fmt.Fprintln(&b)

	for _, line := range [][2]string{
		{"ingest HTTP", at.IngestHTTP},
		{"ingest gRPC", at.IngestGRPC},
		{"query gRPC", at.QueryGRPC},
		{"query HTTP", at.QueryHTTP},
		{"admin", "http://" + at.Admin},
		{"keys", keys},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "  %-12s %s\n", line[0], line[1])
		}
	}

	if at.IngestHTTP != "" {
		fmt.Fprintf(&b, "\nSend an event:\n\n  %s\n", sendLine(at.IngestHTTP, keys))
	}

	fmt.Fprintf(&b, "\nRead the score:\n\n  %s\n", program+" accounts get acme -o json"+data)
	fmt.Fprintf(&b, "\nSee a whole portfolio, with its stories:\n\n  %s\n", program+" demo"+data)
	fmt.Fprint(a.io.Out, b.String())
}

// program is how the user calls this program, and the flag that names another data folder.
func (a *app) program() (program, data string) {
	if d := a.settings.process.Data; d != defaultData {
		data = " --data " + quote(d)
	}

	return quote(first(a.io.Program, "hale")), data
}

// defaultData is the data folder that nobody has to name.
const defaultData = "./data"

// sendLine is a command for the shell that sends an event to the native API. It takes the key
// from the file, so that the key stands in no history.
func sendLine(url, keys string) string {
	return fmt.Sprintf(`curl -sS %s/v1/events -H "Authorization: Bearer $(sed -n 's/^ingest_key: *//p' %s)" `+
		`-H 'Content-Type: application/json' `+
		`-d '{"type":"usage","id":"hello-1","account":"acme","user":"ann","feature":"reports"}'`, url, quote(keys))
}

// quote writes a text so that a shell reads it as one word.
func quote(s string) string {
	plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%,") == ""
	if plain && s != "" {
		return s
	}

	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
