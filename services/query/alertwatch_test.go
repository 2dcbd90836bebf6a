package query_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/query"
)

// alertStream is a watch under way.
type alertStream = grpc.ServerStreamingClient[alertv1.WatchAlertsResponse]

// watchAlerts begins a watch that ends with the test, or when the function is called.
func watchAlerts(w *world, req *alertv1.WatchAlertsRequest) (alertStream, context.CancelFunc) {
	w.tb.Helper()

	ctx, cancel := context.WithTimeout(w.as(access.RoleViewer), patience)
	w.tb.Cleanup(cancel)

	stream, err := w.alert().WatchAlerts(ctx, req)
	require.NoError(w.tb, err)

	return stream, cancel
}

// nextPart receives a part.
func nextPart(tb testing.TB, stream alertStream) *alertv1.WatchAlertsResponse {
	tb.Helper()

	part, err := stream.Recv()
	require.NoError(tb, err)

	return part
}

// idsOf are the ids of transitions.
func idsOf(all []*alertv1.Transition) []string {
	ids := make([]string, len(all))
	for i, t := range all {
		ids[i] = t.GetTransitionId()
	}

	return ids
}

func TestAWatchOfAlerts(t *testing.T) {
	t.Parallel()

	w, d, client := alertWorld(t, func(c *query.Config, _ *query.Deps) { c.Heartbeat = 50 * time.Millisecond })
	ctx := w.as(access.RoleOperator)
	first := d.fire(home, "acme", "at_risk")
	over := d.fire(home, "acme", "ticket_spike")
	_, err := client.ResolveAlert(ctx, &alertv1.ResolveAlertRequest{AlertId: over})
	require.NoError(t, err)

	stream, _ := watchAlerts(w, &alertv1.WatchAlertsRequest{Snapshot: true, Filter: "account_id = acme"})
	part := nextPart(t, stream)
	require.False(t, part.GetReset_())
	require.True(t, part.GetSnapshotComplete())
	require.Len(t, part.GetSnapshot(), 1, "only what is open")
	require.Equal(t, first, part.GetSnapshot()[0].GetAlertId())

	beat := nextPart(t, stream)
	require.Empty(t, beat.GetTransitions())
	require.NotEmpty(t, beat.GetResumeToken())

	d.fire(home, "other", "at_risk")
	d.fire("abroad", "acme", "at_risk")
	_, err = client.CommentAlert(ctx, &alertv1.CommentAlertRequest{AlertId: first, Comment: "hm"})
	require.NoError(t, err)

	for part = nextPart(t, stream); len(part.GetTransitions()) == 0; part = nextPart(t, stream) {
		require.NotEmpty(t, part.GetResumeToken())
	}

	require.Equal(t, []string{first + "-2"}, idsOf(part.GetTransitions()), "of what the filter wants, in this workspace")
	require.Equal(t, "hm", part.GetTransitions()[0].GetNote())
	require.Equal(t, uint32(2), part.GetTransitions()[0].GetAlert().GetRevision())

	for name, token := range map[string]string{"of nothing": "x", "of another filter": part.GetResumeToken()} {
		stream, _ := watchAlerts(w, &alertv1.WatchAlertsRequest{ResumeToken: token})
		_, err := stream.Recv()
		requireError(t, err, codes.InvalidArgument, "TOKEN_UNKNOWN")
		require.Error(t, err, name)
	}
}

func TestAWatchBeginsAnewWhereItsTokenIsTooOld(t *testing.T) {
	t.Parallel()

	w, d, _ := alertWorld(t)
	stream, cancel := watchAlerts(w, &alertv1.WatchAlertsRequest{})
	require.NotEmpty(t, nextPart(t, stream).GetResumeToken())
	d.fire(home, "acme", "at_risk")

	part := nextPart(t, stream)
	for len(part.GetTransitions()) == 0 {
		part = nextPart(t, stream)
	}

	token := part.GetResumeToken()

	cancel()
	require.NoError(t, w.stop())

	for n := range 3 {
		d.fire(home, fmt.Sprintf("late%d", n), "at_risk")
	}

	js, err := w.log.JetStream().Stream(t.Context(), "ALERTS")
	require.NoError(t, err)
	require.NoError(t, js.Purge(t.Context()))
	d.fire(home, "new", "at_risk")

	next := w.beside()
	next.run()
	require.Eventually(t, func() bool { return next.service.Ready() == nil }, patience, time.Millisecond)

	resumed, _ := watchAlerts(next, &alertv1.WatchAlertsRequest{ResumeToken: token})
	part = nextPart(t, resumed)
	require.True(t, part.GetReset_())
	require.True(t, part.GetSnapshotComplete())
	require.Len(t, part.GetSnapshot(), 1)
	require.Equal(t, "new", part.GetSnapshot()[0].GetAccountId())
}

// checks are an Alerts that keeps the places that were checked.
type checks struct {
	query.Alerts

	places chan alertlog.Place
}

func (c *checks) Check(ctx context.Context, p alertlog.Place) error {
	c.places <- p

	return c.Alerts.Check(ctx, p)
}

func TestAWatchBeginsAnewInAnotherStream(t *testing.T) {
	t.Parallel()

	seen := &checks{places: make(chan alertlog.Place, 8)}
	w, d, _ := alertWorld(t, func(_ *query.Config, deps *query.Deps) {
		seen.Alerts = deps.Alerts
		deps.Alerts = seen
	})
	stream, _ := watchAlerts(w, &alertv1.WatchAlertsRequest{})
	nextPart(t, stream)
	d.fire(home, "acme", "at_risk")

	token := nextPart(t, stream).GetResumeToken()
	resumed, cancel := watchAlerts(w, &alertv1.WatchAlertsRequest{ResumeToken: token})
	require.False(t, nextPart(t, resumed).GetReset_())
	cancel()

	var newest alertlog.Entry

	place, err := w.alerts.Latest(t.Context(), func(e alertlog.Entry) error {
		newest = e

		return nil
	})
	require.NoError(t, err)
	require.Equal(t, newest.Time.UnixNano(), place.Time)
	require.Equal(t, place, <-seen.places, "the token names the stream, and the record")

	js := w.log.JetStream()
	require.NoError(t, js.DeleteStream(t.Context(), "ALERTS"))

	again, err := alertlog.Open(t.Context(), js, alertlog.Options{})
	require.NoError(t, err)

	w.alerts = again

	_, err = again.Append(t.Context(), 0, 0, anew())
	require.NoError(t, err)

	for err = error(nil); err == nil; { // it notices, and says so with its token
		var part *alertv1.WatchAlertsResponse
		if part, err = stream.Recv(); err == nil {
			require.Empty(t, part.GetTransitions(), "none is of its stream")
		}
	}

	requireError(t, err, codes.Unavailable, "LISTS_FILLING")
	require.Equal(t, token, toldOf(t, err)["resume_token"])
	require.Eventually(t, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

	resumed, _ = watchAlerts(w, &alertv1.WatchAlertsRequest{ResumeToken: token})
	part := nextPart(t, resumed)
	require.True(t, part.GetReset_(), "though the stream is longer than the token says")
	require.True(t, part.GetSnapshotComplete())
	require.Len(t, part.GetSnapshot(), len(anew()))
}

// anew are records of a stream that was made in the place of another.
func anew() []*logv1.AlertRecord {
	all := make([]*logv1.AlertRecord, 5)

	for n := range all {
		id := fmt.Sprintf("new%d", n)
		all[n] = &logv1.AlertRecord{Workspace: home, Transition: &alertv1.Transition{
			TransitionId: id + "-1", Kind: alertv1.Transition_KIND_FIRED,
			Alert: &alertv1.Alert{AlertId: id, Revision: 1, State: alertv1.State_STATE_FIRING},
		}}
	}

	return all
}

func TestASlowWatcherOfAlertsIsCutOffAndGoesOn(t *testing.T) {
	t.Parallel()

	w, d, _ := alertWorld(t, func(c *query.Config, _ *query.Deps) { c.AlertRing = 8 })
	stream, _ := watchAlerts(w, &alertv1.WatchAlertsRequest{})
	begin := nextPart(t, stream)

	// So much that neither the ring nor what the transport buffers holds it.
	wide := func(a *alertv1.Alert) { a.Summary = string(make([]byte, 64<<10)) }

	const count = 40

	for n := range count {
		d.fire(home, fmt.Sprintf("acme%d", n), "at_risk", wide)
	}

	require.Eventually(t, func() bool {
		list, err := w.alert().ListAlerts(w.as(access.RoleViewer), &alertv1.ListAlertsRequest{PageSize: 1})

		return err == nil && list.GetTotalSize() == count
	}, patience, time.Millisecond)

	var (
		seen  []string
		token = begin.GetResumeToken()
		cut   = false
	)

	for len(seen) < count {
		part, err := stream.Recv()
		if err != nil {
			requireError(t, err, codes.ResourceExhausted, "SLOW_READER")
			require.Equal(t, token, toldOf(t, err)["resume_token"])

			stream, _ = watchAlerts(w, &alertv1.WatchAlertsRequest{ResumeToken: token})
			cut = true

			continue
		}

		seen, token = append(seen, idsOf(part.GetTransitions())...), part.GetResumeToken()
	}

	require.True(t, cut)

	for n := range count {
		require.Equal(t, fmt.Sprintf("%s-acme%d-at_risk-1", home, n), seen[n])
	}
}

// TestAWatcherSeesEveryTransitionOnce lets a watcher disconnect at random, and the service restart, while alerts come and
// change: by its token it sees every transition of its workspace, once, in order.
func TestAWatcherSeesEveryTransitionOnce(t *testing.T) {
	t.Parallel()

	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()

			r := rand.New(rand.NewPCG(seed, 1))
			w, d, _ := alertWorld(t, func(c *query.Config, _ *query.Deps) { c.AlertRing = 4 })

			stream, _ := watchAlerts(w, &alertv1.WatchAlertsRequest{})
			begin := nextPart(t, stream)

			v := &wanderer{world: w, token: begin.GetResumeToken(), random: r}

			var want []string

			for round := range 25 {
				for range r.IntN(12) {
					workspace := home
					if r.IntN(3) == 0 {
						workspace = "abroad"
					}

					id := d.fire(workspace, fmt.Sprintf("a%d", r.IntN(1000)), fmt.Sprintf("r%d-%d", round, len(want)))
					if workspace == home {
						want = append(want, id+"-1")
					}
				}

				v.step(len(want))
			}

			v.drain(len(want))
			require.Equal(t, want, v.seen)
		})
	}
}

// wanderer is a watcher who comes and goes.
type wanderer struct {
	world  *world
	token  string
	random *rand.Rand
	seen   []string
}

// step restarts the service, sometimes, and watches for a while.
func (v *wanderer) step(until int) {
	if v.random.IntN(4) == 0 {
		require.NoError(v.world.tb, v.world.stop())

		next := v.world.beside()
		next.run(func(c *query.Config, _ *query.Deps) { c.AlertRing = 4 })
		require.Eventually(next.tb, func() bool { return next.service.Ready() == nil }, patience, time.Millisecond)

		v.world = next
	}

	v.watch(min(until, len(v.seen)+v.random.IntN(8)))
}

// drain watches until everything was seen.
func (v *wanderer) drain(until int) {
	for len(v.seen) < until {
		v.watch(until)
	}
}

// watch goes on from the token until so much was seen; parts that were on the way then are lost.
func (v *wanderer) watch(until int) {
	stream, cancel := watchAlerts(v.world, &alertv1.WatchAlertsRequest{ResumeToken: v.token})
	defer cancel()

	for len(v.seen) < until {
		part := nextPart(v.world.tb, stream)
		require.False(v.world.tb, part.GetReset_())

		v.seen, v.token = append(v.seen, idsOf(part.GetTransitions())...), part.GetResumeToken()
	}
}
