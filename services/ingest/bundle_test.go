package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/jsretry"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/settings"
)

const (
	// patience bounds every wait of these tests; none is expected to take that long.
	patience = 20 * time.Second
	// now is the arrival of every request: 2026-03-04T05:06:07Z.
	now = 1772600767_000_000
)

// bundle is a running service with everything around it.
type bundle struct {
	t testing.TB

	service    *Service
	url        string
	log        *eventlog.Log
	rejects    *reject.Stream
	directory  *directory.Directory
	settings   *settings.Settings
	deps       Deps
	ingest     string
	query      string
	admin      string
	otherSpace string
}

// newBundle starts a service on a log of its own.
func newBundle(t testing.TB, cfg Config) *bundle {
	t.Helper()

	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)

	nc, err := server.Conn()
	require.NoError(t, err)
	t.Cleanup(nc.Close)

	return newBundleOn(t, nc, eventlog.Options{Partitions: 4, MaxBytes: 1 << 30}, cfg)
}

// newBundleOn starts a service on the log behind a connection.
func newBundleOn(t testing.TB, nc *nats.Conn, o eventlog.Options, cfg Config) *bundle {
	t.Helper()

	var err error

	ctx, cancel := context.WithCancel(context.Background())
	b := &bundle{t: t}
	b.log, err = eventlog.Open(ctx, nc, o)
	require.NoError(t, err)

	b.rejects, err = reject.Open(ctx, b.log.JetStream(), reject.Options{MaxBytes: 1 << 28, Replicas: o.Replicas})
	require.NoError(t, err)

	b.directory, err = directory.Open(ctx, b.log.JetStream(), directory.Options{Replicas: o.Replicas})
	require.NoError(t, err)

	s, err := settings.Open(ctx, b.log.JetStream(), o.Replicas)
	require.NoError(t, err)

	b.settings = s

	for _, k := range []struct {
		into      *string
		workspace string
		role      access.Role
	}{
		{&b.ingest, "w", access.RoleIngest},
		{&b.query, "w", access.RoleViewer},
		{&b.admin, "w", access.RoleAdmin},
		{&b.otherSpace, "other", access.RoleIngest},
	} {
		*k.into = access.NewKey(k.role)
		require.NoError(t, jsretry.Do(ctx, nil, func(ctx context.Context) error {
			return s.PutKey(ctx, settings.Key{Hash: access.Hash(*k.into), Workspace: k.workspace, Role: k.role.String()})
		}))
	}

	keys, err := access.Open(ctx, s)
	require.NoError(t, err)

	b.deps = Deps{Log: b.log, Rejects: b.rejects, Directory: b.directory, Keyring: keys}
	b.start(ctx, cancel, cfg)

	return b
}

// start runs the service until the test ends.
func (b *bundle) start(ctx context.Context, cancel context.CancelFunc, cfg Config) {
	b.t.Helper()

	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.UnixMicro(now) }
	}

	d := b.deps
	d.HTTP, d.GRPC = loopback(b.t), loopback(b.t)

	var err error

	b.service, err = New(cfg, d)
	require.NoError(b.t, err)

	b.url = "http://" + b.service.HTTPAddr().String()

	var (
		wg     sync.WaitGroup
		failed error
	)

	wg.Go(func() { failed = b.service.Run(ctx) })
	b.t.Cleanup(func() {
		cancel()
		wg.Wait()
		b.directory.Close()

		if failed != nil {
			b.t.Error(failed)
		}
	})
	require.Eventually(b.t, func() bool { return b.service.Ready() == nil }, patience, time.Millisecond)
}

func loopback(t testing.TB) net.Listener {
	t.Helper()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	return l
}

// answerOf is any answer of the service.
type answerOf struct {
	status int
	header http.Header

	Success  *bool     `json:"success"`
	Accepted int       `json:"accepted"`
	Rejected []refused `json:"rejected"`
	Token    string    `json:"token"`
	Code     Code      `json:"code"`
	Message  string    `json:"message"`
}

// codes lists the codes of the refused events by index.
func (a *answerOf) codes() map[int]Code {
	m := make(map[int]Code)
	for _, r := range a.Rejected {
		m[r.Index] = r.Code
	}

	return m
}

// post sends a body with a key in the header; options change the request.
func (b *bundle) post(path, key, body string, options ...func(*http.Request)) *answerOf {
	b.t.Helper()

	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.url+path, bytes.NewReader([]byte(body)))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/json")

	if key != "" {
		req.SetBasicAuth(key, "")
	}

	for _, o := range options {
		o(req)
	}

	return b.do(req)
}

func (b *bundle) do(req *http.Request) *answerOf {
	b.t.Helper()

	res, err := http.DefaultClient.Do(req)
	require.NoError(b.t, err)

	defer func() { _ = res.Body.Close() }()

	data, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)

	a := &answerOf{status: res.StatusCode, header: res.Header}
	if len(data) > 0 {
		require.NoError(b.t, json.Unmarshal(data, a), "%s", data)
	}

	return a
}

// header sets a header of a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// records returns what stands in the log, in its order.
func (b *bundle) records() []*logv1.Record {
	b.t.Helper()

	info, err := b.log.Info(context.Background(), 0)
	require.NoError(b.t, err)

	var all []*logv1.Record

	for seq := info.First; seq <= info.Last; seq++ {
		m, err := b.log.MessageAt(context.Background(), 0, seq)
		require.NoError(b.t, err)
		require.NoError(b.t, m.Err)

		for _, r := range m.Records {
			if e := r.GetEvent(); e != nil {
				require.Equal(b.t, b.log.Layout().Partition(r.GetWorkspace(), e.GetAccountId()), m.Partition)
			}

			all = append(all, r)
		}
	}

	return all
}

// event returns the event in the log that has a message id; nil if there is none.
func (b *bundle) event(id string) *eventv1.Event {
	b.t.Helper()

	for _, r := range b.records() {
		if r.GetEvent().GetMessageId() == id {
			return r.GetEvent()
		}
	}

	return nil
}

// kept lists what REJECTS holds.
func (b *bundle) kept(code Code) []reject.Stored {
	b.t.Helper()

	all, _, err := b.rejects.List(context.Background(), "w", string(code), 0, 1000)
	require.NoError(b.t, err)

	return all
}

// serve calls the service's handler without a network.
func (b *bundle) serve(req *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	b.service.Handler().ServeHTTP(rec, req)

	return rec
}
