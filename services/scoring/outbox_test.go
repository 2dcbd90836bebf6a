package scoring

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
	"hale.dev/services/internal/task"
)

// seenRules fire for every account that is there.
const seenRules = "kind: rules\nrules:\n  - {name: seen, summary: It is there, severity: info, when: age_days >= 0}\n"

// alerting is a world in which every account fires an alert.
type alerting struct {
	*world

	alerts *alertlog.Log
}

func newAlerting(t *testing.T, partitions int, s store.Store) *alerting {
	t.Helper()
	a := &alerting{world: newWorld(t, partitions)}
	if s != nil {
		a.store = s
	}
	var err error
	a.alerts, err = alertlog.Open(t.Context(), a.log.JetStream(), alertlog.Options{MaxBytes: 64 << 20})
	require.NoError(t, err)
	for p := range partitions {
		_, err = a.writer.Write(t.Context(), []eventlog.Item{{Partition: p, Record: &logv1.Record{
			Workspace: "default",
			Payload:   &logv1.Record_SetRules{SetRules: &logv1.SetRules{Version: 1, Document: []byte(seenRules)}},
		}}})
		require.NoError(t, err)
	}
	return a
}

// tell gives a service ALERTS, or something in front of it.
func tell(alerts Alerts) func(*Deps) { return func(d *Deps) { d.Alerts = alerts } }

// published is how often each account was said to have fired.
func (a *alerting) published() map[string]int {
	a.t.Helper()
	last, err := a.alerts.Last(a.t.Context())
	require.NoError(a.t, err)
	found := map[string]int{}
	if last.Sequence == 0 {
		return found
	}
	err = a.alerts.Follow(a.t.Context(), alertlog.Place{}, func(e alertlog.Entry) error {
		alert := e.Record.GetTransition().GetAlert()
		found[fmt.Sprintf("%s %d", alert.GetAccountId(), alert.GetRevision())]++
		if e.Sequence >= last.Sequence {
			return errEnough
		}
		return nil
	})
	require.ErrorIs(a.t, err, errEnough)
	return found
}

var errEnough = errors.New("enough")

// firedOnce waits until the first transitions of n accounts are published, and requires that there is nothing else.
func (a *alerting) firedOnce(prefix string, n int) {
	a.t.Helper()
	want := map[string]int{}
	for i := range n {
		want[fmt.Sprintf("%s%d 1", prefix, i)] = 1
	}
	if !assert.Eventually(a.t, func() bool { return maps.Equal(a.published(), want) }, patience, 5*lookTick) {
		require.Equal(a.t, want, a.published())
	}
}

// waiting is how many entries all outboxes hold, in the store.
func (a *alerting) waiting() int {
	a.t.Helper()
	sum := 0
	for p := range a.partitions {
		sum += a.waitingIn(p)
	}
	return sum
}

func (a *alerting) waitingIn(partition int) int {
	a.t.Helper()
	for asked := uint64(0); ; {
		head, values, err := a.store.Read(context.Background(), partition, keysUpTo(asked)...)
		require.NoError(a.t, err)
		state, err := fold.DecodeState(head.State)
		require.NoError(a.t, err)
		if state.OutboxNext > asked { // more than was asked for
			asked = state.OutboxNext
			continue
		}
		held := len(slices.DeleteFunc(values, func(v []byte) bool { return v == nil }))
		require.Equal(a.t, int(state.OutboxNext-state.OutboxFirst), held, "what is published is removed, what is not is there")
		return held
	}
}

func keysUpTo(next uint64) []string {
	var keys []string
	for n := range next {
		keys = append(keys, store.OutboxKey(n))
	}
	return keys
}

func (a *alerting) emptied() {
	a.t.Helper()
	require.Eventually(a.t, func() bool { return a.waiting() == 0 }, patience, lookTick)
}

// gate is in front of ALERTS: what is tried goes through only as it says.
type gate struct {
	Alerts

	mu   sync.Mutex
	does func(forward func() (uint64, error)) (uint64, error)
	// tries are how often something was to be appended.
	tries atomic.Int64
}

func newGate(alerts Alerts, does func(forward func() (uint64, error)) (uint64, error)) *gate {
	return &gate{Alerts: alerts, does: does}
}

func (g *gate) set(does func(forward func() (uint64, error)) (uint64, error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.does = does
}

// Append implements Alerts.
func (g *gate) Append(ctx context.Context, partition int, after uint64, records []*logv1.AlertRecord) (uint64, error) {
	g.tries.Add(1)
	g.mu.Lock()
	does := g.does
	g.mu.Unlock()
	return does(func() (uint64, error) { return g.Alerts.Append(ctx, partition, after, records) })
}

func (g *gate) tried(t *testing.T, n int64) {
	t.Helper()
	require.Eventually(t, func() bool { return g.tries.Load() >= n }, patience, lookTick)
}

func closed(func() (uint64, error)) (uint64, error) { return 0, alertlog.ErrUnavailable }

func full(func() (uint64, error)) (uint64, error) { return 0, alertlog.ErrFull }

func through(forward func() (uint64, error)) (uint64, error) { return forward() }

// unheard lets everything through, and says that it failed.
func unheard(forward func() (uint64, error)) (uint64, error) {
	if _, err := forward(); err != nil {
		return 0, err
	}
	return 0, alertlog.ErrUnavailable
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	stores := map[string]func(t *testing.T) store.Store{
		"memory": newStore,
		"redis": func(t *testing.T) store.Store {
			t.Helper()
			s, err := redis.Open(t.Context(), redis.Options{URL: redistest.StartServer(t).URL()})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testOutbox(t, open)
		})
	}
}

func testOutbox(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	t.Run("what is decided is published once, and leaves the store", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 3, open(t))
		a.write(ids("a", 60, 30)...)
		r := a.start(Config{}, tell(a.alerts))
		a.firedOnce("a", 30)
		a.emptied()
		require.Equal(t, int64(30), r.counter("hale_scoring_alerts_published", "", ""))
	})
	t.Run("an owner that dies between commit and publication leaves the rest to the next", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 2, open(t))
		a.write(ids("a", 20, 20)...)
		g := newGate(a.alerts, closed)
		first := a.start(Config{}, tell(g))
		a.becomes(total{counted: 20})
		g.tried(t, 2)
		first.stop()
		require.Empty(t, a.published())
		require.Positive(t, a.waiting())
		a.start(Config{}, tell(a.alerts))
		a.firedOnce("a", 20)
		a.emptied()
	})
	t.Run("an owner that dies between publication and its note repeats nothing", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 2, open(t))
		a.write(ids("a", 20, 20)...)
		first := a.start(Config{}, tell(newGate(a.alerts, unheard)))
		a.becomes(total{counted: 20})
		a.firedOnce("a", 20)
		first.stop()
		require.Positive(t, a.waiting())
		second := a.start(Config{}, tell(a.alerts))
		a.emptied()
		a.firedOnce("a", 20)
		second.stop()
		a.start(Config{}, tell(a.alerts)).ready()
		a.firedOnce("a", 20)
	})
	t.Run("a fenced owner that publishes at the same time repeats nothing", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 1, open(t))
		a.write(ids("a", 20, 20)...)
		release, reached := make(chan struct{}), make(chan struct{}, 1000)
		g := newGate(a.alerts, func(forward func() (uint64, error)) (uint64, error) {
			reached <- struct{}{}
			<-release
			return forward()
		})
		a.start(Config{}, tell(g))
		<-reached
		a.becomes(total{counted: 20})
		second := a.start(Config{}, tell(a.alerts)) // takes the partition
		close(release)
		a.firedOnce("a", 20)
		second.stop()
		a.firedOnce("a", 20)
	})
	t.Run("commits do not wait for ALERTS that is full, and somebody is told", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 1, open(t))
		g := newGate(a.alerts, full)
		r := a.start(Config{}, tell(g))
		a.write(ids("a", 30, 30)...)
		a.becomes(total{counted: 30})
		g.tried(t, 2)
		r.ready()
		require.Equal(t, int64(1), r.alarms(codeAlertsFull), "once, and not at every try")
		g.set(through)
		a.firedOnce("a", 30)
		a.emptied()
	})
	t.Run("an owner that ends in order publishes what is left first", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 2, open(t))
		g := newGate(a.alerts, func(func() (uint64, error)) (uint64, error) { return 0, alertlog.ErrUnavailable })
		r := a.start(Config{}, tell(g))
		a.write(ids("a", 20, 20)...)
		a.becomes(total{counted: 20})
		g.tried(t, 2)
		g.set(through)
		r.stop()
		a.firedOnce("a", 20)
		require.Zero(t, a.waiting())
	})
	t.Run("a draft publishes nothing again", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 2, open(t))
		b := a.board()
		a.write(ids("a", 40, 20)...)
		a.start(Config{}, tell(a.alerts), func(d *Deps) { d.Tasks = b })
		a.firedOnce("a", 20)
		_, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild, Partition: -1}, 0)
		require.NoError(t, err)
		require.Equal(t, task.Done, a.done(b, task.Rebuild).State)
		a.becomes(total{counted: 40, generation: 1})
		a.firedOnce("a", 20)
		a.emptied()
	})
	t.Run("what is put in place waits for the outbox that it takes the place of", func(t *testing.T) {
		t.Parallel()
		a := newAlerting(t, 2, open(t))
		b := a.board()
		g := newGate(a.alerts, closed)
		a.start(Config{}, tell(g), func(d *Deps) { d.Tasks = b })
		a.write(ids("a", 40, 20)...)
		a.becomes(total{counted: 40})
		_, err := b.Ask(t.Context(), task.Task{Kind: task.Rebuild, Partition: -1}, 0)
		require.NoError(t, err)
		require.Eventually(t, func() bool { // the draft has reached the end
			head, _, err := a.store.ReadDraft(t.Context(), 0)
			live, _, liveErr := a.store.Read(t.Context(), 0)
			return err == nil && liveErr == nil && head.Cursor == live.Cursor
		}, patience, lookTick)
		require.Zero(t, a.total().generation)
		var writing sync.WaitGroup
		writing.Go(func() { a.write(ids("a", 30, 30)...) })
		g.set(through)
		require.Equal(t, task.Done, a.done(b, task.Rebuild).State)
		writing.Wait()
		a.firedOnce("a", 30)
		a.emptied()
	})
}

func TestOutboxOfManyEntries(t *testing.T) {
	t.Parallel()
	a := newAlerting(t, 1, nil)
	g := newGate(a.alerts, closed)
	a.start(Config{CommitDelay: time.Microsecond}, tell(g))
	for i := range 150 { // a commit each
		a.write(fmt.Sprintf("a%d/1", i))
	}
	a.becomes(total{counted: 150})
	require.Greater(t, a.waiting(), outboxAtOnce)
	g.set(through)
	a.firedOnce("a", 150)
	a.emptied()
}
