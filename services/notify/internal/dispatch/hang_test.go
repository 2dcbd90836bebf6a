package dispatch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

func TestHang(t *testing.T) {
	t.Parallel()

	t.Run("a receiver that hangs for an hour delays no other and loses nothing", func(t *testing.T) {
		t.Parallel()

		const alerts = 300

		hang := began.Add(time.Hour)
		s := newSim(t, 1, all(to("hangs", &sender.Webhook{}), to("works", &sender.Webhook{}), to("pages", &sender.PagerDuty{})),
			func(j dispatch.Job, at time.Time, _ int) (time.Duration, error) {
				if j.Receiver.Name == "hangs" && at.Before(hang) {
					return j.Receiver.Timeout, errors.New("no answer in time")
				}

				return 50 * time.Millisecond, nil
			})

		for i := range alerts {
			s.add(began.Add(time.Duration(i)*12*time.Second), alertv1.Transition_KIND_FIRED, warning(fmt.Sprint("a", i), 1))
		}

		s.run(began.Add(80 * time.Hour))

		hangs, works, pages := s.delivered("hangs"), s.delivered("works"), s.delivered("pages")
		require.Len(t, hangs, alerts, "nothing is lost")
		require.Len(t, works, alerts)
		require.Len(t, pages, alerts)

		for i := range alerts {
			id, came := fmt.Sprintf("a%d-1", i), began.Add(time.Duration(i)*12*time.Second)
			require.LessOrEqual(t, works[id].Sub(came), 5*time.Minute, "not later than its group's interval: %s", id)
			require.LessOrEqual(t, pages[id].Sub(came), 2*time.Second, "what pages does not wait: %s", id)
			require.False(t, hangs[id].Before(hang))
			require.LessOrEqual(t, hangs[id].Sub(hang), 16*time.Minute, "not later than the longest pause: %s", id)
		}
	})

	t.Run("of what waits behind it one notification is made", func(t *testing.T) {
		t.Parallel()

		s := newSim(t, 2, all(to("hangs", &sender.Slack{})), func(j dispatch.Job, at time.Time, _ int) (time.Duration, error) {
			if at.Before(began.Add(time.Hour)) {
				return j.Receiver.Timeout, errors.New("no answer in time")
			}

			return time.Second, nil
		})
		for i := range 100 {
			s.add(began.Add(time.Duration(i)*30*time.Second), alertv1.Transition_KIND_FIRED, warning(fmt.Sprint("a", i), 1))
		}

		s.run(began.Add(80 * time.Hour))
		require.Len(t, s.delivered("hangs"), 100)
		require.Len(t, s.tries, 2, "the first, which was tried, and the rest together")
	})
}

func TestRetries(t *testing.T) {
	t.Parallel()

	one := func(o outcome) *sim {
		s := newSim(t, 3, all(to("r", &sender.Slack{})), o)
		s.add(began, alertv1.Transition_KIND_FIRED, warning("a", 1))
		s.run(began.Add(100 * time.Hour))

		return s
	}

	t.Run("are given up after three days, and not before", func(t *testing.T) {
		t.Parallel()

		s := one(func(dispatch.Job, time.Time, int) (time.Duration, error) { return time.Second, errors.New("no") })
		last := s.sent[len(s.sent)-1].at
		require.Greater(t, last.Sub(began), 71*time.Hour+30*time.Minute)
		require.LessOrEqual(t, last.Sub(began), 72*time.Hour+time.Minute)

		for i := 1; i < len(s.sent); i++ {
			require.LessOrEqual(t, s.sent[i].at.Sub(s.sent[i-1].at), 15*time.Minute+time.Second)
			require.Equal(t, s.sent[0].job.ID, s.sent[i].job.ID)
		}

		stats := s.state.Stats()
		require.Len(t, stats, 1)
		require.Equal(t, 1, stats[0].Dead)
		require.Zero(t, stats[0].Waiting)

		t.Run("and can be asked for again, also after a restart", func(t *testing.T) {
			s.restart()
			s.outcome = good
			writes, err := s.state.Resend(workspace, s.sent[0].job.ID, s.now)
			require.NoError(t, err)
			require.Len(t, writes, 1)
			require.True(t, s.put(writes, -1))
			s.run(s.now.Add(time.Hour))
			require.Contains(t, s.delivered("r"), "a-1")

			none, err := s.state.Resend(workspace, s.sent[0].job.ID, s.now)
			require.NoError(t, err)
			require.Empty(t, none, "it is dead no more")
		})
	})

	t.Run("wait as long as the receiver says", func(t *testing.T) {
		t.Parallel()

		s := one(func(_ dispatch.Job, _ time.Time, try int) (time.Duration, error) {
			if try == 1 {
				return 0, &sender.Error{RetryAfter: 2 * time.Hour, Status: 429, Reason: "slow down"}
			}

			return 0, nil
		})
		require.Len(t, s.sent, 2)
		require.GreaterOrEqual(t, s.sent[1].at.Sub(s.sent[0].at), 2*time.Hour)
	})

	t.Run("are none where another try cannot help", func(t *testing.T) {
		t.Parallel()

		s := one(func(dispatch.Job, time.Time, int) (time.Duration, error) {
			return 0, &sender.Error{Permanent: true, Status: 410, Reason: "gone"}
		})
		require.Len(t, s.sent, 1)

		n := s.notify["n/"+s.sent[0].job.ID].Record.(*delivery.Notice)
		require.Equal(t, delivery.StatusDead, n.Status)
		require.Equal(t, "the receiver answered 410: gone", n.Reason)
		require.Equal(t, []string{"a"}, n.Alerts())
	})

	t.Run("are followed by the end of the alert, since one may have arrived", func(t *testing.T) {
		t.Parallel()

		s := newSim(t, 3, all(to("r", &sender.Slack{})), func(_ dispatch.Job, _ time.Time, try int) (time.Duration, error) {
			switch try {
			case 1:
				return time.Second, errors.New("the connection broke before the answer")
			case 2:
				return time.Second, &sender.Error{Permanent: true, Status: 409, Reason: "known"}
			default:
				return time.Second, nil
			}
		})
		s.add(began, alertv1.Transition_KIND_FIRED, warning("a", 1))
		s.add(began.Add(time.Hour), alertv1.Transition_KIND_RESOLVED, warning("a", 2))
		s.run(began.Add(30 * time.Minute))
		s.restart()
		s.outcome = good
		s.run(began.Add(2 * time.Hour))
		require.Contains(t, s.delivered("r"), "a-2")
	})
}

func TestStorm(t *testing.T) {
	t.Parallel()

	const alerts, owners = 10_000, 20

	slack, page := to("slack", &sender.Slack{}), to("am", &sender.Alertmanager{})
	set := all(slack, page)
	set.Routes[0].GroupBy = []string{"owner"}
	s := newSim(t, 4, set, good)

	for i := range alerts {
		a := warning(fmt.Sprint("a", i), 1)
		a.Subject.Owner = fmt.Sprint("owner", i%owners)
		s.add(began, alertv1.Transition_KIND_FIRED, a)
	}

	s.run(began.Add(time.Hour))
	require.Len(t, s.delivered("slack"), alerts)
	require.Len(t, s.delivered("am"), alerts)
	require.Len(t, s.tries, 2*owners, "one notification for each owner at each receiver")

	for _, one := range s.sent {
		require.LessOrEqual(t, len(one.job.Notifications[0].Alerts), 1000)
	}

	set = all(slack)
	s = newSim(t, 5, set, good)

	for i := range alerts {
		s.add(began, alertv1.Transition_KIND_FIRED, warning(fmt.Sprint("a", i), 1))
	}

	s.run(began.Add(time.Hour))
	require.Len(t, s.delivered("slack"), alerts)
	require.Len(t, s.tries, alerts/1000, "what is too much for one is told in several")
}

func TestRate(t *testing.T) {
	t.Parallel()

	r := to("pages", &sender.PagerDuty{})
	r.Rate, r.Concurrency = 6, 2
	s := newSim(t, 6, &receiver.Set{Receivers: []*receiver.Receiver{r}, Routes: all(r).Routes}, good)

	for i := range 60 {
		s.add(began, alertv1.Transition_KIND_FIRED, warning(fmt.Sprint("a", i), 1))
	}

	s.run(began.Add(time.Hour))
	require.Len(t, s.delivered("pages"), 60)

	took := s.sent[59].at.Sub(began)
	require.Greater(t, took, 9*time.Minute, "six a minute")
	require.Less(t, took, 11*time.Minute)
}
