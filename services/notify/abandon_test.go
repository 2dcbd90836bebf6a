package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/settings"
	"hale.dev/services/notify"
)

// TestAbandoned takes the connection of the process that leads away, which is all that others see of its death, while a
// receiver does not answer, a try waits for the next one and a group gathers.
func TestAbandoned(t *testing.T) {
	t.Parallel()

	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)

	_, js := natstest.Connect(t, server)
	w := newWorldOn(t, js)
	w.real()
	w.clock = newFast(20) // half a minute is one and a half seconds

	hangs := w.newSite(func(call int, r *http.Request) int {
		if call == 1 {
			<-r.Context().Done() // its process is gone
		}

		return http.StatusOK
	})
	fails := w.newSite(func(call int, _ *http.Request) int {
		if call == 1 {
			return http.StatusServiceUnavailable
		}

		return http.StatusOK
	})
	gathers := w.newSite(nil)

	w.apply(fmt.Sprintf(`
kind: receivers
receivers:
  - {name: hangs, kind: webhook, timeout: 5m, settings: {url: %q, secrets: ["file:key"]}}
  - {name: fails, kind: webhook, timeout: 5m, settings: {url: %q, secrets: ["file:key"]}}
  - {name: gathers, kind: webhook, timeout: 5m, settings: {url: %q, secrets: ["file:key"]}}
routes:
  - {matchers: ['severity="critical"'], receivers: [hangs, fails], continue: true}
default_route: {receivers: [gathers], group_wait: 1m}
`, hangs.URL, fails.URL, gathers.URL) + "\n")

	first, kill := w.process(server, "first")
	stop, _ := w.run(first)
	w.append(transition("a", 1, fired, critical), transition("b", 1, fired, warning))

	eventually(t, "everything is in the middle", func() bool {
		_, gathering := w.records()["gathers/b-1"]

		return len(hangs.all()) == 1 && len(fails.all()) == 1 && gathering
	})
	require.Empty(t, gathers.all())

	second, _ := w.process(server, "second")
	stopSecond, ready := w.run(second)

	defer stopSecond()

	eventually(t, "the second stands by", func() bool { return ready() == nil })
	kill()

	died := time.Now()

	w.append(transition("c", 1, fired, critical), transition("d", 1, fired, warning)) // while nobody leads

	found := w.settled()
	require.Less(t, time.Since(died), patience/2)
	stop()

	for _, key := range []string{"hangs/a-1", "fails/a-1", "gathers/b-1", "hangs/c-1", "fails/c-1", "gathers/d-1"} {
		d, ok := found[key].(*delivery.Delivery)
		require.True(t, ok, key)
		require.Equal(t, delivery.StatusDelivered, found[d.Notice].(*delivery.Notice).Status, key)
	}

	for _, s := range []*site{hangs, fails} {
		calls := s.all()
		require.GreaterOrEqual(t, len(calls), 2)
		require.Equal(t, calls[0].id, calls[1].id, "what is tried again has the same id")
		require.Equal(t, calls[0].body, calls[1].body, "and content")
		require.Len(t, idsOf(calls), 2, "that of a, and that of c")
	}

	require.Len(t, gathers.all(), len(idsOf(gathers.all())), "nothing else is repeated")
}

// process is what a process has that has a connection of its own, and sends for real; kill takes the connection away.
func (w *world) process(server *natsserver.Server, name string) (d notify.Deps, kill func()) {
	_, js := natstest.Connect(w.t, server)
	d = w.deps()
	d.Senders = nil

	var err error
	d.Alerts, err = alertlog.Open(w.t.Context(), js, alertlog.Options{})
	require.NoError(w.t, err)
	d.Journal, err = delivery.Open(w.t.Context(), js, delivery.Options{})
	require.NoError(w.t, err)
	d.Settings, err = settings.Open(w.t.Context(), js, 0)
	require.NoError(w.t, err)
	d.Leader, err = notify.NewLeader(w.t.Context(), js, notify.LeaderOptions{Key: "notify", Name: name, TTL: time.Second})
	require.NoError(w.t, err)

	return d, js.Conn().Close
}

// idsOf are the ids of notifications, each once.
func idsOf(calls []siteCall) map[string]bool {
	ids := map[string]bool{}
	for _, c := range calls {
		ids[c.id] = true
	}

	return ids
}

// TestFenced lets a process go on that only thinks it leads: it was asleep while another did its work.
func TestFenced(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.append(transition("a", 1, fired, critical), transition("b", 1, fired, warning))

	asleep := &sleeper{Journal: w.journal, asleep: make(chan struct{}), wake: make(chan struct{}), results: make(chan error, 1)}
	d := w.deps()
	d.Journal = asleep
	stop, _ := w.run(d)

	<-asleep.asleep

	stopSecond, _ := w.run(w.deps())
	w.settled()
	close(asleep.wake)
	require.ErrorIs(t, <-asleep.results, delivery.ErrFenced)

	w.append(transition("c", 1, fired, critical))
	w.settled()
	stopSecond()
	stop()

	for _, key := range []string{"a-1", "c-1"} {
		ids := map[string]bool{}

		for _, one := range w.inbox.all() {
			for _, tr := range one.n.Alerts {
				if one.receiver == "page" && tr.GetTransitionId() == key {
					ids[one.n.ID] = true
				}
			}
		}

		require.Len(t, ids, 1, "whoever sends it, it has one id: %s", key)
	}
}

// sleeper is the journal of a process that falls asleep before it has written what became of its first try.
type sleeper struct {
	notify.Journal

	once         sync.Once
	asleep, wake chan struct{}
	results      chan error
}

func (s *sleeper) Put(ctx context.Context, writes ...delivery.Write) ([]uint64, error) {
	n, ok := writes[0].Record.(*delivery.Notice)
	if !ok || n.Attempts == 0 {
		return s.Journal.Put(ctx, writes...)
	}

	slept := false

	s.once.Do(func() {
		slept = true

		close(s.asleep)
		<-s.wake
	})

	sequences, err := s.Journal.Put(ctx, writes...)
	if slept {
		s.results <- err
	}

	if slept && err == nil {
		return nil, errors.New("it was not fenced")
	}

	return sequences, err
}
