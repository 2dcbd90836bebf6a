package cli_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
)

// noon is when the alerts of these tests fire.
func noon() *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
}

// happened is the first thing that happened to an alert.
func happened(a *alertv1.Alert, more ...*alertv1.Transition) []*logv1.AlertRecord {
	first := proto.CloneOf(a)
	first.Revision = 1
	all := append([]*alertv1.Transition{{Kind: alertv1.Transition_KIND_FIRED, At: noon(), Alert: first}}, more...)
	records := make([]*logv1.AlertRecord, 0, len(all))

	for n, t := range all {
		t.TransitionId = fmt.Sprintf("%s-%d", a.GetAlertId(), n+1)
		records = append(records, &logv1.AlertRecord{Workspace: access.DefaultWorkspace, Transition: t})
	}

	return records
}

// alarming are the alerts of these tests.
func alarming() []*logv1.AlertRecord {
	acme := &alertv1.Alert{
		AlertId: "a1", Revision: 1, Rule: "band_critical", State: alertv1.State_STATE_FIRING,
		Severity: alertv1.Severity_SEVERITY_CRITICAL, Summary: "The score is critical", AccountId: "acme",
		Since: noon(), FireTime: noon(), StateTime: noon(), Assignee: "maya", RunbookUrl: "https://wiki.example.com/critical",
		Labels: map[string]string{"team": "emea"},
		Drivers: []*alertv1.Driver{
			{Measure: "usage_trend", Before: new(4.5), After: new(-40.0), Unit: "percent", ScoreChange: -12.25, BeforeDate: "2026-03-02"},
			{Measure: "nps", After: new(-20.0), Unit: "points"},
		},
		Subject: &alertv1.Subject{
			Name: "Acme \x1b[31mLtd", Score: new(31.5), Band: healthv1.Band_BAND_CRITICAL, Stage: healthv1.Stage_STAGE_STEADY,
			Owner: "maya", Arr: new(24000.0), ArrAtRisk: new(16440.0), Currency: "USD", RenewalDate: "2026-05-01",
		},
	}
	later := timestamppb.New(noon().AsTime().Add(time.Hour))
	taken := &alertv1.Alert{
		AlertId: "a2", Revision: 2, Rule: "ticket_spike", State: alertv1.State_STATE_ACKNOWLEDGED,
		Severity: alertv1.Severity_SEVERITY_WARNING, Summary: "Many tickets", AccountId: "beta", Since: noon(), FireTime: noon(),
		StateTime: later, AcknowledgedBy: "bob", HeldBy: []string{"churned"}, Subject: &alertv1.Subject{},
	}
	source := &alertv1.Alert{
		AlertId: "a3", Revision: 1, Rule: "source_silent", State: alertv1.State_STATE_FIRING, Source: "usage",
		Severity: alertv1.Severity_SEVERITY_CRITICAL, Summary: "The source is silent", Since: noon(), FireTime: noon(),
	}

	return append(append(happened(acme), happened(taken, &alertv1.Transition{
		Kind: alertv1.Transition_KIND_ACKNOWLEDGED, At: later, Author: "bob", Note: "I call them", Alert: taken, CommandId: "c1",
	})...), happened(source)...)
}

// quieted takes out what differs from run to run, beside what golden does.
func quieted(text string) string {
	return regexp.MustCompile(`\b[a-z2-7]{26}\b`).ReplaceAllString(text, "SILENCE")
}

func TestAlerts(t *testing.T) {
	t.Parallel()

	d := deploy(t, false)
	none := d.hale(t, "", "alerts", "list")
	require.Zero(t, none.code, none.err)
	golden(t, "alerts-none", none.out)

	watch := follow(t, "alerts", "watch", "--server", d.address, "--key", d.key)
	objects := follow(t, "alerts", "watch", "--server", d.address, "--key", d.key, "-o", "jsonl")
	objects.until(t, "resume_token")

	_, err := d.alerts.Append(t.Context(), 0, 0, alarming())
	require.NoError(t, err)
	objects.until(t, "a3-1")

	for _, step := range []struct {
		name string
		args []string
	}{
		{"alerts-list", []string{"list"}},
		{"alerts-limit", []string{"list", "--limit", "1"}},
		{"alerts-filter-jsonl", []string{"list", "--filter", "severity = critical AND arr_at_risk > 1000", "-o", "jsonl"}},
		{"alerts-show", []string{"show", "a1"}},
		{"alerts-show-trail", []string{"show", "a2"}},
		{"alerts-show-json", []string{"show", "a2", "-o", "json"}},
		{"alerts-show-yaml", []string{"show", "a3", "-o", "yaml"}},
	} {
		got := d.hale(t, "", append([]string{"alerts"}, step.args...)...)
		require.Zero(t, got.code, "%s: %s", step.name, got.err)
		golden(t, step.name, got.out+got.err)
	}

	token := objects.end(t)
	watch.end(t)

	for line := range strings.Lines(objects.out.String()) {
		require.True(t, json.Valid([]byte(line)), line)
	}

	snapshot := follow(t, "alerts", "watch", "--snapshot", "--filter", "account_id:*", "--server", d.address, "--key", d.key)
	snapshot.until(t, "a1")
	snapshot.until(t, "a2")
	snapshot.end(t)

	resumed := follow(t, "alerts", "watch", "--resume-token", token, "--server", d.address, "--key", d.key)
	_, err = d.alerts.Append(t.Context(), 1, 0, happened(&alertv1.Alert{
		AlertId: "a4", Revision: 1, State: alertv1.State_STATE_FIRING, Severity: alertv1.Severity_SEVERITY_INFO,
		AccountId: "beta", Summary: "They grow", Since: noon(),
	}))
	require.NoError(t, err)
	resumed.until(t, "a4")
	resumed.end(t)
	golden(t, "alerts-watch", resumed.out.String())

	for line, want := range map[string]struct {
		code int
		says string
	}{
		"alerts show nothing":                         {3, "ALERT_NOT_FOUND"},
		"alerts ack nothing":                          {3, "ALERT_NOT_FOUND"},
		"alerts snooze a1":                            {2, "needs --for"},
		"alerts list --filter mood=bad":               {6, "no field"},
		"alerts list --order-by mood":                 {6, "no field"},
		"alerts watch --resume-token x":               {6, "TOKEN_UNKNOWN"},
		"silences expire nothing":                     {3, "SILENCE_NOT_FOUND"},
		"silences create rule=x":                      {2, "needs --for"},
		"silences create mood=x --for 1h --comment c": {2, "mood"},
	} {
		got := d.hale(t, "", strings.Fields(line)...)
		require.Equal(t, want.code, got.code, "%s: %s", line, got.err)
		require.Contains(t, got.err, want.says)
	}
}

func TestSilences(t *testing.T) {
	t.Parallel()

	d := deploy(t, false)
	_, err := d.alerts.Append(t.Context(), 0, 0, alarming())
	require.NoError(t, err)

	made := d.hale(t, "", "silences", "create", `severity="critical"`, `account_id=~"ac.*"`, "--for", "48h", "--comment",
		"they know", "--author", "maya", "-o", "json")
	require.Zero(t, made.code, made.err)
	golden(t, "silences-create-json", quieted(made.out))

	var view struct {
		ID string `json:"silence_id"`
	}

	require.NoError(t, json.Unmarshal([]byte(made.out), &view))

	for _, step := range []struct {
		name string
		args []string
	}{
		{"silences-list", []string{"silences", "list"}},
		{"silences-alert", []string{"alerts", "show", "a1", "-o", "yaml"}},
		{"silences-expire", []string{"silences", "expire", view.ID}},
		{"silences-none", []string{"silences", "list"}},
		{"silences-expired", []string{"silences", "list", "--expired", "-o", "jsonl"}},
	} {
		got := d.hale(t, "", step.args...)
		require.Zero(t, got.code, "%s: %s", step.name, got.err)
		golden(t, step.name, quieted(got.out))
	}
}

func TestALongTrailIsShownWhole(t *testing.T) {
	t.Parallel()

	const count = 600

	d := deploy(t, false)
	comments := make([]*alertv1.Transition, count)

	for n := range comments {
		comments[n] = &alertv1.Transition{
			Kind: alertv1.Transition_KIND_COMMENTED, At: noon(), Note: strings.Repeat("x", 4096),
			Alert: &alertv1.Alert{AlertId: "a1", Revision: uint32(n + 2), State: alertv1.State_STATE_FIRING, AccountId: "acme"},
		}
	}

	_, err := d.alerts.Append(t.Context(), 0, 0, happened(
		&alertv1.Alert{AlertId: "a1", Revision: 1, State: alertv1.State_STATE_FIRING, AccountId: "acme"}, comments...))
	require.NoError(t, err)

	var shown struct {
		Trail []struct {
			ID string `json:"transition_id"`
		} `json:"trail"`
	}

	require.Eventually(t, func() bool {
		got := d.hale(t, "", "alerts", "show", "a1", "-o", "json")

		return got.code == 0 && json.Unmarshal([]byte(got.out), &shown) == nil && len(shown.Trail) == count+1
	}, time.Minute, time.Millisecond)

	for n, one := range shown.Trail {
		require.Equal(t, fmt.Sprintf("a1-%d", n+1), one.ID)
	}
}
