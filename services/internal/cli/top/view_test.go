package top_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/cli/top"
)

func TestScreens(t *testing.T) {
	t.Parallel()

	for size, at := range map[string][2]int{"80x24": {80, 24}, "120x40": {120, 40}} {
		t.Run("at "+size, func(t *testing.T) {
			t.Parallel()

			s := sit(t, top.Options{})
			s.send(tea.WindowSizeMsg{Width: at[0], Height: at[1]})
			s.golden("nothing-" + size)

			s = begun(t, at[0], at[1])
			s.golden("alerts-" + size)
			require.True(t, s.model.View().AltScreen)

			s.press("s")
			s.golden("snooze-" + size)
			s.press("esc", "?")
			s.golden("help-" + size)
			s.press("esc", "tab")
			require.Equal(t, top.List{}, s.take())
			s.send(top.Listed{Accounts: worklist(), Total: 7})
			s.golden("accounts-" + size)

			s.press("enter")
			s.send(top.Explained{AccountID: "acme", Text: "acme (Acme Ltd)\nscore 31.5, critical\n"})
			s.golden("account-" + size)
		})
	}
}

func TestScreenFits(t *testing.T) {
	t.Parallel()

	for _, size := range [][2]int{{80, 24}, {120, 40}, {40, 10}, {200, 60}, {20, 5}, {1, 1}, {80, 16}} {
		s := begun(t, size[0], size[1])

		for _, keys := range [][]string{nil, {"s"}, {"esc", "r"}, {"n", "c", strings.Repeat("long text ", 30)}, {"esc", "?"}, {"esc", "tab"}} {
			s.press(keys...)

			lines := strings.Split(s.text(), "\n")
			require.LessOrEqual(t, len(lines), size[1], "%v %v", size, keys)

			for _, line := range lines {
				require.LessOrEqual(t, ansi.StringWidth(line), size[0], "%v %v: %s", size, keys, line)
			}
		}
	}
}

func TestColours(t *testing.T) {
	t.Parallel()

	plain, coloured := begun(t, 80, 24), sit(t, top.Options{Color: true})
	coloured.send(alerts(open()...), portfolio(), moved())

	require.NotContains(t, strings.ReplaceAll(strings.ReplaceAll(plain.raw(), "\x1b[7m", ""), "\x1b[m", ""), "\x1b",
		"without colours only the chosen row stands out, and names command nothing")
	require.Contains(t, coloured.raw(), "\x1b[33mwarn", "a warning is yellow")
	require.Contains(t, coloured.raw(), "\x1b[32mlive")
	require.NotContains(t, coloured.raw(), "\x1b[31mGmbH")
}

func TestMoving(t *testing.T) {
	t.Parallel()

	many := make([]*alertv1.Alert, 0, 40)
	for i := range 40 {
		many = append(many, &alertv1.Alert{
			AlertId: fmt.Sprintf("m%02d", i), Revision: 1, AccountId: fmt.Sprintf("account-%02d", i), State: alertv1.State_STATE_FIRING,
			Severity: alertv1.Severity_SEVERITY_WARNING, FireTime: ago(time.Duration(i) * time.Minute),
		})
	}

	s := begun(t, 80, 24)
	s.send(top.AlertsPart{Part: &alertv1.WatchAlertsResponse{Reset_: true}}, alerts(many...))

	for _, step := range []struct{ keys, on string }{
		{"up", "account-00"},
		{"down", "account-01"},
		{"pgdown", "account-13"},
		{"pgdown", "account-25"},
		{"pgup", "account-13"},
		{"end", "account-39"},
		{"down", "account-39"},
		{"up", "account-38"},
		{"home", "account-00"},
		{"G", "account-39"},
		{"g", "account-00"},
		{"j", "account-01"},
		{"k", "account-00"},
	} {
		s.press(step.keys)
		require.Contains(t, s.chosen(), step.on, step.keys)
	}

	s.press("j", "j")
	require.Contains(t, s.chosen(), "account-02")
	s.send(became(&alertv1.Alert{
		AlertId: "new", Revision: 1, AccountId: "urgent", Severity: alertv1.Severity_SEVERITY_CRITICAL, State: alertv1.State_STATE_FIRING,
	}))
	require.Contains(t, s.chosen(), "account-02", "the cursor stays on its alert when others come above it")
	s.send(became(&alertv1.Alert{AlertId: "m02", Revision: 2, State: alertv1.State_STATE_RESOLVED}))
	require.Contains(t, s.chosen(), "account-03", "when its alert is gone the cursor is on the next one")
	require.Contains(t, s.text(), "40 open")
}

func TestMovers(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	require.Contains(t, s.line(1), "MOVERS, 7 DAYS")
	require.Contains(t, s.line(2), "delta")
	require.Contains(t, s.line(3), "acme")
	require.NotContains(t, s.text(), "gamma               +0.0", "what does not show is no move")

	s.press("m")
	require.Contains(t, s.line(1), "MOVERS, SINCE OPENED")
	require.Contains(t, s.line(2), "none")

	s.send(moved(changed("beta", 60.5, 1, 0)))
	s.send(moved(changed("beta", 58, 1, 0), changed("acme", 33, 1, 0)), top.Tick(noon().Add(time.Second)))
	require.Regexp(t, `beta +-6\.0 +58\.0`, s.line(2))
	require.Regexp(t, `acme +\+1\.5 +33\.0`, s.line(3))
	require.Contains(t, s.line(0), "12:00:01 UTC")
}
