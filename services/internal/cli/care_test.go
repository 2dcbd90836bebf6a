package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCare decides things about an account of a run, scored by the real service.
func TestCare(t *testing.T) {
	t.Parallel()

	r := start(t, filepath.Join(t.TempDir(), "data"))
	sent := r.hale(t, story, "send", "-o", "json")
	require.Zero(t, sent.code, sent.err)

	token := between(t, sent.out, `"token": "`, `"`)
	require.Zero(t, r.hale(t, "", "accounts", "get", "acme", "--at-least", token).code)

	soon := time.Now().UTC().AddDate(0, 0, 7).Format(time.DateOnly)

	for _, step := range []struct {
		name string
		args []string
	}{
		{"override-set", []string{
			"override", "set", "acme", "--score", "25", "--reason", "they look around", "--until", soon, "--author", "maya",
		}},
		{"override-explain", []string{"accounts", "explain", "acme"}},
		{"override-get-json", []string{"accounts", "get", "acme", "-o", "json"}},
		{"override-clear", []string{"override", "clear", "acme"}},
		{"pulse", []string{"pulse", "acme", "2", "--note", "a bad call", "--author", "maya"}},
		{"goals-set", []string{
			"goals", "set", "acme", "--id", "seats", "--measure", "active_users", "--target", "80", "--due", soon,
			"--title", "all on board", "--author", "maya",
		}},
		{"goals-set-feature", []string{
			"goals", "set", "acme", "--id", "export", "--feature", "export", "--due", soon, "--author", "maya", "-o", "yaml",
		}},
		{"goals-list", []string{"goals", "list", "acme"}},
		{"goals-jsonl", []string{"goals", "list", "acme", "-o", "jsonl"}},
	} {
		got := r.hale(t, "", step.args...)
		require.Zero(t, got.code, "%s: %s", step.name, got.err)
		golden(t, step.name, got.out)
	}

	dropped := r.hale(t, "", "goals", "delete", "acme", "seats")
	require.Zero(t, dropped.code, dropped.err)
	require.Empty(t, dropped.out)
	require.NotContains(t, r.hale(t, "", "goals", "list", "acme").out, "seats")

	for line, want := range map[string]struct {
		code int
		says string
	}{
		"goals delete acme seats":                                   {3, "no such goal"},
		"goals set acme --measure beauty --due " + soon:             {6, "goal.measure"},
		"goals set acme --measure nps":                              {2, "needs --due"},
		"pulse acme good":                                           {2, "no rating"},
		"pulse acme 6":                                              {6, "pulse"},
		"override set acme --score 5 --reason x":                    {2, "needs --until"},
		"override set acme --score 5 --reason x --until 2020-01-01": {6, "expire_date"},
		"override set nobody --score 5 --reason x --until " + soon:  {3, "no such account"},
		"override clear nobody":                                     {3, "no such account"},
	} {
		got := r.hale(t, "", strings.Fields(line)...)
		require.Equal(t, want.code, got.code, "%s: %s", line, got.err)
		require.Contains(t, got.err, want.says)
	}
}

// between is what stands between two texts.
func between(t *testing.T, text, from, to string) string {
	t.Helper()

	_, rest, found := strings.Cut(text, from)
	require.True(t, found, text)

	value, _, _ := strings.Cut(rest, to)

	return value
}
