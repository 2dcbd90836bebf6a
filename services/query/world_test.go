package query_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/settings"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
	"hale.dev/services/internal/task"
	"hale.dev/services/query"
)

const (
	// patience bounds every wait of these tests; none is expected to take that long.
	patience = 30 * time.Second
	// home is the workspace of the tests' keys.
	home       = access.DefaultWorkspace
	partitions = 4
)

// noon is the log time at which most tests play, in microseconds.
func noon() int64 { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC).UnixMicro() }

// engines opens each kind of store.
func engines() map[string]func(tb testing.TB) store.Store {
	return map[string]func(tb testing.TB) store.Store{"memory": openMemory, "redis": openRedis}
}

func openMemory(tb testing.TB) store.Store {
	tb.Helper()

	s, err := memory.Open(memory.Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })

	return s
}

func openRedis(tb testing.TB) store.Store {
	tb.Helper()

	s, err := redis.Open(tb.Context(), redis.Options{URL: redistest.StartServer(tb).URL()})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })

	return s
}

// world is a running query service and everything around it. The test plays the scoring service.
type world struct {
	tb       testing.TB
	nats     *nats.Conn
	log      *eventlog.Log
	store    store.Store
	rejects  *reject.Stream
	alerts   *alertlog.Log
	settings *settings.Settings
	tasks    *task.Board
	service  *query.Service
	keys     map[access.Role]string
	grpc     string
	http     string
	stop     func() error

	mu    sync.Mutex
	parts map[int]*part
	sets  map[string]*scorecard.Set
}

// part is a partition as the test scores it.
type part struct {
	head     store.Head
	state    fold.State
	accounts map[string]*health.Account
}

// option changes how a world starts.
type option func(*query.Config, *query.Deps)

// prepare makes a world whose service does not run yet.
func prepare(tb testing.TB, s store.Store) *world {
	tb.Helper()

	srv, err := natsserver.Start(natsserver.Options{Dir: tb.TempDir()})
	require.NoError(tb, err)
	tb.Cleanup(srv.Shutdown)

	nc, err := srv.Conn()
	require.NoError(tb, err)
	tb.Cleanup(nc.Close)

	w := &world{
		tb: tb, nats: nc, store: s, parts: map[int]*part{}, keys: map[access.Role]string{},
		sets: map[string]*scorecard.Set{},
	}

	w.log, err = eventlog.Open(tb.Context(), nc, eventlog.Options{Partitions: partitions, MaxBytes: 64 << 20})
	require.NoError(tb, err)
	w.settings, err = settings.Open(tb.Context(), w.log.JetStream(), 1)
	require.NoError(tb, err)
	w.tasks, err = task.Open(tb.Context(), w.log.JetStream(), 1)
	require.NoError(tb, err)
	w.rejects, err = reject.Open(tb.Context(), w.log.JetStream(), reject.Options{})
	require.NoError(tb, err)

	w.alerts, err = alertlog.Open(tb.Context(), w.log.JetStream(), alertlog.Options{MaxBytes: 64 << 20})
	require.NoError(tb, err)

	for _, role := range []access.Role{access.RoleIngest, access.RoleViewer, access.RoleOperator, access.RoleAdmin} {
		w.keys[role] = w.newKey(home, role)
	}

	return w
}

// newKey makes a key of a workspace.
func (w *world) newKey(workspace string, role access.Role) string {
	w.tb.Helper()

	key := access.NewKey(role)
	require.NoError(w.tb, w.settings.PutKey(w.tb.Context(), settings.Key{
		Hash: access.Hash(key), Workspace: workspace, Role: role.String(), Created: time.Now(),
	}))

	if w.service != nil { // it hears of keys a moment later
		require.Eventually(w.tb, func() bool {
			_, err := w.health().GetHealth(withKey(w.tb.Context(), key), &healthv1.GetHealthRequest{AccountId: "nobody"})

			return status.Code(err) != codes.Unauthenticated
		}, patience, time.Millisecond)
	}

	return key
}

// start runs the service and waits until it is ready.
func start(tb testing.TB, s store.Store, options ...option) *world {
	tb.Helper()

	w := prepare(tb, s)
	w.run(options...)
	require.Eventually(tb, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

	return w
}

// beside returns another query process of the same world, which is not running yet.
func (w *world) beside() *world {
	return &world{
		tb: w.tb, nats: w.nats, log: w.log, store: w.store, rejects: w.rejects, settings: w.settings, tasks: w.tasks,
		alerts: w.alerts, keys: w.keys,
	}
}

func (w *world) run(options ...option) {
	w.tb.Helper()

	keyring, err := access.Open(w.tb.Context(), w.settings)
	require.NoError(w.tb, err)

	cfg := query.Config{}
	deps := query.Deps{
		Log: w.log, Store: w.store, Rejects: w.rejects, Settings: w.settings, Keyring: keyring, Tasks: w.tasks,
		Alerts: w.alerts,
		Logger: slog.New(slog.DiscardHandler), Tracer: tracenoop.NewTracerProvider(),
		Meter: metricnoop.NewMeterProvider(), GRPC: listen(w.tb), HTTP: listen(w.tb),
	}

	for _, o := range options {
		o(&cfg, &deps)
	}

	w.grpc, w.http = deps.GRPC.Addr().String(), deps.HTTP.Addr().String()
	w.service, err = query.New(cfg, deps)
	require.NoError(w.tb, err)

	ctx, cancel := context.WithCancel(context.WithoutCancel(w.tb.Context()))
	ended := make(chan error, 1)

	go func() { ended <- w.service.Run(ctx) }()

	w.stop = sync.OnceValue(func() error {
		cancel()

		return <-ended
	})
	w.tb.Cleanup(func() { require.NoError(w.tb, w.stop()) })
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()

	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)

	return l
}

// withKey is a context whose calls carry a key.
func withKey(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
}

// as is a context whose calls carry the key of a role.
func (w *world) as(role access.Role) context.Context { return withKey(w.tb.Context(), w.keys[role]) }

func (w *world) dial() *grpc.ClientConn {
	w.tb.Helper()

	conn, err := grpc.NewClient(w.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(w.tb, err)
	w.tb.Cleanup(func() { require.NoError(w.tb, conn.Close()) })

	return conn
}

func (w *world) health() healthv1.HealthServiceClient {
	return healthv1.NewHealthServiceClient(w.dial())
}

func (w *world) alert() alertv1.AlertServiceClient { return alertv1.NewAlertServiceClient(w.dial()) }

func (w *world) admin() adminv1.AdminServiceClient { return adminv1.NewAdminServiceClient(w.dial()) }

// part returns a partition, claimed. The lock is held.
func (w *world) part(n int) *part {
	w.tb.Helper()

	if w.parts[n] == nil {
		head, err := w.store.Claim(w.tb.Context(), n, store.Lease{})
		require.NoError(w.tb, err)

		w.parts[n] = &part{head: head, accounts: map[string]*health.Account{}}
	}

	return w.parts[n]
}

// stay is the sequence of a commit that leaves the cursor where it is.
const stay = math.MaxUint64

// score plays the scoring service: it applies events of an account at a log time, evaluates it and commits, with
// the cursor at a sequence (0: the next).
func (w *world) score(workspace, account string, logTime int64, sequence uint64, events ...*eventv1.Event) {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()

	n := w.log.Layout().Partition(workspace, account)
	p := w.part(n)
	id := store.Account(workspace, account)
	c := &store.Commit{}

	a := p.accounts[id]
	if a == nil {
		a = health.New()
		p.accounts[id] = a
		a.Begin(health.DayOf(logTime))
		p.state.Accounts++
		chunk := append(binary.AppendUvarint(nil, uint64(len(id))), id...)
		c.Append = append(c.Append, store.Entry{
			Key: store.AccountsKey((p.state.Accounts - 1) / fold.ChunkSize), Value: chunk,
		})
	}

	set := w.set(workspace)
	rows := map[string][]byte{}
	a.Roll(health.DayOf(logTime), set, func(r health.Row) {
		key := store.HistoryKey(id, fold.EraOf(r.Day))
		rows[key] = health.AppendRow(rows[key], r)
	})

	for key, value := range rows {
		c.Append = append(c.Append, store.Entry{Key: key, Value: value})
	}

	for _, e := range events {
		require.Nil(w.tb, a.Apply(e, logTime))
	}

	a.Evaluate(set)

	main := a.Encode(
		func(part uint32, value []byte) {
			c.Put = append(c.Put, store.Entry{Key: store.PartKey(id, part), Value: value})
		},
		func(part uint32) { c.Delete = append(c.Delete, store.PartKey(id, part)) },
	)
	c.Put = append(c.Put, store.Entry{Key: store.AccountKey(id), Value: main})
	c.Changed = []string{id}

	w.commit(n, c, logTime, sequence)
}

// set is the set in force for a workspace. The lock is held.
func (w *world) set(workspace string) *scorecard.Set {
	if set := w.sets[workspace]; set != nil {
		return set
	}

	return scorecard.Shipped()
}

// commit writes a commit. The lock is held.
func (w *world) commit(n int, c *store.Commit, logTime int64, sequence uint64) {
	w.tb.Helper()

	p := w.part(n)
	p.state.LogTime = max(p.state.LogTime, logTime)

	switch sequence {
	case 0:
		sequence = p.head.Cursor + 1
	case stay:
		sequence = p.head.Cursor
	}

	c.Partition, c.Epoch, c.Generation, c.From = n, p.head.Epoch, p.head.Generation, p.head.Cursor
	c.Cursor, c.State = sequence, p.state.Encode()
	require.NoError(w.tb, w.store.Commit(w.tb.Context(), c))

	p.head.Cursor = sequence
}

// tick lets time pass in all partitions, without any account.
func (w *world) tick(logTime int64) {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()

	for n := range partitions {
		w.commit(n, &store.Commit{}, logTime, 0)
	}
}

// setScorecards plays the scoring service at a SetScorecards record in every partition.
func (w *world) setScorecards(workspace string, version uint64, document []byte, sequences map[int]uint64) {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()

	set, err := scorecard.Parse(document)
	require.NoError(w.tb, err)

	set.Version = version
	w.sets[workspace] = set

	for n := range partitions {
		p := w.part(n)
		p.state.Sets = []fold.SetVersion{{Workspace: workspace, Version: version}}
		w.commit(n, &store.Commit{
			Put: []store.Entry{
				{Key: store.ScorecardsKey(workspace), Value: document},
				{Key: store.ScorecardsVersionKey(workspace, version), Value: document},
			},
		}, noon(), sequences[n])
	}
}

// write writes an event into the log and returns its token, partition and sequence.
func (w *world) write(writer *eventlog.Writer, account string) (token string, partition int, sequence uint64) {
	w.tb.Helper()

	return w.writeEvent(writer, used(account))
}

// writeEvent is write of any event.
func (w *world) writeEvent(writer *eventlog.Writer, e *eventv1.Event) (token string, partition int, sequence uint64) {
	w.tb.Helper()

	n := w.log.Layout().Partition(home, e.GetAccountId())
	t, err := writer.Write(w.tb.Context(), []eventlog.Item{{Partition: n, Record: &logv1.Record{
		Workspace: home, Payload: &logv1.Record_Event{Event: e},
	}}})
	require.NoError(w.tb, err)
	t.Each(func(p int, s uint64) { partition, sequence = p, s })

	return t.String(), partition, sequence
}

func (w *world) writer() *eventlog.Writer {
	w.tb.Helper()

	writer := w.log.NewWriter(eventlog.WriterOptions{})
	w.tb.Cleanup(func() { require.NoError(w.tb, writer.Close(context.WithoutCancel(w.tb.Context()))) })

	return writer
}

// used is a usage event by a user of the account.
func used(account string) *eventv1.Event {
	return &eventv1.Event{
		MessageId: "m", AccountId: account, UserId: "u",
		Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "report"}},
	}
}

// profiled is a profile event.
func profiled(account string, p *eventv1.Account) *eventv1.Event {
	return &eventv1.Event{MessageId: "p", AccountId: account, Body: &eventv1.Event_Account{Account: p}}
}

// requireError checks code and reason of what a caller gets, and returns the fields that are named.
func requireError(tb testing.TB, err error, code codes.Code, reason string) []string {
	tb.Helper()

	st, ok := status.FromError(err)
	require.True(tb, ok, "%v", err)
	require.Equal(tb, code, st.Code(), st.Message())

	var (
		fields []string
		info   *errdetails.ErrorInfo
	)

	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}

	require.NotNil(tb, info, st.Message())
	require.Equal(tb, reason, info.GetReason())
	require.Equal(tb, "hale", info.GetDomain())

	return fields
}

// accountID names the accounts of a test.
func accountID(i int) string { return fmt.Sprintf("account-%03d", i) }
