package sender_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/internal/egress"
	"hale.dev/services/notify/internal/sender"
)

var (
	oldSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the old key, of 32 bytes exactly"))
	newSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the new key, of 32 bytes exactly"))
	strange   = "whsec_" + base64.StdEncoding.EncodeToString([]byte("somebody else's key, of 32 bytes"))

	webhookSecrets = map[string]string{"HALE_SECRET_OLD": oldSecret, "HALE_SECRET_NEW": newSecret, "HALE_SECRET_TOKEN": "Bearer abc"}
)

func webhook(url string) *sender.Webhook {
	return &sender.Webhook{URL: url, Secrets: []sender.Secret{"env:HALE_SECRET_OLD", "env:HALE_SECRET_NEW"}}
}

func TestWebhookSignatures(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	// The library holds times against the machine's clock.
	s, err := sender.New(webhook(r.URL), sender.Deps{
		Egress: deps(t, nil, egress.Config{Allow: []string{"127.0.0.1"}}).Egress, Secrets: secrets(webhookSecrets),
	})
	require.NoError(t, err)
	require.NoError(t, s.Send(t.Context(), sender.Sample()))
	got := r.got()[0]

	for _, secret := range []string{oldSecret, newSecret} {
		t.Run("who knows either secret can verify", func(t *testing.T) {
			t.Parallel()
			verifier, err := standardwebhooks.NewWebhook(secret)
			require.NoError(t, err)
			require.NoError(t, verifier.Verify(got.body, got.header))
			require.Error(t, verifier.Verify(append([]byte(" "), got.body...), got.header), "another body")

			other := got.header.Clone()
			other.Set("Webhook-Id", "another")
			require.Error(t, verifier.Verify(got.body, other))
		})
	}

	t.Run("who knows neither cannot", func(t *testing.T) {
		t.Parallel()
		verifier, err := standardwebhooks.NewWebhook(strange)
		require.NoError(t, err)
		require.Error(t, verifier.Verify(got.body, got.header))
	})

	t.Run("the id is the notification's", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "sample", got.header.Get("Webhook-Id"))
	})
}

func TestWebhookRetries(t *testing.T) {
	t.Parallel()

	t.Run("another try has the same id and body, and the time of the try", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, answer{status: 503})
		d := deps(t, webhookSecrets, egress.Config{Allow: []string{"127.0.0.1"}})
		clock := now
		d.Now = func() time.Time { return clock }
		s, err := sender.New(webhook(r.URL), d)
		require.NoError(t, err)

		require.False(t, refusal(t, s.Send(t.Context(), sender.Sample())).Permanent)
		clock = now.Add(time.Hour)
		require.NoError(t, s.Send(t.Context(), sender.Sample()))

		first, second := r.got()[0], r.got()[1]
		require.Equal(t, first.header.Get("Webhook-Id"), second.header.Get("Webhook-Id"))
		require.Equal(t, first.body, second.body)
		require.Equal(t, "1793613600", first.header.Get("Webhook-Timestamp"))
		require.Equal(t, "1793617200", second.header.Get("Webhook-Timestamp"))
		require.NotEqual(t, first.header.Get("Webhook-Signature"), second.header.Get("Webhook-Signature"))
	})

	t.Run("a receiver that is gone is final", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, answer{status: 410})
		require.True(t, refusal(t, build(t, webhook(r.URL), webhookSecrets).Send(t.Context(), sender.Sample())).Permanent)
	})

	t.Run("a secret that is none is final, and is not repeated", func(t *testing.T) {
		t.Parallel()
		for _, secret := range []string{"plaintext", "whsec_short", "whsec_" + strings.Repeat("!", 40), oldSecret[len("whsec_"):]} {
			r := newReceiver(t)
			values := map[string]string{"HALE_SECRET_OLD": secret, "HALE_SECRET_NEW": newSecret}
			refused := refusal(t, build(t, webhook(r.URL), values).Send(t.Context(), sender.Sample()))
			require.True(t, refused.Permanent)
			require.NotContains(t, refused.Reason, secret)
			require.Empty(t, r.got())
		}
	})
}

func TestWebhookHeaders(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	w := webhook(r.URL)
	w.Headers = map[string]string{"Authorization": "env:HALE_SECRET_TOKEN", "X-Team": "success"}
	require.NoError(t, build(t, w, webhookSecrets).Send(t.Context(), sender.Sample()))
	require.Equal(t, "Bearer abc", r.got()[0].header.Get("Authorization"))
	require.Equal(t, "success", r.got()[0].header.Get("X-Team"))
	require.Equal(t, "Hale", r.got()[0].header.Get("User-Agent"))

	values := map[string]string{"HALE_SECRET_OLD": oldSecret, "HALE_SECRET_NEW": newSecret, "HALE_SECRET_TOKEN": "a\r\nX-Evil: 1"}
	refused := refusal(t, build(t, w, values).Send(t.Context(), sender.Sample()))
	require.True(t, refused.Permanent)
	require.NotContains(t, refused.Reason, "Evil")
}

type webhookBody struct {
	ID, Kind, Workspace, Group, Title, Text string
	SentTime                                time.Time         `json:"sent_time"`
	Transitions                             []json.RawMessage `json:"transitions"`
	Truncated                               int
	Digest                                  struct {
		Owner string
		Fell  []struct {
			AccountID   string  `json:"account_id"`
			ScoreBefore float64 `json:"score_before"`
			ScoreAfter  float64 `json:"score_after"`
			Subject     map[string]any
		}
		Rose, Renewals []json.RawMessage
		OpenAlerts     []json.RawMessage `json:"open_alerts"`
	}
}

func TestWebhookJSON(t *testing.T) {
	t.Parallel()

	t.Run("it holds the transitions whole", func(t *testing.T) {
		t.Parallel()
		n := sender.Sample()
		n.Truncated = 3
		body := decode[webhookBody](t, preview(t, webhook("https://example.com/hook"), n)[0].Body)
		require.Equal(t, "sample", body.ID)
		require.Equal(t, "alerts", body.Kind)
		require.Equal(t, "default", body.Workspace)
		require.Equal(t, "account/acme", body.Group)
		require.Equal(t, n.Sent, body.SentTime)
		require.Equal(t, 3, body.Truncated)
		require.Contains(t, body.Title, "Acme Corp")
		require.Contains(t, body.Text, "usage_trend: 4.5 -> -38 percent")
		require.Len(t, body.Transitions, 2)

		for i, text := range body.Transitions {
			back := new(alertv1.Transition)
			require.NoError(t, protojson.Unmarshal(text, back))
			require.True(t, proto.Equal(n.Alerts[i], back))
		}
	})

	t.Run("it is the same each time", func(t *testing.T) {
		t.Parallel()
		first := preview(t, webhook("https://example.com/hook"), sender.Sample())[0].Body
		for range 50 {
			require.Equal(t, first, preview(t, webhook("https://example.com/hook"), sender.Sample())[0].Body)
		}
	})

	t.Run("a digest holds its lists", func(t *testing.T) {
		t.Parallel()
		body := decode[webhookBody](t, preview(t, webhook("https://example.com/hook"), digest())[0].Body)
		require.Equal(t, "digest", body.Kind)
		require.Equal(t, "dana@example.com", body.Digest.Owner)
		require.Equal(t, "acme", body.Digest.Fell[0].AccountID)
		require.InDelta(t, 70, body.Digest.Fell[0].ScoreBefore, 0)
		require.InDelta(t, 37.5, body.Digest.Fell[0].ScoreAfter, 0)
		require.Equal(t, "Acme Corp", body.Digest.Fell[0].Subject["name"])
		require.Len(t, body.Digest.Rose, 1)
		require.Len(t, body.Digest.Renewals, 1)
		require.Len(t, body.Digest.OpenAlerts, 1)
		require.Contains(t, body.Text, "What fell")
	})
}

func TestWebhookCloudEvents(t *testing.T) {
	t.Parallel()

	t.Run("there is a valid event for each transition", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t)
		w := webhook(r.URL)
		w.Body = "cloudevents"
		require.NoError(t, build(t, w, webhookSecrets).Send(t.Context(), sender.Sample()))
		require.Equal(t, "application/cloudevents-batch+json", r.got()[0].header.Get("Content-Type"))

		events := decode[[]event.Event](t, r.got()[0].body)
		require.Len(t, events, 2)

		for i, kind := range []string{"dev.hale.alert.fired.v1", "dev.hale.alert.resolved.v1"} {
			want := sender.Sample().Alerts[i]
			require.NoError(t, events[i].Validate())
			require.Equal(t, kind, events[i].Type())
			require.Equal(t, want.TransitionId, events[i].ID())
			require.Equal(t, "/workspaces/default", events[i].Source())
			require.Equal(t, "acme", events[i].Subject())
			require.Equal(t, want.At.AsTime(), events[i].Time())

			back := new(alertv1.Transition)
			require.NoError(t, protojson.Unmarshal(events[i].Data(), back))
			require.True(t, proto.Equal(want, back))
		}
	})

	t.Run("a digest is an event", func(t *testing.T) {
		t.Parallel()
		w := webhook("https://example.com/hook")
		w.Body = "cloudevents"
		n := digest()
		n.Workspace = "a b/c"
		events := decode[[]event.Event](t, preview(t, w, n)[0].Body)
		require.Len(t, events, 1)
		require.NoError(t, events[0].Validate())
		require.Equal(t, "dev.hale.digest.v1", events[0].Type())
		require.Equal(t, "/workspaces/a%20b%2Fc", events[0].Source())
	})

	t.Run("every kind of transition has a type", func(t *testing.T) {
		t.Parallel()
		w := webhook("https://example.com/hook")
		w.Body = "cloudevents"
		for number, name := range alertv1.Transition_Kind_name {
			n := one(func(t *alertv1.Transition) { t.Kind = alertv1.Transition_Kind(number) })
			kind := strings.ToLower(strings.TrimPrefix(name, "KIND_"))
			if number != 0 {
				require.Equal(t, "dev.hale.alert."+kind+".v1", decode[[]event.Event](t, preview(t, w, n)[0].Body)[0].Type())
			}
		}
	})
}
