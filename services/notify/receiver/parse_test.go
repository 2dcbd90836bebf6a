package receiver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/notify/receiver"
)

const good = `
kind: receivers
receivers:
  - name: chat
    kind: slack
    settings:
      url: file:slack
      title: "{{ len .Alerts }} alerts"
    events: [fired, resolved, commented]
    rate: 30
    concurrency: 2
    timeout: 5s
    retry_for: 1h
  - name: am
    kind: alertmanager
    settings:
      urls: ["https://am.example.com"]
      resend_interval: 2m
routes:
  - matchers: ['severity="critical"', 'owner=~"a.*"']
    receivers: [chat, am]
    continue: true
    group_by: [account, owner, label.team]
    group_wait: 10s
    critical_wait: 1s
    group_interval: 1m
    quiet_hours:
      time_zone: Europe/Berlin
      days: [mon, fri]
      start: "22:00"
      end: "07:30"
      except_critical: false
default_route:
  receivers: [am]
`

func TestParse(t *testing.T) {
	t.Parallel()

	set, err := receiver.Parse([]byte(good))
	require.NoError(t, err)
	require.Len(t, set.Receivers, 2)
	require.Len(t, set.Routes, 2)

	chat, am := set.Receiver("chat"), set.Receiver("am")
	require.True(t, chat.Wants(alertv1.Transition_KIND_COMMENTED))
	require.False(t, chat.Wants(alertv1.Transition_KIND_ESCALATED))
	require.EqualValues(t, 30, chat.Rate)
	require.Equal(t, 2, chat.Concurrency)
	require.Equal(t, 5*time.Second, chat.Timeout)
	require.Equal(t, time.Hour, chat.RetryFor)
	require.Zero(t, chat.Resend)

	require.True(t, am.Wants(alertv1.Transition_KIND_ESCALATED))
	require.False(t, am.Wants(alertv1.Transition_KIND_COMMENTED))
	require.Equal(t, 72*time.Hour, am.RetryFor)
	require.Equal(t, 2*time.Minute, am.Resend)

	r := set.Routes[0]
	require.Equal(t, []string{"account_id", "owner", "label.team"}, r.GroupBy)
	require.Equal(t, []time.Duration{10 * time.Second, time.Second, time.Minute},
		[]time.Duration{r.GroupWait, r.CriticalWait, r.GroupInterval})
	require.True(t, r.Continue)
	require.Equal(t, 22*60, r.Quiet.Start)
	require.Equal(t, 7*60+30, r.Quiet.End)
	require.Equal(t, []time.Weekday{time.Monday, time.Friday}, r.Quiet.Days)
	require.Equal(t, "Europe/Berlin", r.Quiet.Location.String())
	require.False(t, r.Quiet.ExceptCritical)
	require.True(t, set.Routes[1].Default)
	require.Nil(t, set.Receiver("nobody"))
}
