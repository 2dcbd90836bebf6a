package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOffline(t *testing.T) {
	t.Parallel()

	none := filepath.Join(t.TempDir(), "none")

	for name, c := range map[string]struct {
		args []string
		code int
		out  string
		err  string
	}{
		"version prints the version":                  {[]string{"version"}, 0, "1.2.3\n", ""},
		"version speaks JSON":                         {[]string{"version", "-o", "jsonl"}, 0, "{\"version\":\"1.2.3\"}\n", ""},
		"the exit codes are documented":               {[]string{"help", "exit-codes"}, 0, "130  it was interrupted", ""},
		"shells get completion":                       {[]string{"completion", "zsh"}, 0, "#compdef hale", ""},
		"formats are completed":                       {[]string{"__complete", "version", "-o", ""}, 0, "jsonl\n", ""},
		"kinds are completed":                         {[]string{"__complete", "send", "us"}, 0, "usage\n", ""},
		"a wrong command is suggested against":        {[]string{"acounts"}, 2, "", `did you mean "accounts"?`},
		"a wrong subcommand too":                      {[]string{"accounts", "gte"}, 2, "", `has no command "gte"`},
		"a wrong flag is a usage error":               {[]string{"run", "--nope"}, 2, "", "unknown flag: --nope (see `hale run --help`)"},
		"a wrong value is a usage error":              {[]string{"run", "--query-drain", "5"}, 2, "", "must be a duration"},
		"too few arguments are a usage error":         {[]string{"accounts", "get"}, 2, "", "takes the account's id"},
		"a wrong format is a usage error":             {[]string{"version", "-o", "xml"}, 2, "", "must be one of table, json, yaml, jsonl"},
		"a wrong kind is a usage error":               {[]string{"send", "noise", "--key", "k"}, 2, "", "is no kind of event"},
		"flags of an event need a kind":               {[]string{"send", "--account", "a", "--key", "k"}, 2, "", "need a KIND"},
		"a file that is not there is a usage error":   {[]string{"send", "-f", "/nope", "--key", "k"}, 2, "", "no such file"},
		"nothing to send is refused":                  {[]string{"send", "--key", "k"}, 6, "", "there are no events"},
		"close needs a load":                          {[]string{"send", "--close", "--key", "k"}, 2, "", "--close needs --historical"},
		"without credentials there is no key":         {[]string{"accounts", "list", "--data", none}, 4, "", "no key: give --key"},
		"a server must be an address":                 {[]string{"accounts", "list", "--key", "k", "--server", "ftp://x"}, 2, "", `server "ftp://x"`},
		"a limit is not negative":                     {[]string{"accounts", "list", "--limit", "-1"}, 2, "", "must not be negative"},
		"resend needs a choice":                       {[]string{"rejects", "resend"}, 2, "", "name ids, or --code, or --all"},
		"resend needs one choice":                     {[]string{"rejects", "resend", "1", "--all"}, 2, "", "name ids, or --code, or --all"},
		"a partition is a number":                     {[]string{"snapshot", "create", "x"}, 2, "", `"x" is not the number of a partition`},
		"restore needs a partition":                   {[]string{"snapshot", "restore"}, 2, "", "name a partition, or --all"},
		"restore needs one choice":                    {[]string{"snapshot", "restore", "1", "--all"}, 2, "", "name a partition, or --all"},
		"a cursor is one partition's":                 {[]string{"snapshot", "restore", "--all", "--cursor", "7"}, 2, "", "does not go with --all"},
		"snapshots have a limit too":                  {[]string{"snapshot", "list", "--limit", "-1"}, 2, "", "must not be negative"},
		"rebuild takes its own commands":              {[]string{"rebuild", "now"}, 2, "", `has no command "now"`},
		"operators find their commands in the help":   {[]string{"help"}, 0, "Operation:\n  dead-letters", ""},
		"commands of operators are completed":         {[]string{"__complete", "rebuild", ""}, 0, "abort\tGive the rebuild", ""},
		"apply needs a file":                          {[]string{"apply"}, 2, "", "name a file with -f"},
		"the demo checks what it is asked for":        {[]string{"demo", "--days", "1000"}, 2, "", "days 1000"},
		"the demo is no benchmark":                    {[]string{"demo", "--rate", "100000"}, 2, "", "--rate must be from 1 to 1000"},
		"run checks its configuration":                {[]string{"run", "--check"}, 0, "", "the configuration is good"},
		"run refuses a public listener":               {[]string{"run", "--check", "--query-grpc", "0.0.0.0:9090"}, 2, "", "beyond loopback"},
		"run takes it when it is told to":             {[]string{"run", "--check", "--query-grpc", "0.0.0.0:9090", "--query-allow-public"}, 0, "", "good"},
		"ingest alone needs NATS":                     {[]string{"ingest", "--check"}, 2, "", "ingest needs --nats URL"},
		"ingest takes a subset of the sources":        {[]string{"ingest", "--check", "--nats", "nats://h:1", "--sources", "usage,login"}, 0, "", "good"},
		"ingest refuses an unknown source":            {[]string{"ingest", "--check", "--nats", "nats://h:1", "--sources", "gossip"}, 2, "", "gossip"},
		"scoring alone needs Redis":                   {[]string{"scoring", "--nats", "nats://h:1"}, 2, "", "scoring needs --redis URL"},
		"query alone needs Redis":                     {[]string{"query", "--nats", "nats://h:1"}, 2, "", "query needs --redis URL"},
		"query alone checks out with both":            {[]string{"query", "--check", "--nats", "nats://h:1", "--redis", "redis://h:1"}, 0, "", "good"},
		"notify alone needs no Redis":                 {[]string{"notify", "--check", "--nats", "nats://h:1"}, 0, "", "good"},
		"notify refuses a console that is no address": {[]string{"notify", "--check", "--nats", "nats://h:1", "--notify-console-url", "x"}, 2, "", "console_url"},
		"dead letters are named or all are":           {[]string{"dead-letters", "resend"}, 2, "", "name ids, or --receiver, or --all"},
		"dead letters are named in one way":           {[]string{"dead-letters", "resend", "x", "--all"}, 2, "", "name ids, or --receiver, or --all"},
		"a NATS that is not there is told":            {[]string{"run", "--data", none, "--nats", "nats://127.0.0.1:1", "--admin", "127.0.0.1:0", "--ingest-http", "127.0.0.1:0", "--ingest-grpc", "off", "--query-grpc", "127.0.0.1:0", "--query-http", "127.0.0.1:0"}, 5, "", "connecting to NATS (--nats)"},
		"hale alone shows its help":                   {nil, 0, "Hale keeps a live health score", ""},
		"hale itself takes no words but its commands": {[]string{"now"}, 2, "", `has no command "now"`},
		"groups show their commands":                  {[]string{"accounts"}, 0, "explain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := hale(t, "", c.args...)
			require.Equal(t, c.code, got.code, got.err)
			require.Contains(t, got.out, c.out)
			require.Contains(t, got.err, c.err)
		})
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	file := filepath.Join(dir, "hale.yaml")
	require.NoError(t, os.WriteFile(file, []byte(
		"data: /var/lib/hale\nquery:\n  grpc: 127.0.0.1:7001\n  http: 127.0.0.1:7002\nclient: {key: k1}\n"), 0o600))

	t.Run("print shows every setting, who set it, and no secret", func(t *testing.T) {
		t.Parallel()

		got := haleWith(t.Context(), []string{
			"HALE_CONFIG=" + file, "HALE_QUERY_GRPC=127.0.0.1:8001", "HALE_QUERY_HTTP=127.0.0.1:8002",
			"HALE_REDIS=redis://u:pw@h:6379",
		}, "", "config", "print", "--query-http", "127.0.0.1:9002", "-o", "jsonl")
		require.Zero(t, got.code, got.err)
		require.Contains(t, got.out, `"key":"data","flag":"data","variable":"HALE_DATA","value":"/var/lib/hale","default":"./data","origin":"file `+file+`:1"`)
		require.Contains(t, got.out, `"value":"127.0.0.1:8001","default":"127.0.0.1:9090","origin":"environment HALE_QUERY_GRPC"`)
		require.Contains(t, got.out, `"value":"127.0.0.1:9002","default":"127.0.0.1:9091","origin":"flag --query-http"`)
		require.Contains(t, got.out, `"value":"(hidden)"`)
		require.NotContains(t, got.out, "k1")
		require.NotContains(t, got.out, "pw")
	})

	t.Run("print as a table", func(t *testing.T) {
		t.Parallel()

		got := hale(t, "", "config", "print")
		require.Zero(t, got.code, got.err)
		golden(t, "config-print", got.out)
	})

	t.Run("an unknown key and an unknown variable stop every command", func(t *testing.T) {
		t.Parallel()

		wrong := filepath.Join(dir, "wrong.yaml")
		require.NoError(t, os.WriteFile(wrong, []byte("quary:\n  grpc: x\n"), 0o600))

		got := haleWith(t.Context(), []string{"HALE_NATZ=x"}, "", "run", "--check", "--config", wrong)
		require.Equal(t, 2, got.code)
		require.Contains(t, got.err, wrong+":1: quary: no such setting")

		got = haleWith(t.Context(), []string{"HALE_NATZ=x"}, "", "run", "--check")
		require.Equal(t, 2, got.code)
		require.Contains(t, got.err, "HALE_NATZ: no such setting")
	})

	t.Run("help works whatever the configuration says", func(t *testing.T) {
		t.Parallel()

		got := haleWith(t.Context(), []string{"HALE_NATZ=x"}, "", "help", "exit-codes")
		require.Zero(t, got.code)
		got = haleWith(t.Context(), []string{"HALE_NATZ=x"}, "", "completion", "bash")
		require.Zero(t, got.code)
	})
}
