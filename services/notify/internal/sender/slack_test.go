package sender_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/notify/internal/sender"
)

var slack = sender.Slack{URL: "env:HALE_SECRET_SLACK"}

func TestSlackSends(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		answer  answer
		refused *sender.Error
	}{
		"ok is taken":                    {answer{body: "ok"}, nil},
		"a limit is to be waited for":    {answer{status: 429, header: map[string]string{"Retry-After": "30"}}, &sender.Error{RetryAfter: 30 * time.Second, Status: 429, Reason: "Too Many Requests"}},
		"a bad message is final":         {answer{status: 400, body: "invalid_payload"}, &sender.Error{Permanent: true, Status: 400, Reason: "invalid_payload"}},
		"a webhook that is gone is":      {answer{status: 404, body: "no_service"}, &sender.Error{Permanent: true, Status: 404, Reason: "no_service"}},
		"an archived channel is final":   {answer{status: 410, body: "channel_is_archived"}, &sender.Error{Permanent: true, Status: 410, Reason: "channel_is_archived"}},
		"what is forbidden is final":     {answer{status: 403, body: "action_prohibited"}, &sender.Error{Permanent: true, Status: 403, Reason: "action_prohibited"}},
		"a broken server may be mended":  {answer{status: 500, body: "rollup_error"}, &sender.Error{Status: 500, Reason: "rollup_error"}},
		"an address that moved is final": {answer{status: 302, header: map[string]string{"Location": "/x"}}, &sender.Error{Permanent: true, Status: 302, Reason: "Found"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, c.answer)
			err := build(t, &slack, map[string]string{"HALE_SECRET_SLACK": r.URL + "/services/T/B/x"}).Send(t.Context(), sender.Sample())

			if c.refused == nil {
				require.NoError(t, err)
			} else {
				require.Equal(t, c.refused, refusal(t, err))
			}

			require.Len(t, r.got(), 1)
			require.Equal(t, "/services/T/B/x", r.got()[0].path)
			require.Equal(t, "application/json", r.got()[0].header.Get("Content-Type"))
			conforms(t, "slack.schema.json", r.got()[0].body)
		})
	}
}

func TestSlackKeepsItsAddressSecret(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	address := r.URL + "/services/T/B/verysecret"
	r.Close()

	err := build(t, &slack, map[string]string{"HALE_SECRET_SLACK": address}).Send(t.Context(), sender.Sample())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "verysecret")

	err = build(t, &slack, map[string]string{"HALE_SECRET_SLACK": "http://very secret\x7f/"}).Send(t.Context(), sender.Sample())
	require.True(t, refusal(t, err).Permanent)
	require.NotContains(t, err.Error(), "secret")

	require.Equal(t, "env:HALE_SECRET_SLACK", preview(t, &slack, sender.Sample())[0].To)
}

func TestSlackRefusesPrivateAddresses(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	values := map[string]string{"HALE_SECRET_SLACK": r.URL}
	s, err := sender.New(&slack, deps(t, values, egressDefault))
	require.NoError(t, err)
	require.True(t, refusal(t, s.Send(t.Context(), sender.Sample())).Permanent)
	require.Empty(t, r.got())
}

func TestSlackMessage(t *testing.T) {
	t.Parallel()

	t.Run("it tells what somebody on call wants to know", func(t *testing.T) {
		t.Parallel()
		text := string(preview(t, &slack, sender.Sample())[0].Body)

		for _, part := range []string{
			"*FIRING* critical", "*RESOLVED* warning", "Acme Corp", "The score fell below 40",
			"37.5 (critical)", "30,000 EUR", "2026-12-15", "usage_trend: 4.5 → -38 percent since 2026-10-22, score -12.25",
			"nps: no data → -20 points", "https://hale.example.com/alerts/a1f0|Alert", "https://hale.example.com/accounts/acme|Account",
			"https://runbooks.example.com/at-risk|What to do", "dana@example.com",
		} {
			require.Contains(t, unescaped(text), part)
		}
	})

	t.Run("an acknowledged alert says by whom", func(t *testing.T) {
		t.Parallel()
		n := one(state(alertv1.State_STATE_ACKNOWLEDGED, alertv1.Transition_KIND_ACKNOWLEDGED))
		n.Alerts[0].Alert.AcknowledgedBy, n.Alerts[0].Note = "eve", "calling them"
		text := string(preview(t, &slack, n)[0].Body)
		require.Contains(t, text, "*ACKNOWLEDGED*")
		require.Contains(t, text, "_acknowledged_ eve@example.com calling them")
	})

	t.Run("a name is no markup and calls nobody", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) {
			t.Alert.Subject.Name, t.Note = "<!channel> & <https://evil.example|x>", "<@U1>"
		})
		text := unescaped(string(preview(t, &slack, n)[0].Body))
		require.NotContains(t, strings.ReplaceAll(text, `"type":"header","text":{"type":"plain_text","text":"[FIRING] <!channel>`, ""), "<!channel>")
		require.Contains(t, text, "&lt;!channel&gt; &amp; &lt;https://evil.example|x&gt;")
		require.NotContains(t, text, "<@U1>")
	})

	t.Run("a runbook's address cannot break out of its link", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) { t.Alert.RunbookUrl = "https://x.example/a|b> <!here>" })
		require.NotContains(t, unescaped(string(preview(t, &slack, n)[0].Body)), "<!here>")
		n.Alerts[0].Alert.RunbookUrl = "javascript:alert(1)"
		require.NotContains(t, string(preview(t, &slack, n)[0].Body), "javascript")
	})

	t.Run("it stays within the limits, whatever the alerts hold", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{strings.Repeat("&", 20_000), strings.Repeat("𝄞é", 5_000), ""} {
			for _, count := range []int{1, 3, 16, 200} {
				conforms(t, "slack.schema.json", preview(t, &slack, many(count, text))[0].Body)
			}
		}
	})

	t.Run("more alerts than are shown are counted", func(t *testing.T) {
		t.Parallel()
		n := many(20, "Acme")
		n.Truncated = 7
		require.Contains(t, string(preview(t, &slack, n)[0].Body), "20 firing, 7 more; the rest is not shown here")
	})

	t.Run("a template takes the place of the layout", func(t *testing.T) {
		t.Parallel()
		s := slack
		s.Title, s.Text = "{{(index .Alerts 0).Name | upper}}", "{{range .Alerts}}*{{.Rule}}* {{end}}"
		body := preview(t, &s, sender.Sample())[0].Body
		conforms(t, "slack.schema.json", body)
		require.Contains(t, string(body), "ACME CORP")
		require.Contains(t, string(body), "*at_risk* *urgent_ticket*")
		require.NotContains(t, string(body), "usage_trend")
	})

	t.Run("a digest lists what fell, what rose, renewals and open alerts", func(t *testing.T) {
		t.Parallel()
		body := preview(t, &slack, digest())[0].Body
		conforms(t, "slack.schema.json", body)
		for _, part := range []string{"*What fell*", "70 -&gt; 37.5 (-32.5)", "*What rose*", "b&lt;b&gt;&amp;b", "*Renewals*", "2026-12-15, 48,000 EUR", "*Open alerts*", "critical, firing"} {
			require.Contains(t, unescaped(string(body)), part)
		}
	})

	t.Run("the channel is passed on", func(t *testing.T) {
		t.Parallel()
		s := slack
		s.Channel = "#alerts"
		require.Equal(t, "#alerts", decode[map[string]any](t, preview(t, &s, sender.Sample())[0].Body)["channel"])
		require.NotContains(t, decode[map[string]any](t, preview(t, &slack, sender.Sample())[0].Body), "channel")
	})
}

func TestSlackHonoursATimeToRetryAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
		"7": 7 * time.Second, "-7": 0, "soon": 0, "999999": time.Hour, "99999999999999999999": 0,
	} {
		r := newReceiver(t, answer{status: 503, header: map[string]string{"Retry-After": text}})
		err := build(t, &slack, map[string]string{"HALE_SECRET_SLACK": r.URL}).Send(t.Context(), sender.Sample())
		require.Equal(t, want, refusal(t, err).RetryAfter, text)
		require.False(t, refusal(t, err).Permanent)
	}
}

// unescaped undoes what JSON does to three characters.
func unescaped(text string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text)
}
