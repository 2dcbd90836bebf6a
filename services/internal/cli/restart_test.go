package cli_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRestart restarts a run on its data folder and finds every score, explanation and day of
// history as it was, to the last digit.
func TestRestart(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, dir)

	loaded := first.hale(t, "", "demo", "--accounts", "12", "--days", "40", "--seed", "9", "--live=false")
	require.Zero(t, loaded.code, loaded.err)

	before := everything(t, first)
	require.Len(t, before, 12)
	first.end(t)

	second := start(t, dir)
	require.Equal(t, before, everything(t, second))
	second.end(t)
}

// everything is what can be read of each account, but for the moment it was read at.
func everything(t *testing.T, r *run) map[string][]string {
	t.Helper()

	list := r.hale(t, "", "accounts", "list", "-o", "json")
	require.Zero(t, list.code, list.err)

	var accounts []struct {
		ID string `json:"account_id"`
	}

	require.NoError(t, json.Unmarshal([]byte(list.out), &accounts))

	found := map[string][]string{}

	for _, a := range accounts {
		health := r.hale(t, "", "accounts", "get", a.ID, "-o", "json")
		require.Zero(t, health.code, health.err)

		days := r.hale(t, "", "accounts", "history", a.ID, "-o", "jsonl")
		require.Zero(t, days.code, days.err)

		var fields map[string]any

		require.NoError(t, json.Unmarshal([]byte(health.out), &fields))
		delete(fields, "as_of")

		text, err := json.Marshal(fields)
		require.NoError(t, err)

		found[a.ID] = []string{string(text), days.out}
	}

	return found
}
