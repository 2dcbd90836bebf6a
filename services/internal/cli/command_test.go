package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// story is what TestCommands knows of its accounts: times are left out, so everything happens now.
const story = `
{"type":"account","id":"a1","account":"acme","name":"Acme Ltd","plan":"team","arr":12000,"currency":"USD","seats":10,"owner":"maya"}
{"type":"usage","id":"a2","account":"acme","user":"ann","feature":"reports","quantity":3}
{"type":"login","id":"a3","account":"acme","user":"bob"}
{"type":"ticket","id":"a4","account":"acme","user":"bob","ticket":"T-1","action":"opened","severity":"high"}
{"type":"survey","id":"a5","account":"acme","user":"ann","survey":"nps","action":"answered","score":9}
{"type":"interaction","id":"a6","account":"acme","kind":"call","pulse":4}
{"type":"login","id":"b1","account":"beta\u001b[2J","user":"eve"}
`

func TestCommands(t *testing.T) {
	t.Parallel()

	r := start(t, filepath.Join(t.TempDir(), "data"))
	golden(t, "run", strings.ReplaceAll(r.out.String(), r.dir, "DATA"))

	// What every other command reads is sent first.
	sent := r.hale(t, story, "send", "-o", "json")
	require.Zero(t, sent.code, sent.err)
	golden(t, "send-json", sent.out)

	var answer struct{ Token string }

	require.NoError(t, json.Unmarshal([]byte(sent.out), &answer))

	bad := r.hale(t, "", "send", "ticket", "--account", "acme", "--id", "a7", "ticket=T-2", "action=burnt")
	require.Equal(t, 6, bad.code)
	require.Equal(t, "hale: 1 of 1 event refused\n", bad.err)
	golden(t, "send-refused", bad.out)

	today := time.Now().UTC().Format(time.DateOnly)

	for name, args := range map[string][]string{
		"accounts-list":      {"accounts", "list"},
		"accounts-list-json": {"accounts", "list", "-o", "json"},
		"accounts-page":      {"accounts", "list", "--limit", "1", "--order-by", "arr desc", "-o", "jsonl"},
		"accounts-filter":    {"accounts", "list", "--filter", "band = steady OR nps > 0", "--order-by", "worklist,name desc"},
		"accounts-columns":   {"accounts", "list", "--columns", "account_id,score,band,nps,adoption,overridden,seats,arr_at_risk"},
		"accounts-fields": {
			"accounts", "list", "--columns", "account_id,band,nps,traits.region", "--filter", "acme", "-o", "jsonl",
		},
		"accounts-get":      {"accounts", "get", "acme"},
		"accounts-get-json": {"accounts", "get", "acme", "-o", "json"},
		"accounts-get-yaml": {"accounts", "get", "acme", "-o", "yaml"},
		"accounts-explain":  {"accounts", "explain", "acme"},
		"accounts-history":  {"accounts", "history", "acme"},
		"accounts-facts":    {"accounts", "facts", "acme"},
		"history-weeks":     {"accounts", "history", "acme", "--weeks"},
		"history-jsonl":     {"accounts", "history", "acme", "-o", "jsonl"},
		"accounts-compare":  {"accounts", "compare", "acme", "--from", today, "--to", today},
		"compare-json":      {"accounts", "compare", "acme", "--from", today, "-o", "json"},
		"facts-json":        {"accounts", "facts", "acme", "--limit", "1", "-o", "json"},
		"report":            {"report", "acme"},
		"report-html":       {"report", "acme", "--format", "html"},
		"report-json":       {"report", "acme", "--format", "json"},
		"portfolio":         {"portfolio", "--movement-days", "7"},
		"portfolio-json":    {"portfolio", "--section", "groups,retention", "-o", "json"},
		"portfolio-filter":  {"portfolio", "--filter", "arr > 1", "--section", "groups"},
		"rejects-list":      {"rejects", "list"},
		"rejects-jsonl":     {"rejects", "list", "--code", "invalid_value", "-o", "jsonl"},
		"scorecards-list":   {"scorecards", "list"},
		"rules-list":        {"rules", "list"},
	} {
		t.Run(name+" prints what it should", func(t *testing.T) {
			if args[0] == "accounts" || args[0] == "portfolio" {
				args = append(args, "--at-least", answer.Token)
			}

			got := r.hale(t, "", args...)
			require.Zero(t, got.code, got.err)
			golden(t, name, got.out)
		})
	}

	t.Run("the score stands at the top level", func(t *testing.T) {
		got := r.hale(t, "", "accounts", "get", "acme", "-o", "json", "--at-least", answer.Token)

		var health struct {
			Score      float64
			Dimensions []struct{ Contribution float64 }
		}

		require.NoError(t, json.Unmarshal([]byte(got.out), &health))

		sum := 0.0
		for _, d := range health.Dimensions {
			sum += d.Contribution
		}

		require.InDelta(t, health.Score, sum, 1e-9, "contributions add up")
	})

	t.Run("the printed command sends an event when a shell runs it", func(t *testing.T) {
		line := after(t, r.out.String(), "Send an event:")
		text, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
		require.NoError(t, err, line)
		require.Contains(t, string(text), `"accepted":1`)
	})

	t.Run("a report goes into a file that only the user reads", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "acme.md")
		got := r.hale(t, "", "report", "acme", "--out", file)
		require.Zero(t, got.code, got.err)
		require.Empty(t, got.out)

		text, err := os.ReadFile(file)
		require.NoError(t, err)
		golden(t, "report", string(text))

		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	})

	t.Run("what there is no history or no form of is refused", func(t *testing.T) {
		got := r.hale(t, "", "accounts", "compare", "acme", "--from", "2020-01-01")
		require.NotZero(t, got.code)
		require.Contains(t, got.err, "HISTORY_MISSING")

		got = r.hale(t, "", "report", "acme", "--format", "pdf")
		require.Equal(t, 2, got.code, got.err)
		require.Contains(t, got.err, "must be markdown, html or json")
	})

	t.Run("a parent shows its children", func(t *testing.T) {
		sent := r.hale(t, "", "send", "account", "--account", "beta", "--id", "c1", "parent=acme", "-o", "json")
		require.Zero(t, sent.code, sent.err)

		require.Eventually(t, func() bool { // lists follow
			got := r.hale(t, "", "accounts", "get", "acme")

			return strings.Contains(got.out, "\nchildren 1, score ")
		}, 30*time.Second, 50*time.Millisecond)

		got := r.hale(t, "", "accounts", "get", "acme", "-o", "json")
		require.Contains(t, got.out, `"worst_account_id": "beta"`)
	})

	t.Run("events tail shows the log", func(t *testing.T) {
		got := r.hale(t, "", "events", "tail", "--last", "100", "--no-follow", "-o", "jsonl")
		require.Zero(t, got.code, got.err)
		require.Contains(t, got.out, `"message_id":"a4"`)

		lines := r.hale(t, "", "events", "tail", "--last", "100", "--no-follow")
		require.Contains(t, lines.out, "native ticket acme user bob at ")
		require.Contains(t, lines.out, " ticket T-1 opened id a4\n")
		require.Contains(t, lines.out, `native login beta\x1b[2J user eve`)
	})

	t.Run("events tail ends in order when it is interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)

		require.Zero(t, haleWith(ctx, nil, "", "events", "tail", "--data", r.dir).code)
	})

	t.Run("a refused event is refused again", func(t *testing.T) {
		got := r.hale(t, "", "rejects", "resend", "--all", "-o", "json")
		require.Equal(t, 6, got.code, got.err)
		require.JSONEq(t, `{"accepted":0,"refused":1,"token":""}`, got.out)
	})

	t.Run("scorecards go around: list, check, apply", func(t *testing.T) { scorecards(t, r) })
	t.Run("rules go around: list, check, apply", func(t *testing.T) { rules(t, r) })
	t.Run("receivers go around: apply, list, check; nothing was given up", func(t *testing.T) { receivers(t, r) })

	t.Run("the admin server says that all is ready", func(t *testing.T) {
		for path, want := range map[string]string{"/readyz": `"ready"`, "/healthz": `"ok"`, "/metrics": "go_goroutines"} {
			q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.addresses(t).Admin+path, nil)
			require.NoError(t, err)
			answer, err := http.DefaultClient.Do(q)
			require.NoError(t, err)
			text, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, http.StatusOK, answer.StatusCode)
			require.Contains(t, string(text), want)
		}

		http.DefaultClient.CloseIdleConnections()
	})

	t.Run("mistakes have their exit codes", func(t *testing.T) { mistakes(t, r) })

	t.Run("the demo tells its stories, and does not load them twice", func(t *testing.T) { demos(t, r) })

	r.end(t)

	_, err := os.Stat(filepath.Join(r.dir, "run.json"))
	require.ErrorIs(t, err, os.ErrNotExist, "an orderly end forgets the addresses")
}

// after returns the next line of a text that has something on it.
func after(t *testing.T, text, heading string) string {
	t.Helper()

	_, rest, found := strings.Cut(text, heading)
	require.True(t, found)

	line, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")

	return line
}

func scorecards(t *testing.T, r *run) {
	t.Helper()

	doc := r.hale(t, "", "scorecards", "list", "-o", "yaml")
	require.Zero(t, doc.code, doc.err)

	file := filepath.Join(t.TempDir(), "scorecards.yaml")
	require.NoError(t, os.WriteFile(file, []byte(doc.out), 0o600))

	good := r.hale(t, "", "scorecards", "check", file)
	require.Zero(t, good.code, good.err)
	require.Empty(t, good.out)

	bad := r.hale(t, strings.Replace(doc.out, "weight: 40", "weight: 41", 1), "scorecards", "check", "-", "-o", "json")
	require.Equal(t, 6, bad.code)
	require.Contains(t, bad.out, `"field": "scorecards[1].dimensions[0].weight"`)
	require.Contains(t, bad.err, "hale: -: ")

	applied := r.hale(t, "", "scorecards", "apply", file, "-o", "json")
	require.Zero(t, applied.code, applied.err)

	var first []struct {
		Version uint64
		Token   string
	}

	require.NoError(t, json.Unmarshal([]byte(applied.out), &first))
	require.NotZero(t, first[0].Version)

	seen := r.hale(t, "", "accounts", "get", "acme", "-o", "json", "--at-least", first[0].Token)
	require.Contains(t, seen.out, `"scorecard_version": 1`)

	require.Zero(t, r.hale(t, "", "apply", "-f", file).code)

	none := r.hale(t, "kind: curves", "apply", "-f", "-")
	require.Equal(t, 6, none.code)
	require.Contains(t, none.err, `kind "curves" is not known; it must be scorecards or rules or receivers`)
}

func rules(t *testing.T, r *run) {
	t.Helper()

	doc := r.hale(t, "", "rules", "list", "-o", "yaml")
	require.Zero(t, doc.code, doc.err)

	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, []byte(doc.out), 0o600))

	good := r.hale(t, "", "rules", "check", file)
	require.Zero(t, good.code, good.err)
	require.Empty(t, good.out)

	bad := r.hale(t, strings.Replace(doc.out, "tickets_7d <= 2", "tickets_7d % 0 == 1", 1), "rules", "check", "-")
	require.Equal(t, 6, bad.code)
	golden(t, "rules-check", bad.out)

	refused := r.hale(t, "kind: rules\nrules: [{}]", "rules", "apply", "-")
	require.Equal(t, 6, refused.code)
	require.Contains(t, refused.err, "RULES_INVALID")

	applied := r.hale(t, "", "apply", "-f", file, "-o", "json")
	require.Zero(t, applied.code, applied.err)
	require.Contains(t, applied.out, `"kind": "rules"`)

	again := r.hale(t, "", "rules", "apply", file)
	require.Zero(t, again.code, again.err)
	require.Contains(t, r.hale(t, "", "rules", "list").out, "2  band_critical")

	testRules(t, r)
}

func mistakes(t *testing.T, r *run) {
	t.Helper()

	for name, c := range map[string]struct {
		args []string
		code int
		text string
	}{
		"an account that is not there": {[]string{"accounts", "get", "nobody"}, 3, "no such account (ACCOUNT_NOT_FOUND)"},
		"its history":                  {[]string{"accounts", "history", "nobody"}, 3, "ACCOUNT_NOT_FOUND"},
		"an unknown key":               {[]string{"accounts", "list", "--key", "x"}, 4, "KEY_UNKNOWN"},
		"an unknown key for events":    {[]string{"send", "login", "--account", "a", "--key", "x"}, 4, "key_unknown"},
		"a key of the wrong kind":      {[]string{"scorecards", "list", "--key", r.key(t, "query_key")}, 4, "KEY_WRONG_KIND"},
		"no server":                    {[]string{"accounts", "list", "--server", "127.0.0.1:1"}, 5, "(Unavailable)"},
		"no server for events":         {[]string{"send", "login", "--account", "a", "--ingest", "127.0.0.1:1", "--timeout", "50ms"}, 5, "cannot be reached"},
		"a wrong day":                  {[]string{"accounts", "history", "acme", "--from", "soon"}, 6, "from_date"},
		"a foreign token":              {[]string{"accounts", "get", "acme", "--at-least", "x"}, 6, "TOKEN_UNKNOWN"},
		"a wrong order":                {[]string{"accounts", "list", "--order-by", "luck"}, 6, "order_by"},
		"a month that is none":         {[]string{"portfolio", "--from", "2026-13"}, 6, "from_month"},
		"a section that is none":       {[]string{"portfolio", "--section", "luck"}, 2, "must be one of groups, movements"},
		"a wrong filter":               {[]string{"accounts", "list", "--filter", "mood = bad"}, 6, "there is no field mood"},
		"a column that is none":        {[]string{"accounts", "list", "--columns", "score,mood"}, 2, `have no field "mood"`},
		"a map without an entry":       {[]string{"accounts", "list", "--columns", "traits"}, 2, `have no field "traits"`},
		"an entry of no map":           {[]string{"accounts", "list", "--columns", "score.x"}, 2, `have no field "score.x"`},
		"an id that is none":           {[]string{"rejects", "resend", "x"}, 2, "not the id of a reject"},
		"a folder that is in use":      {append([]string{"run"}, anyPorts()...), 1, "another hale process uses this data folder"},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.hale(t, "", c.args...)
			require.Equal(t, c.code, got.code, got.err)
			require.Contains(t, got.err, c.text)
			require.Empty(t, got.out, "nothing on stdout")
		})
	}

	taken := strings.TrimPrefix(r.addresses(t).IngestHTTP, "http://")
	args := append([]string{"run", "--data", t.TempDir()}, anyPorts()...)
	got := hale(t, "", append(args, "--ingest-http", taken)...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, taken+" is taken by another process: choose another address with --ingest-http")
}

// key reads a key from the credentials file.
func (r *run) key(t *testing.T, name string) string {
	t.Helper()

	text, err := os.ReadFile(filepath.Join(r.dir, "credentials.yaml"))
	require.NoError(t, err)

	return strings.Fields(after(t, "\n"+string(text), name+":"))[0]
}

func demos(t *testing.T, r *run) {
	t.Helper()

	small := []string{"demo", "--accounts", "8", "--days", "20", "--seed", "5"}
	first := r.hale(t, "", append(small, "--live=false")...)
	require.Zero(t, first.code, first.err)
	require.Contains(t, first.err, "events of 8 accounts in ")
	require.Contains(t, first.out, "quietly leaving")
	require.Contains(t, first.out, "bin/hale accounts explain ")

	// The history is there day by day.
	account := strings.Fields(after(t, first.out, "See the stories:"))[3]
	days := r.hale(t, "", "accounts", "history", account, "-o", "jsonl")
	require.Zero(t, days.code, days.err)
	require.GreaterOrEqual(t, strings.Count(days.out, "\n"), 19)

	again := r.hale(t, "", append(small, "--duration", "1200ms", "--rate", "5", "-o", "json")...)
	require.Zero(t, again.code, again.err)
	require.Contains(t, again.err, "The portfolio is there already")
	require.Contains(t, again.err, "Live now, 5 events a second")

	log := r.hale(t, "", "events", "tail", "--last", "20", "--no-follow")
	require.Contains(t, log.out, "id demo-live-")
}
