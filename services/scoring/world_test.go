package scoring

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/member"
	"hale.dev/services/internal/pressure"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

const (
	patience = 3 * time.Minute
	lookTick = 5 * time.Millisecond
)

// world is a log on a server of its own, and a store. The log begins with nothing.
type world struct {
	t          *testing.T
	dir        string
	partitions int
	streams    int // 0: one
	server     *natsserver.Server
	log        *eventlog.Log
	writer     *eventlog.Writer
	rejects    *reject.Stream
	pressure   *pressure.Board
	store      store.Store
}

func newWorld(t *testing.T, partitions int) *world {
	t.Helper()
	return newWideWorld(t, partitions, 1)
}

// newWideWorld is a world whose partitions lie in several streams.
func newWideWorld(t *testing.T, partitions, streams int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), partitions: partitions, streams: streams, store: newStore(t)}
	w.up()
	t.Cleanup(func() { w.down() })
	return w
}

func newStore(t *testing.T) store.Store {
	t.Helper()
	s, err := memory.Open(memory.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// up starts the server and opens what is on it.
func (w *world) up() {
	w.t.Helper()
	var err error
	w.server, err = natsserver.Start(natsserver.Options{Dir: w.dir, MaxStore: 4 << 30})
	require.NoError(w.t, err)
	conn, err := w.server.Conn()
	require.NoError(w.t, err)
	w.t.Cleanup(conn.Close)
	w.log, err = eventlog.Open(w.t.Context(), conn, eventlog.Options{
		Partitions: w.partitions, Streams: w.streams, MaxBytes: 1 << 30,
	})
	require.NoError(w.t, err)
	w.rejects, err = reject.Open(w.t.Context(), w.log.JetStream(), reject.Options{MaxBytes: 256 << 20})
	require.NoError(w.t, err)
	w.pressure, err = pressure.Open(w.t.Context(), w.log.JetStream(), 1)
	require.NoError(w.t, err)
	// A slow machine must not make the writer send a message twice: the tests count duplicates.
	w.writer = w.log.NewWriter(eventlog.WriterOptions{AckTimeout: 4 * patience})
}

// down ends the server; no service may run.
func (w *world) down() {
	if w.server == nil {
		return
	}
	require.NoError(w.t, w.writer.Close(context.Background()))
	w.server.Shutdown()
	w.server = nil
}

// write puts one event for each id into the log, each a message of its own. The id names the account: x/1 and x/2
// are of account x.
func (w *world) write(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		w.records(accountOf(id), event(id))
	}
}

// records puts records into the log of an account's partition.
func (w *world) records(account string, records ...*logv1.Record) {
	w.t.Helper()
	items := make([]eventlog.Item, len(records))
	for i, r := range records {
		items[i] = eventlog.Item{Partition: w.log.Layout().Partition("default", account), Record: r}
	}
	_, err := w.writer.Write(w.t.Context(), items)
	require.NoError(w.t, err)
}

func accountOf(id string) string {
	for i := range id {
		if id[i] == '/' {
			return id[:i]
		}
	}
	return id
}

func event(id string) *logv1.Record {
	return &logv1.Record{Workspace: "default", Origin: "test", Payload: &logv1.Record_Event{Event: &eventv1.Event{
		MessageId: id, AccountId: accountOf(id), UserId: "user " + id, OccurredAt: timestamppb.Now(),
		Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "export"}},
	}}}
}

// stream is the log's only stream.
func (w *world) stream() jetstream.Stream {
	w.t.Helper()
	s, err := w.log.JetStream().Stream(w.t.Context(), "EVENTS")
	require.NoError(w.t, err)
	return s
}

// remove deletes messages of the log.
func (w *world) remove(sequences ...uint64) {
	w.t.Helper()
	for _, seq := range sequences {
		require.NoError(w.t, w.stream().DeleteMsg(w.t.Context(), seq))
	}
}

// total sums what the stored states say of all partitions.
type total struct{ counted, duplicates, rejected, generation uint64 }

func (w *world) total() total {
	var sum total
	for p := range w.partitions {
		head, _, err := w.store.Read(context.Background(), p)
		require.NoError(w.t, err)
		state, err := fold.DecodeState(head.State)
		require.NoError(w.t, err)
		sum.counted += state.Counted
		sum.duplicates += state.Duplicates
		sum.rejected += state.Rejected
		sum.generation = max(sum.generation, head.Generation)
	}
	return sum
}

// becomes waits until the stored states sum up to want.
func (w *world) becomes(want total) {
	w.t.Helper()
	if !assert.Eventually(w.t, func() bool { return w.total() == want }, patience, lookTick) {
		require.Equal(w.t, want, w.total())
	}
}

// result reads a stored account's outcome; false: the account is not there.
func (w *world) result(account string) (health.Result, bool) {
	w.t.Helper()
	key := store.AccountKey(store.Account("default", account))
	_, values, err := w.store.Read(w.t.Context(), w.log.Layout().Partition("default", account), key)
	require.NoError(w.t, err)
	if values[0] == nil {
		return health.Result{}, false
	}
	a, err := health.Decode(values[0], func(uint32) []byte { return nil })
	require.NoError(w.t, err)
	return a.Result(), true
}

// member returns a place among those that share the partitions.
func (w *world) member(name string, rules uint64) *member.Group {
	w.t.Helper()
	conn, err := w.server.Conn()
	require.NoError(w.t, err)
	w.t.Cleanup(conn.Close)
	return member.NewGroup(conn, w.log.Layout().ID, member.Beat{Name: name, Rules: rules}, slog.New(slog.DiscardHandler))
}

// join runs a service that shares the partitions with others, until stop or the end of the test.
func (w *world) join(name string, cfg Config, change ...func(*Deps)) *running {
	w.t.Helper()
	group := w.member(name, fold.Rules)
	return w.start(cfg, append([]func(*Deps){func(d *Deps) { d.Group = group }}, change...)...)
}

// running is a service under way.
type running struct {
	*Service

	t       *testing.T
	metrics *sdkmetric.ManualReader
	stop    func()
}

// deps returns what a service works with in this world.
func (w *world) deps(reader *sdkmetric.ManualReader) Deps {
	return Deps{
		Log: w.log, Store: w.store, Rejects: w.rejects, Pressure: w.pressure, Writer: w.writer, Logger: slog.New(slog.DiscardHandler),
		Tracer: noop.NewTracerProvider(), Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	}
}

// start runs a service until stop, or the end of the test.
func (w *world) start(cfg Config, change ...func(*Deps)) *running {
	w.t.Helper()
	r := &running{t: w.t, metrics: sdkmetric.NewManualReader()}
	deps := w.deps(r.metrics)
	for _, f := range change {
		f(&deps)
	}
	var err error
	r.Service, err = New(cfg, deps)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(w.t, err)
		case <-time.After(patience):
			require.Fail(w.t, "Run does not end with its context")
		}
	})
	w.t.Cleanup(r.stop)
	return r
}

// ready waits until the service is ready.
func (r *running) ready() {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.Ready() == nil }, patience, lookTick)
}

// counter returns the sum of a counter's points with an attribute; an empty key takes all.
func (r *running) counter(name, key, value string) int64 {
	r.t.Helper()
	return telemetrytest.Counter(r.t, r.metrics, name, key, value)
}

func (r *running) alarms(code string) int64 { return r.counter("hale_scoring_alarms", "code", code) }

// clock is a clock that stands still until it is set.
type clock struct{ micros atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.set(at)
	return c
}

func (c *clock) set(at time.Time) { c.micros.Store(at.UnixMicro()) }
func (c *clock) now() time.Time   { return time.UnixMicro(c.micros.Load()) }

// ids returns n ids of events, over so many accounts.
func ids(prefix string, n, accounts int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%d/%d", prefix, i%accounts, i)
	}
	return all
}
