package dispatch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// resending makes a set with a receiver that is sent active alerts again every minute.
func resending() *receiver.Set {
	am := to("am", &sender.Alertmanager{})
	am.Resend = time.Minute

	return all(am)
}

// refreshes are the tries that sent active alerts again.
func (s *sim) refreshes() []sent {
	var found []sent

	for _, one := range s.sent {
		if one.job.Refresh {
			found = append(found, one)
		}
	}

	return found
}

func TestRefresh(t *testing.T) {
	t.Parallel()

	t.Run("active alerts are sent again until they end, and not afterwards", func(t *testing.T) {
		t.Parallel()

		s := newSim(t, 1, resending(), good)
		s.add(began, alertv1.Transition_KIND_FIRED, warning("a", 1))
		s.add(began.Add(time.Hour), alertv1.Transition_KIND_RESOLVED, warning("a", 2))
		s.run(began.Add(3 * time.Hour))

		again := s.refreshes()
		require.InDelta(t, 60, len(again), 2, "every minute of the hour")

		for i, one := range again {
			require.True(t, one.at.Before(began.Add(time.Hour)), "not after it ended: %s", one.at)
			require.Equal(t, "a-1", one.job.Notifications[0].Alerts[0].GetTransitionId())

			if i > 0 {
				require.InDelta(t, time.Minute, one.at.Sub(again[i-1].at), float64(2*time.Second))
			}
		}

		require.Contains(t, s.delivered("am"), "a-2")
	})

	t.Run("a restart goes on with it at once", func(t *testing.T) {
		t.Parallel()

		s := newSim(t, 2, resending(), good)
		s.add(began, alertv1.Transition_KIND_FIRED, warning("a", 1))
		s.add(began, alertv1.Transition_KIND_FIRED, warning("b", 1))
		s.add(began.Add(5*time.Minute), alertv1.Transition_KIND_RESOLVED, warning("a", 2))
		s.run(began.Add(10 * time.Minute))
		s.restart()

		from := s.now
		s.run(from.Add(10 * time.Minute))

		var after []sent

		for _, one := range s.refreshes() {
			if one.lives == s.lives {
				require.Len(t, one.job.Notifications[0].Alerts, 1, "what ended is not sent again")
				require.Equal(t, "b-1", one.job.Notifications[0].Alerts[0].GetTransitionId())

				after = append(after, one)
			}
		}

		require.InDelta(t, 10, len(after), 2)
		require.LessOrEqual(t, after[0].at.Sub(from), time.Second)
	})

	t.Run("the end of an alert waits until it is not sent again any more", func(t *testing.T) {
		t.Parallel()

		var slow time.Time

		s := newSim(t, 3, resending(), func(j dispatch.Job, at time.Time, _ int) (time.Duration, error) {
			if j.Refresh && slow.IsZero() {
				slow = at

				return 10 * time.Second, nil
			}

			return 50 * time.Millisecond, nil
		})
		s.add(began, alertv1.Transition_KIND_FIRED, warning("a", 1))
		s.add(began.Add(65*time.Second), alertv1.Transition_KIND_RESOLVED, warning("a", 2))
		s.run(began.Add(10 * time.Minute))

		ended, told := s.delivered("am")["a-2"]
		require.True(t, told)
		require.GreaterOrEqual(t, ended.Sub(slow), 10*time.Second, "else it would begin anew at the receiver")
		require.LessOrEqual(t, ended.Sub(slow), 11*time.Second)
		require.Len(t, s.refreshes(), 1)
	})

	t.Run("one that fails is made again at the next interval, and thousands go in parts", func(t *testing.T) {
		t.Parallel()

		s := newSim(t, 4, resending(), func(j dispatch.Job, _ time.Time, _ int) (time.Duration, error) {
			if j.Refresh {
				return time.Second, errors.New("not now")
			}

			return time.Second, nil
		})
		for i := range 2500 {
			s.add(began, alertv1.Transition_KIND_FIRED, warning(fmt.Sprint("a", i), 1))
		}

		s.run(began.Add(10 * time.Minute))

		again := s.refreshes()
		require.InDelta(t, 10, len(again), 2)

		parts := again[len(again)-1].job.Notifications
		require.Len(t, parts, 3)
		require.Len(t, parts[2].Alerts, 500)
	})
}
