package top_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/cli/top"
)

// update writes the golden files anew: go test ./internal/cli/top -update.
var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errGone = errors.New("the server is not there (UNAVAILABLE)")

// noon is the time at which these stories begin.
func noon() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

// seat is somebody who sits before a view.
type seat struct {
	t     *testing.T
	model tea.Model
	// asked are the requests that were not answered yet.
	asked []any
	quit  bool
}

func sit(t *testing.T, o top.Options) *seat {
	t.Helper()

	s := &seat{t: t}
	o.Place, o.Now = "hale.example.com:9090", noon()
	o.Ask = func(request any) tea.Msg {
		s.asked = append(s.asked, request)

		return nil
	}
	m := top.New(o)
	s.model = m
	s.run(m.Init())

	return s
}

// run does what the program does with a command.
func (s *seat) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}

	if _, ok := cmd().(tea.QuitMsg); ok {
		s.quit = true
	}
}

func (s *seat) send(messages ...tea.Msg) {
	for _, msg := range messages {
		var cmd tea.Cmd

		s.model, cmd = s.model.Update(msg)
		s.run(cmd)
	}
}

// press presses keys: names of keys, or text that is typed.
func (s *seat) press(keys ...string) {
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
		"right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
		"backspace": tea.KeyBackspace,
	}

	for _, key := range keys {
		if code, ok := named[key]; ok {
			s.send(tea.KeyPressMsg{Code: code})

			continue
		}

		if letter, ok := strings.CutPrefix(key, "ctrl+"); ok {
			s.send(tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl})

			continue
		}

		for _, r := range key {
			s.send(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
}

// take returns the only request that was asked.
func (s *seat) take() any {
	s.t.Helper()
	require.Len(s.t, s.asked, 1)

	one := s.asked[0]
	s.asked = nil

	return one
}

func (s *seat) raw() string { return s.model.View().Content }

// text is the screen without what makes it stand out.
func (s *seat) text() string { return ansi.Strip(s.raw()) }

// line is the n-th line; below zero: from the end.
func (s *seat) line(n int) string {
	lines := strings.Split(s.text(), "\n")
	if n < 0 {
		n += len(lines)
	}

	return lines[n]
}

// chosen is the row under the cursor.
func (s *seat) chosen() string {
	_, rest, _ := strings.Cut(s.raw(), "\x1b[7m")
	row, _, _ := strings.Cut(rest, "\x1b")

	return strings.TrimSpace(row)
}

// golden compares the screen with a file.
func (s *seat) golden(name string) {
	s.t.Helper()

	file := filepath.Join("testdata", name+".golden")
	lines := strings.Split(s.text(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ") // the chosen row goes on to the edge
	}

	got := strings.Join(lines, "\n") + "\n"

	if *update {
		require.NoError(s.t, os.WriteFile(file, []byte(got), 0o600))
	}

	want, err := os.ReadFile(file)
	require.NoError(s.t, err)
	require.Equal(s.t, string(want), got)
}

func ago(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(noon().Add(-d)) }

// open are the alerts of these stories.
func open() []*alertv1.Alert {
	return []*alertv1.Alert{
		{
			AlertId: "a1", Revision: 1, Rule: "ticket_spike", State: alertv1.State_STATE_FIRING, AccountId: "beta",
			Severity: alertv1.Severity_SEVERITY_WARNING, Summary: "Many tickets", Since: ago(5 * time.Minute), FireTime: ago(time.Minute),
			Subject: &alertv1.Subject{Name: "Beta 東京 \x1b[31mGmbH", Owner: "bob", ArrAtRisk: new(950.0), RenewalDate: "2026-03-12"},
		},
		{
			AlertId: "a2", Revision: 3, Rule: "band_critical", State: alertv1.State_STATE_FIRING, AccountId: "acme",
			Severity: alertv1.Severity_SEVERITY_CRITICAL, Summary: "The score is critical, and has been for a day", Assignee: "maya",
			Since: ago(26 * time.Hour), FireTime: ago(26 * time.Hour),
			Subject: &alertv1.Subject{Name: "Acme Ltd", Owner: "bob", ArrAtRisk: new(16440.0), RenewalDate: "2026-05-01"},
		},
		{
			AlertId: "a3", Revision: 1, Rule: "source_silent", State: alertv1.State_STATE_FIRING, Source: "usage",
			Severity: alertv1.Severity_SEVERITY_CRITICAL, Summary: "The source is silent", Since: ago(72 * time.Hour), FireTime: ago(72 * time.Hour),
		},
		{
			AlertId: "a4", Revision: 2, Rule: "inactive", State: alertv1.State_STATE_SNOOZED, AccountId: "gamma",
			Severity: alertv1.Severity_SEVERITY_INFO, Summary: "Nobody comes", Since: ago(time.Hour), FireTime: ago(time.Hour),
			HeldBy: []string{"churned"}, Subject: &alertv1.Subject{ArrAtRisk: new(1.25e6)},
		},
	}
}

func alerts(all ...*alertv1.Alert) top.AlertsPart {
	return top.AlertsPart{Part: &alertv1.WatchAlertsResponse{Snapshot: all, SnapshotComplete: true, ResumeToken: "t"}}
}

func became(all ...*alertv1.Alert) top.AlertsPart {
	part := &alertv1.WatchAlertsResponse{ResumeToken: "t"}
	for _, a := range all {
		part.Transitions = append(part.Transitions, &alertv1.Transition{Alert: a})
	}

	return top.AlertsPart{Part: part}
}

func portfolio() top.PortfolioRead {
	return top.PortfolioRead{Portfolio: &healthv1.GetPortfolioResponse{
		Currency: "USD", Total: &healthv1.Group{Accounts: 1244, Arr: 21_240_000, ArrAtRisk: 2_016_440},
		Bands: []*healthv1.Group{
			{Name: "critical", Accounts: 4, Arr: 240_000, ArrAtRisk: 200_000},
			{Name: "at_risk", Accounts: 40, Arr: 3_000_000, ArrAtRisk: 1_500_000},
			{Name: "steady", Accounts: 200, Arr: 6_000_000, ArrAtRisk: 300_000},
			{Name: "healthy", Accounts: 1000, Arr: 12_000_000, ArrAtRisk: 16_440},
		},
	}}
}

func changed(id string, score, week float64, band healthv1.Band) *healthv1.AccountChange {
	return &healthv1.AccountChange{Kind: healthv1.AccountChange_KIND_UPDATED, Account: &healthv1.AccountSummary{
		AccountId: id, Score: &score, ScoreChange_7D: &week, Band: band,
	}}
}

func moved(all ...*healthv1.AccountChange) top.AccountsPart {
	return top.AccountsPart{Part: &healthv1.WatchHealthResponse{Changes: all, ResumeToken: "t"}}
}

// begun is a view to which all feeds have said what there is.
func begun(t *testing.T, width, height int) *seat {
	t.Helper()

	s := sit(t, top.Options{})
	s.send(tea.WindowSizeMsg{Width: width, Height: height}, alerts(open()...), portfolio(), moved(
		changed("acme", 31.5, -12.3, healthv1.Band_BAND_CRITICAL), changed("beta", 64, 4.04, healthv1.Band_BAND_STEADY),
		changed("gamma", 50, 0.01, healthv1.Band_BAND_AT_RISK), changed("delta", 12.25, -30, healthv1.Band_BAND_CRITICAL),
	))

	return s
}

func worklist() []*healthv1.AccountSummary {
	return []*healthv1.AccountSummary{
		{
			AccountId: "acme", Name: "Acme Ltd", Score: new(31.5), ScoreChange_7D: new(-12.3), Band: healthv1.Band_BAND_CRITICAL,
			Arr: new(24000.0), ArrAtRisk: new(16440.0), RenewalDate: "2026-05-01", Owner: "maya",
		},
		{AccountId: "beta", Band: healthv1.Band_BAND_UNKNOWN},
	}
}
