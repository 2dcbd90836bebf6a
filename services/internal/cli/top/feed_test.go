package top_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/cli/top"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func TestFeedBreaksAndComesBack(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	require.Contains(t, s.line(0), "live")

	s.send(top.FeedState{Feed: top.FeedAlerts, Err: errGone}, top.Tick(noon().Add(time.Minute)))
	require.Contains(t, s.line(0), "alerts cut, trying again")
	require.Contains(t, s.line(-2), "alerts: the server is not there (UNAVAILABLE)")
	require.Contains(t, s.text(), "4 open", "what is known stays on the screen")

	// It goes on from its token: what was missed comes, the rest is still there.
	s.send(became(acknowledged("bob")))
	require.Contains(t, s.line(0), "live")
	require.Empty(t, s.line(-2))
	require.Contains(t, s.chosen(), "ack")
	require.Contains(t, s.text(), "4 open")

	// The token was too old: what is held is forgotten.
	s.send(top.AlertsPart{Part: &alertv1.WatchAlertsResponse{
		Reset_: true, Snapshot: open()[:2], SnapshotComplete: true, ResumeToken: "t",
	}})
	require.Contains(t, s.text(), "2 open")

	s.send(top.FeedState{Feed: top.FeedPortfolio, Err: errGone})
	require.Contains(t, s.line(0), "portfolio cut, trying again")
	require.Contains(t, s.line(7), "21,240,000")
	s.send(portfolio())
	require.Contains(t, s.line(0), "live")
}

func TestLateNewsBringNothingBack(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	s.send(became(after(func(a *alertv1.Alert) { a.State = alertv1.State_STATE_RESOLVED })))
	require.NotContains(t, s.text(), "Acme Ltd")
	s.send(became(open()[1]))
	require.NotContains(t, s.text(), "Acme Ltd", "a transition that a decision's answer overtook")

	again := after(func(*alertv1.Alert) {})
	again.AlertId = "another"
	s.send(became(again))
	require.Contains(t, s.text(), "Acme Ltd")
}

func TestAccountsAfterReset(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	s.press("m")
	s.send(top.AccountsPart{Part: &healthv1.WatchHealthResponse{Reset_: true}}, top.Tick(noon()))
	require.Contains(t, s.line(2), "none")
	s.send(moved(changed("acme", 41.5, 0, 0)), top.Tick(noon()))
	require.Regexp(t, `acme +\+10\.0 +41\.5`, s.line(2), "what a score was at first outlives a reset")

	s.send(moved(&healthv1.AccountChange{
		Kind: healthv1.AccountChange_KIND_LEFT, Account: &healthv1.AccountSummary{AccountId: "acme"},
	}), top.Tick(noon()))
	require.Contains(t, s.line(2), "none")
}

func TestFilter(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	s.press("/", "owner = maya", "enter")
	require.Equal(t, top.Match{Filter: "owner = maya"}, s.take())
	require.Contains(t, s.line(8), "0 of 4 open  filter: owner = maya")

	s.send(top.Matched{Filter: "owner = maya", IDs: []string{"a2", "gone"}})
	require.Contains(t, s.line(8), "1 of 4 open")
	require.Contains(t, s.chosen(), "Acme Ltd")

	// What changes is asked about again, once for all that came meanwhile.
	s.send(became(acknowledged("bob")), became(acknowledged("bob")), became(acknowledged("bob")))
	require.Equal(t, top.Match{Filter: "owner = maya"}, s.take())
	s.send(top.Matched{Filter: "owner = maya"})
	require.Contains(t, s.line(8), "0 of 4 open")
	s.take()

	// An answer to an earlier filter is no answer to this one.
	s.press("/", "ctrl+u", "mood = bad", "enter")
	require.Empty(t, s.asked, "one request at a time")
	s.send(top.Matched{Filter: "owner = maya", IDs: []string{"a2"}})
	require.Contains(t, s.line(8), "0 of 4 open")
	require.Equal(t, top.Match{Filter: "mood = bad"}, s.take())
	s.send(top.Matched{Filter: "mood = bad", Err: errors.New(`there is no field "mood" (INVALID_ARGUMENT)`)})
	require.Contains(t, s.line(-2), `filter: there is no field "mood"`)

	s.press("/", "ctrl+u", "enter")
	require.Empty(t, s.asked)
	require.Contains(t, s.line(8), "4 open")

	s.press("/")
	s.send(tea.PasteMsg{Content: "owner\n= maya"})
	require.Contains(t, s.line(-2), "filter: owner = maya")
}

func TestFilterToBeginWith(t *testing.T) {
	t.Parallel()

	s := sit(t, top.Options{Filter: "severity = critical"})
	require.Equal(t, top.Match{Filter: "severity = critical"}, s.take())
}

func TestAccounts(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	s.press("tab")
	require.Equal(t, top.List{}, s.take())
	s.send(top.Listed{Accounts: worklist(), Total: 2})
	require.Contains(t, s.chosen(), "Acme Ltd")

	s.send(portfolio())
	require.Equal(t, top.List{}, s.take(), "the list follows what changes")
	s.send(top.Listed{Accounts: worklist()[1:], Total: 1})
	require.Contains(t, s.chosen(), "beta")

	s.press("/", "arr > x", "enter")
	require.Equal(t, top.List{Filter: "arr > x"}, s.take())
	s.send(top.Listed{Filter: "arr > x", Err: errors.New("x is no number")})
	require.Contains(t, s.line(-2), "accounts: x is no number")
	require.Contains(t, s.line(8), "ACCOUNTS  0, most urgent first  filter: arr > x")

	s.press("enter", "tab")
	require.Empty(t, s.asked)
	require.Contains(t, s.line(8), "4 open")
}

func TestExplanation(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	s.press("enter")
	require.Equal(t, top.Explain{AccountID: "acme"}, s.take())
	require.Contains(t, s.line(1), "account acme")

	s.send(top.Explained{AccountID: "beta", Text: "of another one"})
	require.NotContains(t, s.text(), "of another one")

	s.send(top.Explained{AccountID: "acme", Text: strings.Repeat("line\n", 50) + "the last\n"})
	require.NotContains(t, s.text(), "the last")
	s.press("end")
	require.Contains(t, s.text(), "the last")
	s.press("home", "down", "pgdown", "pgdown", "up", "pgup", "pgdown", "down")
	require.Contains(t, s.text(), "the last")
	s.press("right")
	require.Contains(t, s.text(), "\n\n\n", "short lines are moved out")
	s.press("left")
	require.Contains(t, s.text(), "the last")
	s.press("a", "esc")
	require.Empty(t, s.asked, "nothing is decided behind a page")
	require.Contains(t, s.text(), "4 open")

	s.press("enter")
	s.take()
	s.send(top.Explained{AccountID: "acme", Err: errGone})
	require.Contains(t, s.line(-2), "explanation of acme: the server is not there")

	s.press("down", "enter")
	require.Empty(t, s.asked)
	require.Contains(t, s.line(-2), "about a source")

	s.press("q")
	require.True(t, s.quit)
}

func TestQuitting(t *testing.T) {
	t.Parallel()

	for _, keys := range [][]string{{"q"}, {"ctrl+c"}, {"c", "text", "ctrl+c"}, {"?", "ctrl+c"}} {
		s := begun(t, 80, 24)
		s.press(keys...)
		require.True(t, s.quit, keys)
	}
}
