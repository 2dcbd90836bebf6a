package sender_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/internal/egress"
	"hale.dev/services/notify/internal/sender"
)

type alertmanagerAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

var alertmanager = sender.Alertmanager{URLs: []string{"http://alertmanager.example.com:9093/base/"}, ResendInterval: "2m"}

func alertmanagerAlerts(t *testing.T, n *sender.Notification) []alertmanagerAlert {
	t.Helper()

	return decode[[]alertmanagerAlert](t, preview(t, &alertmanager, n)[0].Body)
}

func TestAlertmanagerAlert(t *testing.T) {
	t.Parallel()

	t.Run("it carries labels, annotations and times", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "http://alertmanager.example.com:9093/base/api/v2/alerts", preview(t, &alertmanager, sender.Sample())[0].To)
		a := alertmanagerAlerts(t, sender.Sample())
		require.Len(t, a, 2)
		require.Equal(t, map[string]string{
			"alertname": "at_risk", "account": "acme", "workspace": "default", "severity": "critical", "owner": "dana@example.com",
			"segment": "enterprise", "team": "success",
		}, a[0].Labels)
		require.Equal(t, "Acme Corp: The score fell below 40", a[0].Annotations["summary"])
		require.Equal(t, "a1f0", a[0].Annotations["alert_id"])
		require.Contains(t, a[0].Annotations["description"], "usage_trend: 4.5 -> -38 percent")
		require.Equal(t, "https://runbooks.example.com/at-risk", a[0].Annotations["runbook_url"])
		require.Equal(t, "https://hale.example.com/alerts/a1f0", a[0].GeneratorURL)

		sent := sender.Sample().Sent
		require.Equal(t, sent, a[0].StartsAt)
		require.Equal(t, sent.Add(6*time.Minute), a[0].EndsAt, "three times the interval from now")
		require.Equal(t, sent, a[1].EndsAt, "when it was resolved")
	})

	t.Run("what sleeps or is held back is over for now", func(t *testing.T) {
		t.Parallel()
		snoozed := one(state(alertv1.State_STATE_SNOOZED, alertv1.Transition_KIND_SNOOZED))
		require.Equal(t, snoozed.Alerts[0].At.AsTime(), alertmanagerAlerts(t, snoozed)[0].EndsAt)
		held := one(func(t *alertv1.Transition) { t.Alert.HeldBy = []string{"churned"} })
		require.Equal(t, held.Alerts[0].At.AsTime(), alertmanagerAlerts(t, held)[0].EndsAt)
	})

	t.Run("its labels stay the same over its life", func(t *testing.T) {
		t.Parallel()
		firing := alertmanagerAlerts(t, one(nil))[0]
		for _, s := range []alertv1.State{alertv1.State_STATE_ACKNOWLEDGED, alertv1.State_STATE_RESOLVED} {
			require.Equal(t, firing.Labels, alertmanagerAlerts(t, one(state(s, alertv1.Transition_KIND_COMMENTED)))[0].Labels)
		}
	})

	t.Run("labels of a rule take no other's place, and are sanitised", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) {
			t.Alert.Labels = map[string]string{
				"severity": "mine", "a-b": "1", "a.b": "2", "1st": "x", "__name__": "y", "größe": "z", "": "e", "empty": " ", "source": "s",
			}
		})
		l := alertmanagerAlerts(t, n)[0].Labels
		require.Equal(t, "critical", l["severity"])
		require.Equal(t, "mine", l["label_severity"])
		require.Equal(t, "s", l["label_source"])
		require.Equal(t, "1", l["a_b"])
		require.Equal(t, "2", l["a_b_2"])
		require.Equal(t, "x", l["label_1st"])
		require.Equal(t, "y", l["_name__"])
		require.Equal(t, "z", l["gr__e"])
		require.Equal(t, "e", l["label_"])
		require.NotContains(t, l, "empty")
	})

	t.Run("there are no digests", func(t *testing.T) {
		t.Parallel()
		_, err := sender.Preview(&alertmanager, digest())
		require.True(t, refusal(t, err).Permanent)
	})
}

func TestAlertmanagerSendsToAllMembers(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		first, second answer
		permanent     bool
		works         bool
	}{
		"both take it":                         {works: true},
		"one takes it, one is broken":          {first: answer{status: 500}, works: true},
		"one takes it, one refuses it":         {second: answer{status: 400}, works: true},
		"both refuse it":                       {first: answer{status: 400}, second: answer{status: 400}, permanent: true},
		"one refuses it, one is broken: go on": {first: answer{status: 400}, second: answer{status: 503}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := newReceiver(t, c.first), newReceiver(t, c.second)
			settings := &sender.Alertmanager{URLs: []string{one.URL, two.URL}, BearerToken: "env:HALE_SECRET_TOKEN"}
			err := build(t, settings, map[string]string{"HALE_SECRET_TOKEN": "abc"}).Send(t.Context(), sender.Sample())

			require.Len(t, one.got(), 1)
			require.Len(t, two.got(), 1)
			require.Equal(t, "Bearer abc", one.got()[0].header.Get("Authorization"))

			if c.works {
				require.NoError(t, err)
			} else {
				require.Equal(t, c.permanent, refusal(t, err).Permanent)
			}
		})
	}

	t.Run("name and password are sent", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t)
		settings := &sender.Alertmanager{URLs: []string{r.URL}, Username: "hale", Password: "env:HALE_SECRET_PASSWORD"}
		require.NoError(t, build(t, settings, map[string]string{"HALE_SECRET_PASSWORD": "pass"}).Send(t.Context(), sender.Sample()))
		require.Equal(t, "Basic aGFsZTpwYXNz", r.got()[0].header.Get("Authorization"))
	})

	t.Run("ends are reckoned from the try", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t)
		require.NoError(t, build(t, &sender.Alertmanager{URLs: []string{r.URL}}, nil).Send(t.Context(), one(nil)))
		require.Equal(t, now.Add(3*time.Minute), decode[[]alertmanagerAlert](t, r.got()[0].body)[0].EndsAt)
	})
}

// What the real Alertmanager passes on to a webhook.
type passedOn struct {
	Status      string            `json:"status"`
	GroupLabels map[string]string `json:"groupLabels"`
	Alerts      []struct {
		Status string            `json:"status"`
		Labels map[string]string `json:"labels"`
	} `json:"alerts"`
}

func TestAlertmanagerReceivesGroupsAndResolves(t *testing.T) {
	t.Parallel()
	behind := newReceiver(t)
	url := startAlertmanager(t, behind.URL)
	s, err := sender.New(&sender.Alertmanager{URLs: []string{url}}, sender.Deps{
		Egress: deps(t, nil, egress.Config{Allow: []string{"127.0.0.1"}}).Egress, Secrets: secrets(nil),
	})
	require.NoError(t, err)

	n := many(2, "Acme Corp")
	for _, transition := range n.Alerts {
		transition.Alert.FireTime = timestamppb.Now()
		transition.Alert.Labels = map[string]string{"team name": "süd", "__x": "1", "severity": "odd"}
	}

	n.Alerts[1].Alert.Rule = "renewal_soon"
	require.NoError(t, s.Send(t.Context(), n))

	firing := awaitPassedOn(t, behind, 0)
	require.Equal(t, "firing", firing.Status)
	require.Equal(t, map[string]string{"account": "acme"}, firing.GroupLabels)
	require.Len(t, firing.Alerts, 2)

	for _, a := range firing.Alerts {
		require.Equal(t, "süd", a.Labels["team_name"])
		require.Equal(t, "odd", a.Labels["label_severity"])
	}

	for _, transition := range n.Alerts {
		state(alertv1.State_STATE_RESOLVED, alertv1.Transition_KIND_RESOLVED)(transition)
		transition.Alert.ResolveTime = timestamppb.Now()
	}

	require.NoError(t, s.Send(t.Context(), n))
	resolved := awaitPassedOn(t, behind, 1)
	require.Equal(t, "resolved", resolved.Status)
	require.Len(t, resolved.Alerts, 2)
}

func awaitPassedOn(t *testing.T, r *receiver, i int) passedOn {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.got()) > i }, 30*time.Second, 10*time.Millisecond)

	return decode[passedOn](t, r.got()[i].body)
}

func FuzzAlertmanagerLabels(f *testing.F) {
	f.Add("team", "success")
	f.Add("__name__", "\xff\x00")
	f.Add("severity", "")
	f.Add("1größe-x", strings.Repeat("é", 2000))

	name := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

	f.Fuzz(func(t *testing.T, key, value string) {
		n := one(func(t *alertv1.Transition) {
			t.Alert.Labels = map[string]string{key: value, "a" + key: value, "severity": value}
			t.Alert.Rule, t.Alert.AccountId = value, key
		})
		a := alertmanagerAlerts(t, n)[0]

		for label, text := range a.Labels {
			require.Regexp(t, name, label)
			require.False(t, strings.HasPrefix(label, "__"), label)
			require.NotEmpty(t, text)
			require.LessOrEqual(t, len(text), 1024)
		}

		require.Equal(t, "critical", a.Labels["severity"])
	})
}
