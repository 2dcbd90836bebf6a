package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/settings"
	"hale.dev/services/internal/telemetry/telemetrytest"
	"hale.dev/services/notify"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

const (
	workspace = "w"
	// patience bounds every wait of these tests; none is expected to take that long.
	patience = 60 * time.Second
)

// world is a server with all streams, and receivers that note what they are sent.
type world struct {
	t        *testing.T
	js       jetstream.JetStream
	alerts   *alertlog.Log
	journal  *delivery.Stream
	settings *settings.Settings
	last     uint64
	clock    *fast
	inbox    *inbox
	config   notify.Config
	metrics  *sdkmetric.ManualReader
	meter    *sdkmetric.MeterProvider
	log      *telemetrytest.Buffer
}

const document = `
kind: receivers
receivers:
  - {name: chat, kind: webhook, settings: {url: "https://chat.example.com/x", secrets: ["file:key"]}}
  - {name: page, kind: webhook, settings: {url: "https://page.example.com/x", secrets: ["file:key"]}, rate: 6000}
routes:
  - {matchers: ['severity="critical"'], receivers: [page], continue: true, group_by: [account], group_wait: 1s, group_interval: 1s}
  - {matchers: ['severity=~".+"'], receivers: [chat], group_by: [owner]}
`

func newWorld(t *testing.T) *world {
	t.Helper()

	return newWorldOn(t, natstest.JetStream(t))
}

func newWorldOn(t *testing.T, js jetstream.JetStream) *world {
	t.Helper()

	w := &world{
		t: t, js: js, clock: newFast(5000), inbox: &inbox{}, config: notify.Config{Pause: time.Second, Drain: time.Millisecond},
		metrics: sdkmetric.NewManualReader(), log: &telemetrytest.Buffer{},
	}

	w.meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(w.metrics))

	var err error
	w.alerts, err = alertlog.Open(t.Context(), js, alertlog.Options{})
	require.NoError(t, err)
	w.journal, err = delivery.Open(t.Context(), js, delivery.Options{})
	require.NoError(t, err)
	w.settings, err = settings.Open(t.Context(), js, 0)
	require.NoError(t, err)
	w.apply(document)

	return w
}

func (w *world) apply(document string) {
	_, err := receiver.Parse([]byte(document))
	require.NoError(w.t, err)
	_, err = w.settings.Receivers().Put(w.t.Context(), workspace, []byte(document))
	require.NoError(w.t, err)
}

// deps are those of a process that leads at once, and sends to the inbox.
func (w *world) deps() notify.Deps {
	return notify.Deps{
		Alerts: w.alerts, Journal: w.journal, Settings: w.settings, Leader: alone{}, Clock: w.clock,
		Senders: func(r *receiver.Receiver) (sender.Sender, error) { return w.inbox.of(r.Name), nil },
		Logger:  slog.New(slog.NewTextHandler(io.MultiWriter(w.log, w.t.Output()), nil)),
		Meter:   w.meter,
	}
}

// run runs a service until stop is called.
func (w *world) run(d notify.Deps) (stop func(), ready func() error) {
	s, err := notify.New(w.config, d)
	require.NoError(w.t, err)

	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)

	go func() { done <- s.Run(ctx) }()

	return sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-done)
	}), s.Ready
}

func (w *world) append(records ...*logv1.AlertRecord) {
	last, err := w.alerts.Append(w.t.Context(), 0, w.last, records)
	require.NoError(w.t, err)

	w.last = last
}

// sent is how often a receiver took a transition.
func (w *world) sent(receiver, transition string) int {
	n := 0

	for _, one := range w.inbox.all() {
		for _, t := range one.n.Alerts {
			if one.receiver == receiver && t.GetTransitionId() == transition {
				n++
			}
		}
	}

	return n
}

// settled waits until all alerts are decided and nothing waits any more.
func (w *world) settled() map[string]delivery.Record {
	w.t.Helper()

	var found map[string]delivery.Record

	require.Eventually(w.t, func() bool {
		found = w.records()

		return w.isSettled(found)
	}, patience, 20*time.Millisecond)

	return found
}

// isSettled tells whether all alerts are decided and nothing waits any more.
func (w *world) isSettled(found map[string]delivery.Record) bool {
	if c, ok := found["cursor"].(*delivery.Cursor); !ok || c.Sequence < w.last {
		return false
	}

	for _, r := range found {
		d, ok := r.(*delivery.Delivery)
		if !ok || d.Skipped != "" {
			continue
		}

		if n, ok := found[d.Notice].(*delivery.Notice); !ok || !n.Status.Over() {
			return false
		}
	}

	return true
}

// records are all records by name.
func (w *world) records() map[string]delivery.Record {
	found := map[string]delivery.Record{}

	require.NoError(w.t, w.journal.Load(w.t.Context(), func(e delivery.Entry) error {
		switch r := e.Record.(type) {
		case *delivery.Delivery:
			found[r.Receiver+"/"+r.TransitionID()] = r
		case *delivery.Notice:
			found[r.ID] = r
		case *delivery.Cursor:
			found["cursor"] = r
		}

		return nil
	}))

	return found
}

// alone leads.
type alone struct{}

func (alone) Lead(ctx context.Context, f func(context.Context) error) error { return f(ctx) }

// fast is a clock that runs faster than that of the machine.
type fast struct {
	start time.Time
	times int64
}

func newFast(times int64) *fast { return &fast{start: time.Now(), times: times} }

func (f *fast) Now() time.Time {
	return f.start.Add(time.Duration(int64(time.Since(f.start)) * f.times))
}

func (f *fast) AfterFunc(d time.Duration, call func()) (stop func() bool) {
	return time.AfterFunc(time.Duration(int64(d)/f.times), call).Stop
}

// inbox notes what receivers take.
type inbox struct {
	mu    sync.Mutex
	taken []taken
	// before is asked before something is taken, after afterwards; nil: nobody.
	before, after func(ctx context.Context, receiver string, n *sender.Notification) error
}

type taken struct {
	receiver string
	n        *sender.Notification
}

type box struct {
	inbox *inbox
	name  string
}

func (i *inbox) of(name string) sender.Sender { return box{i, name} }

func (b box) Send(ctx context.Context, n *sender.Notification) error {
	if f := b.inbox.before; f != nil {
		if err := f(ctx, b.name, n); err != nil {
			return err
		}
	}

	b.inbox.mu.Lock()
	b.inbox.taken = append(b.inbox.taken, taken{b.name, n})
	b.inbox.mu.Unlock()

	if f := b.inbox.after; f != nil {
		return f(ctx, b.name, n)
	}

	return nil
}

func (i *inbox) all() []taken {
	i.mu.Lock()
	defer i.mu.Unlock()

	return append([]taken(nil), i.taken...)
}

// transition makes one of an alert.
func transition(alert string, revision uint32, kind alertv1.Transition_Kind, severity alertv1.Severity) *logv1.AlertRecord {
	return &logv1.AlertRecord{Workspace: workspace, Transition: &alertv1.Transition{
		TransitionId: fmt.Sprintf("%s-%d", alert, revision), Kind: kind, At: timestamppb.Now(), Alert: &alertv1.Alert{
			AlertId: alert, Revision: revision, Rule: "inactive", Severity: severity, AccountId: alert,
			Subject: &alertv1.Subject{Owner: "ann"}, FireTime: timestamppb.New(time.Unix(int64(len(alert)), 0)),
		},
	}}
}

// lives makes lives of alerts up: each fires, some escalate, most are resolved.
func lives(random *rand.Rand, alerts int) []*logv1.AlertRecord {
	var all []*logv1.AlertRecord

	for i := range alerts {
		severity, revision := alertv1.Severity(1+random.IntN(3)), uint32(0)
		add := func(kind alertv1.Transition_Kind) {
			revision++
			all = append(all, transition(fmt.Sprint("a", i), revision, kind, severity))
		}

		add(alertv1.Transition_KIND_FIRED)

		if random.IntN(3) == 0 {
			add(alertv1.Transition_KIND_ESCALATED)
		}

		if random.IntN(3) > 0 {
			add(alertv1.Transition_KIND_RESOLVED)
		}
	}

	return all
}

var errKilled = errors.New("killed")

// mortal is a journal of a process that dies after some writes.
type mortal struct {
	notify.Journal

	mu   sync.Mutex
	left int // writes
	die  func()
}

func (m *mortal) Put(ctx context.Context, writes ...delivery.Write) ([]uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.left <= 0 {
		return nil, errKilled
	}

	if len(writes) > m.left {
		_, _ = m.Journal.Put(ctx, writes[:m.left]...)
		m.left = 0
		m.die()

		return nil, errKilled
	}

	if m.left -= len(writes); m.left == 0 { // written, but nobody hears of it
		_, _ = m.Journal.Put(ctx, writes...)
		m.die()

		return nil, errKilled
	}

	return m.Journal.Put(ctx, writes...)
}

func equal(a, b *sender.Notification) bool {
	if len(a.Alerts) != len(b.Alerts) {
		return false
	}

	for i := range a.Alerts {
		if !proto.Equal(a.Alerts[i], b.Alerts[i]) {
			return false
		}
	}

	return true
}
