package sender_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/notify/internal/sender"
)

var pagerDutyKey = map[string]string{"HALE_SECRET_KEY": "0123456789abcdef0123456789abcdef"}

type pagerDutyEvent struct {
	RoutingKey  string `json:"routing_key"`
	EventAction string `json:"event_action"`
	DedupKey    string `json:"dedup_key"`
	Client      string `json:"client"`
	ClientURL   string `json:"client_url"`
	Links       []struct{ Href, Text string }
	Payload     struct {
		Summary, Source, Severity, Timestamp, Component, Class string
		CustomDetails                                          map[string]any `json:"custom_details"`
	}
}

func pagerDuty(url string) *sender.PagerDuty {
	return &sender.PagerDuty{RoutingKey: "env:HALE_SECRET_KEY", EventsURL: url}
}

func TestPagerDutySends(t *testing.T) {
	t.Parallel()
	accepted := answer{status: 202, body: `{"status":"success"}`}

	t.Run("an event for each alert", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, accepted, accepted)
		require.NoError(t, build(t, pagerDuty(r.URL), pagerDutyKey).Send(t.Context(), sender.Sample()))
		require.Len(t, r.got(), 2)

		for i, want := range []string{"trigger", "resolve"} {
			conforms(t, "pagerduty.schema.json", r.got()[i].body)
			event := decode[pagerDutyEvent](t, r.got()[i].body)
			require.Equal(t, want, event.EventAction)
			require.Equal(t, sender.Sample().Alerts[i].Alert.AlertId, event.DedupKey)
			require.Equal(t, pagerDutyKey["HALE_SECRET_KEY"], event.RoutingKey)
		}
	})

	t.Run("what was taken is not sent again with the rest", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, accepted, answer{status: 500})
		s := build(t, pagerDuty(r.URL), pagerDutyKey)
		require.False(t, refusal(t, s.Send(t.Context(), sender.Sample())).Permanent)
		require.NoError(t, s.Send(t.Context(), sender.Sample()))
		require.Equal(t, []string{"a1f0", "b2e1", "b2e1"}, dedupKeys(t, r))

		require.NoError(t, s.Send(t.Context(), sender.Sample()), "it is over: another one with this id begins anew")
		require.Len(t, r.got(), 5)
	})

	t.Run("a bad event keeps the others from nothing", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, answer{status: 400, body: `{"status":"invalid event"}`}, accepted)
		refused := refusal(t, build(t, pagerDuty(r.URL), pagerDutyKey).Send(t.Context(), sender.Sample()))
		require.True(t, refused.Permanent)
		require.Contains(t, refused.Reason, "invalid event")
		require.Equal(t, []string{"a1f0", "b2e1"}, dedupKeys(t, r))
	})

	t.Run("a limit ends the try", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, answer{status: 429})
		refused := refusal(t, build(t, pagerDuty(r.URL), pagerDutyKey).Send(t.Context(), sender.Sample()))
		require.False(t, refused.Permanent)
		require.Equal(t, []string{"a1f0"}, dedupKeys(t, r))
	})

	t.Run("a secret that is not there may come", func(t *testing.T) {
		t.Parallel()
		err := build(t, pagerDuty("http://127.0.0.1:1"), nil).Send(t.Context(), sender.Sample())
		require.ErrorIs(t, err, sender.ErrNoSecret)
	})
}

func TestPagerDutyEvent(t *testing.T) {
	t.Parallel()

	t.Run("it carries what is known", func(t *testing.T) {
		t.Parallel()
		payloads := preview(t, pagerDuty(""), sender.Sample())
		require.Equal(t, "https://events.pagerduty.com/v2/enqueue", payloads[0].To)
		event := decode[pagerDutyEvent](t, payloads[0].Body)
		require.Equal(t, "env:HALE_SECRET_KEY", event.RoutingKey, "a preview shows no secret")
		require.Equal(t, "Hale", event.Client)
		require.Equal(t, "https://hale.example.com/alerts/a1f0", event.ClientURL)
		require.Len(t, event.Links, 3)
		require.Equal(t, "Acme Corp: The score fell below 40", event.Payload.Summary)
		require.Equal(t, "default/acme", event.Payload.Source)
		require.Equal(t, "critical", event.Payload.Severity)
		require.Equal(t, "2026-11-02T09:30:00Z", event.Payload.Timestamp)
		require.Equal(t, "at_risk", event.Payload.Class)
		require.Equal(t, "30,000 EUR", event.Payload.CustomDetails["arr_at_risk"])
		require.Equal(t, "2026-12-15", event.Payload.CustomDetails["renewal_date"])
		require.Equal(t, map[string]any{"nps": "no data -> -20 points", "usage_trend": "4.5 -> -38 percent"}, event.Payload.CustomDetails["drivers"])
		require.Equal(t, map[string]any{"team": "success"}, event.Payload.CustomDetails["labels"])
	})

	for name, c := range map[string]struct {
		state alertv1.State
		want  string
	}{
		"firing triggers":           {alertv1.State_STATE_FIRING, "trigger"},
		"acknowledged acknowledges": {alertv1.State_STATE_ACKNOWLEDGED, "acknowledge"},
		"snoozed wakes nobody":      {alertv1.State_STATE_SNOOZED, "acknowledge"},
		"resolved resolves":         {alertv1.State_STATE_RESOLVED, "resolve"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := one(state(c.state, alertv1.Transition_KIND_COMMENTED))
			require.Equal(t, c.want, decode[pagerDutyEvent](t, preview(t, pagerDuty(""), n)[0].Body).EventAction)
		})
	}

	for severity, want := range map[alertv1.Severity]string{
		alertv1.Severity_SEVERITY_CRITICAL: "critical", alertv1.Severity_SEVERITY_WARNING: "warning", alertv1.Severity_SEVERITY_INFO: "info",
	} {
		t.Run("severity is mapped to "+want, func(t *testing.T) {
			t.Parallel()
			n := one(func(t *alertv1.Transition) { t.Alert.Severity = severity })
			require.Equal(t, want, decode[pagerDutyEvent](t, preview(t, pagerDuty(""), n)[0].Body).Payload.Severity)
		})
	}

	t.Run("it stays within the limits", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{strings.Repeat("𝄞", 5000), ""} {
			n := many(1, text)
			n.Alerts[0].Alert.AlertId = strings.Repeat("i", 300)
			n.Workspace, n.Alerts[0].Alert.AccountId = "", ""
			conforms(t, "pagerduty.schema.json", preview(t, pagerDuty(""), n)[0].Body)
		}
	})

	t.Run("templates take the place of summary and text", func(t *testing.T) {
		t.Parallel()
		p := pagerDuty("")
		p.Title, p.Text = "{{range .Alerts}}{{.Name}} at {{.Score}}{{end}}", "see {{(index .Alerts 0).URL}}"
		event := decode[pagerDutyEvent](t, preview(t, p, sender.Sample())[0].Body)
		require.Equal(t, "Acme Corp at 37.5", event.Payload.Summary)
		require.Equal(t, "see https://hale.example.com/alerts/a1f0", event.Payload.CustomDetails["text"])
	})

	t.Run("there are no digests", func(t *testing.T) {
		t.Parallel()
		_, err := sender.Preview(pagerDuty(""), digest())
		require.True(t, refusal(t, err).Permanent)
		require.False(t, sender.KindPagerDuty.TakesDigests())
	})
}

func dedupKeys(t *testing.T, r *receiver) []string {
	t.Helper()

	var keys []string
	for _, c := range r.got() {
		keys = append(keys, decode[pagerDutyEvent](t, c.body).DedupKey)
	}

	return keys
}
