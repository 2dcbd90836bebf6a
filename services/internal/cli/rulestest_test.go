package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tryRules are rules of which one fires for every account that has an owner, and one never.
const tryRules = `kind: rules
rules:
  - {name: there, summary: It is there, severity: info, when: age_days >= 0}
  - {name: old, summary: It is old, severity: critical, when: age_days > 3000, for: 1h}
`

// testRules tries rules on what the run has in its log.
func testRules(t *testing.T, r *run) {
	t.Helper()

	args := []string{"rules", "test", "-", "--account", "acme"}
	got := r.hale(t, tryRules, append(args, "--since", "1d")...)
	require.Zero(t, got.code, got.err)
	golden(t, "rules-test", regexp.MustCompile(` +\d+[sm][0-9s]* `).ReplaceAllString(got.out, " OPEN "))
	require.Contains(t, got.err, "replaying the log: 100%, 1 alert")

	asJSON := r.hale(t, tryRules, append(args, "-o", "json")...)
	require.Zero(t, asJSON.code, asJSON.err)

	var all struct {
		Begins  string
		Trimmed bool `json:"log_trimmed"`
		Rules   []struct {
			Rule  string
			Fired int
			Open  int
		}
		Alerts []struct {
			Account string `json:"account_id"`
			Rule    string
		}
	}

	require.NoError(t, json.Unmarshal([]byte(asJSON.out), &all))
	require.NotEmpty(t, all.Begins)
	require.False(t, all.Trimmed)
	require.Len(t, all.Rules, 2)
	require.Equal(t, "there", all.Rules[0].Rule)
	require.Equal(t, 1, all.Rules[0].Fired)
	require.Equal(t, 1, all.Rules[0].Open)
	require.Zero(t, all.Rules[1].Fired, "a rule that never fires is told too")
	require.Len(t, all.Alerts, 1)
	require.Equal(t, "acme", all.Alerts[0].Account)

	lines := r.hale(t, tryRules, "rules", "test", "-", "--since", "0", "-o", "jsonl")
	require.Zero(t, lines.code, lines.err)
	require.Greater(t, strings.Count(lines.out, "\n"), 1, "all accounts")

	inForce := r.hale(t, "", "rules", "test")
	require.Zero(t, inForce.code, inForce.err)
	require.Contains(t, inForce.out, "band_critical")

	wrong := r.hale(t, "kind: rules\nrules: [{}]", "rules", "test", "-")
	require.Equal(t, 6, wrong.code)
	require.Contains(t, wrong.err, "RULES_INVALID")

	for _, since := range []string{"soon", "-1h", "-3d", "1e9d"} {
		require.Equal(t, 2, r.hale(t, "", "rules", "test", "--since", since).code, since)
	}
}
