package dispatch_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/matcher"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// TestAtLeastOnce kills the process between any two records, with tries under way, and lets tries fail.
func TestAtLeastOnce(t *testing.T) {
	t.Parallel()

	repeated, lives := 0, 0

	for seed := range uint64(150) {
		s := newSim(t, seed, routes(t), nil)
		s.outcome = flaky(s.random)
		history(s)

		end := s.at[len(s.at)-1].Add(90 * time.Hour)

		for n := 0; s.now.Before(end); n++ {
			die := -1
			if n < 2000 && s.random.IntN(6) == 0 {
				die = s.random.IntN(12)
			}

			if !s.step(die) {
				break
			}
		}

		repeated += check(t, s, seed)
		lives += s.lives
	}

	require.Greater(t, lives, 1000, "it was killed often")
	require.Positive(t, repeated, "and in the middle of tries")
	t.Logf("%d starts, %d repeated deliveries, all with their id", lives, repeated)
}

// routes leads alerts to three receivers that group differently.
func routes(t *testing.T) *receiver.Set {
	t.Helper()

	severe, err := matcher.Parse("severity=critical")
	require.NoError(t, err)

	chat, page, am := to("chat", &sender.Slack{}), to("page", &sender.PagerDuty{}), to("am", &sender.Alertmanager{})
	chat.Events = append(chat.Events, alertv1.Transition_KIND_ACKNOWLEDGED)
	am.Resend = time.Hour
	night := &receiver.Quiet{Location: time.UTC, Start: 13 * 60, End: 15 * 60, ExceptCritical: true}

	return &receiver.Set{
		Receivers: []*receiver.Receiver{chat, page, am},
		Routes: []*receiver.Route{
			{Matchers: []matcher.Matcher{severe}, Receivers: []string{"page"}, Continue: true},
			{
				Receivers: []string{"chat", "am"}, GroupBy: []string{"owner"}, GroupWait: 30 * time.Second,
				GroupInterval: 5 * time.Minute, Quiet: night, Default: false,
			},
		},
	}
}

// flaky lets some tries fail, most for a while and a few for good.
func flaky(random *rand.Rand) outcome {
	return func(dispatch.Job, time.Time, int) (time.Duration, error) {
		takes := time.Duration(random.IntN(int(5 * time.Second)))

		switch random.IntN(12) {
		case 0, 1, 2:
			return takes, errors.New("not now")
		case 3:
			if random.IntN(8) == 0 {
				return takes, &sender.Error{Permanent: true, Status: 400, Reason: "bad"}
			}
		}

		return takes, nil
	}
}

// life is that of one alert.
type life struct {
	alert *alertv1.Alert
	over  bool
}

func (l *life) next(s *sim, at time.Time, k alertv1.Transition_Kind) {
	l.alert = proto.CloneOf(l.alert)
	l.alert.Revision++

	if k == alertv1.Transition_KIND_HELD {
		l.alert.HeldBy = []string{"other"}
	}

	if k == alertv1.Transition_KIND_RELEASED {
		l.alert.HeldBy = nil
	}

	l.over = k == alertv1.Transition_KIND_RESOLVED

	s.add(at, k, l.alert)
}

// history makes lives of alerts up.
func history(s *sim) {
	var lives []*life

	at := began

	for range 10 + s.random.IntN(60) {
		at = at.Add(time.Duration(s.random.IntN(int(4 * time.Minute))))

		if len(lives) < 4 || s.random.IntN(3) == 0 {
			a := warning(fmt.Sprintf("a%d", len(lives)), 0)
			a.Severity = alertv1.Severity(1 + s.random.IntN(3))
			a.Subject.Owner = fmt.Sprint("o", s.random.IntN(2))
			lives = append(lives, &life{alert: a})
			lives[len(lives)-1].next(s, at, alertv1.Transition_KIND_FIRED)

			continue
		}

		l := lives[s.random.IntN(len(lives))]
		if l.over {
			continue
		}

		kinds := []alertv1.Transition_Kind{
			alertv1.Transition_KIND_ACKNOWLEDGED, alertv1.Transition_KIND_ESCALATED, alertv1.Transition_KIND_HELD,
			alertv1.Transition_KIND_RELEASED, alertv1.Transition_KIND_RESOLVED, alertv1.Transition_KIND_RESOLVED,
		}
		k := kinds[s.random.IntN(len(kinds))]
		l.next(s, at, k)
	}
}

// check compares what was recorded and sent with what was to be, and returns how often something was taken twice.
func check(t *testing.T, s *sim, seed uint64) (repeated int) {
	t.Helper()

	var (
		taken    = map[string]string{} // receiver and transition: id of the notification
		contents = map[string]*sender.Notification{}
		revision = map[string]uint32{}
		told     = map[string]bool{}
	)

	for _, one := range s.sent {
		n := one.job.Notifications[0]
		if one.job.Refresh {
			continue
		}

		if before := contents[n.ID]; before != nil {
			require.Len(t, n.Alerts, len(before.Alerts), "the same content at every try (seed %d)", seed)

			for i := range n.Alerts {
				require.True(t, proto.Equal(before.Alerts[i], n.Alerts[i]))
			}
		}

		contents[n.ID] = n

		if one.err != nil {
			continue
		}

		for _, tr := range n.Alerts {
			key := one.job.Receiver.Name + "/" + tr.GetTransitionId()
			alert := one.job.Receiver.Name + "/" + tr.GetAlert().GetAlertId()

			if id, known := taken[key]; known {
				require.Equal(t, id, n.ID, "taken twice, under another id (seed %d): %s", seed, key)

				repeated++

				continue
			}

			taken[key] = n.ID
			require.Greater(t, tr.GetAlert().GetRevision(), revision[alert], "in order (seed %d): %s", seed, key)
			revision[alert] = tr.GetAlert().GetRevision()

			if tr.GetKind() != alertv1.Transition_KIND_RESOLVED {
				told[alert] = true
			}
		}
	}

	require.EqualValues(t, len(s.alerts), s.state.Cursor().Sequence, "all is decided (seed %d)", seed)

	for _, r := range s.alerts {
		for _, name := range []string{"chat", "am", "page"} {
			accounted(t, s, name, r.GetTransition(), taken, told, seed)
		}
	}

	return repeated
}

// accounted checks that a transition was taken by a receiver, or that it is recorded why not.
func accounted(
	t *testing.T, s *sim, name string, tr *alertv1.Transition, taken map[string]string, told map[string]bool, seed uint64,
) {
	t.Helper()

	if name == "page" && tr.GetAlert().GetSeverity() != alertv1.Severity_SEVERITY_CRITICAL {
		return
	}

	id := tr.GetTransitionId()
	_, got := taken[name+"/"+id]
	alert := name + "/" + tr.GetAlert().GetAlertId()
	e, recorded := s.notify["d/"+name+"/"+id]

	if !recorded {
		require.False(t, s.setup.Receivers.Receiver(name).Wants(tr.GetKind()), "missed (seed %d): %s by %s", seed, id, name)

		return
	}

	d := e.Record.(*delivery.Delivery)
	if d.Skipped != "" {
		require.False(t, got)

		if d.Skipped == delivery.ReasonHeld {
			require.NotEmpty(t, tr.GetAlert().GetHeldBy())
		}

		return
	}

	n, ok := s.notify["n/"+d.Notice].Record.(*delivery.Notice)
	require.True(t, ok, "never sent (seed %d): %s by %s", seed, id, name)
	require.True(t, n.Status.Over(), "still waits (seed %d): %s by %s", seed, id, name)

	reason, skipped := n.Skipped[id]

	switch {
	case skipped && reason == delivery.ReasonNotTold:
		require.Equal(t, alertv1.Transition_KIND_RESOLVED, tr.GetKind())
		require.False(t, told[alert], "it had heard of it (seed %d): %s", seed, id)
	case skipped:
		require.Contains(t, []string{delivery.ReasonOvertaken, delivery.ReasonHeld}, reason)
	case n.Status == delivery.StatusDelivered:
		require.True(t, got, "delivered, but nobody took it (seed %d): %s by %s", seed, id, name)
		require.Contains(t, n.Members, id)
	default:
		require.Equal(t, delivery.StatusDead, n.Status)
	}
}
