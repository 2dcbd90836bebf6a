package notify_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// posted is an alert as Alertmanager is sent it.
type posted struct {
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"`
	EndsAt   time.Time         `json:"endsAt"`
}

// posts are the alerts of an account, with when they came.
func (s *site) posts(t *testing.T, account string) (alerts []posted, at []time.Time) {
	t.Helper()

	for _, c := range s.all() {
		var all []posted
		require.NoError(t, json.Unmarshal(c.body, &all))

		for _, one := range all {
			if one.Labels["account"] == account {
				alerts, at = append(alerts, one), append(at, c.at)
			}
		}
	}

	return alerts, at
}

func TestAlertmanager(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.real()
	w.clock = newFast(120) // a minute is half a second

	am := w.newSite(func(call int, _ *http.Request) int {
		if call == 3 { // one that fails is made up for by the next
			return http.StatusServiceUnavailable
		}

		return http.StatusOK
	})

	w.apply(fmt.Sprintf(`
kind: receivers
receivers:
  - {name: am, kind: alertmanager, rate: 6000, timeout: 5m, settings: {urls: [%q], resend_interval: 1m}}
default_route: {receivers: [am]}
`, am.URL))

	d := w.deps()
	d.Senders = nil
	w.append(transition("a", 1, fired, critical), transition("b", 1, fired, critical))

	stop, _ := w.run(d)

	eventually(t, "a is sent again", func() bool { all, _ := am.posts(t, "a"); return len(all) >= 5 })

	ended := over("a", 2)
	ended.Transition.Alert.ResolveTime = timestamppb.New(w.clock.Now())
	w.append(ended)
	w.settled()

	b, _ := am.posts(t, "b")
	before := len(b)

	eventually(t, "b is sent again when a has ended", func() bool { all, _ := am.posts(t, "b"); return len(all) >= before+2 })
	stop()

	b, _ = am.posts(t, "b")
	before = len(b)

	stop, _ = w.run(d)

	eventually(t, "b is sent again after a restart", func() bool { all, _ := am.posts(t, "b"); return len(all) >= before+2 })
	stop()

	a, at := am.posts(t, "a")
	last := len(a) - 1

	for i, one := range a[:last] {
		require.Greater(t, one.EndsAt.Sub(at[i]), time.Minute, "it does not end before it is sent again")
		require.True(t, one.StartsAt.Equal(a[0].StartsAt))
		require.Equal(t, a[0].Labels, one.Labels)
	}

	require.True(t, a[last].EndsAt.Equal(ended.Transition.Alert.ResolveTime.AsTime()), "the last one says that it ended")
	require.Positive(t, w.counter("hale.notify.failures", "receiver", "am"))

	b, at = am.posts(t, "b")
	require.True(t, at[before].Before(b[before-1].EndsAt), "the restart is over before it ends at the receiver")
	require.Greater(t, b[len(b)-1].EndsAt.Sub(at[len(b)-1]), time.Minute)
}
