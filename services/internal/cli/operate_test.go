package cli_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/settings"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/task"
	"hale.dev/services/query"
)

const (
	// patience bounds every wait of these tests; none is expected to take that long.
	patience = 30 * time.Second
	// The log of these tests.
	partitions, streams = 4, 2
)

// deployment is a query service on a log of its own. The test plays the scoring processes.
type deployment struct {
	log     *eventlog.Log
	alerts  *alertlog.Log
	store   *memory.Store
	tasks   *task.Board
	archive *snapshot.Archive
	address string
	key     string
	stop    func()
}

// deploy starts a deployment; snapshots are on or off.
func deploy(t *testing.T, snapshots bool) *deployment {
	t.Helper()

	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)

	conn, err := server.Conn()
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	d := &deployment{key: access.NewKey(access.RoleAdmin)}
	d.log, err = eventlog.Open(t.Context(), conn, eventlog.Options{Partitions: partitions, Streams: streams, MaxBytes: 64 << 20})
	require.NoError(t, err)
	d.tasks, err = task.Open(t.Context(), d.log.JetStream(), 1)
	require.NoError(t, err)
	d.store, err = memory.Open(memory.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.store.Close()) })

	keys, err := settings.Open(t.Context(), d.log.JetStream(), 1)
	require.NoError(t, err)
	require.NoError(t, keys.PutKey(t.Context(), settings.Key{
		Hash: access.Hash(d.key), Workspace: "home", Role: access.RoleAdmin.String(), Created: time.Now(),
	}))

	deps := query.Deps{
		Log: d.log, Store: d.store, Settings: keys, Tasks: d.tasks, Logger: slog.New(slog.DiscardHandler),
		Tracer: tracenoop.NewTracerProvider(), Meter: metricnoop.NewMeterProvider(), GRPC: anyPort(t), HTTP: anyPort(t),
	}
	d.alerts, err = alertlog.Open(t.Context(), d.log.JetStream(), alertlog.Options{MaxBytes: 64 << 20})
	require.NoError(t, err)

	deps.Alerts = d.alerts
	deps.Rejects, err = reject.Open(t.Context(), d.log.JetStream(), reject.Options{})
	require.NoError(t, err)
	deps.Keyring, err = access.Open(t.Context(), keys)
	require.NoError(t, err)

	vault, err := snapshot.Open(t.Context(), "jetstream", snapshot.OpenOptions{JetStream: d.log.JetStream()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, vault.Close()) })
	d.archive, err = snapshot.NewArchive(vault, snapshot.ArchiveOptions{Layout: d.log.Layout().ID, Dir: t.TempDir()})
	require.NoError(t, err)

	if snapshots {
		deps.Snapshots = d.archive
	}

	d.serve(t, deps)

	return d
}

func anyPort(t *testing.T) net.Listener {
	t.Helper()

	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)

	return l
}

// serve runs the query service until the test, or stop, ends it.
func (d *deployment) serve(t *testing.T, deps query.Deps) {
	t.Helper()

	service, err := query.New(query.Config{}, deps)
	require.NoError(t, err)

	d.address = deps.GRPC.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)

	go func() { ended <- service.Run(ctx) }()

	d.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(d.stop)
	require.Eventually(t, func() bool { return service.Ready() == nil }, patience, time.Millisecond)
}

// hale runs a command against the deployment.
func (d *deployment) hale(t *testing.T, stdin string, args ...string) result {
	t.Helper()

	return hale(t, stdin, append(args, "--server", d.address, "--key", d.key)...)
}

// own plays the owners of all streams until the test ends: each begins what is asked for, and lets f go on with it
// until f ends it; it gives up what is to be given up.
func (d *deployment) own(t *testing.T, f func(*task.Task)) {
	t.Helper()

	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)

	go func() {
		ended <- d.tasks.Watch(ctx, func(one task.Task) error {
			switch one.State {
			case task.Asked:
				one.State, one.Owner, one.Begun = task.Running, "scoring-1", time.Now()
			case task.Running:
				f(&one)
			case task.Aborting:
				one.State = task.Aborted
			case task.Done, task.Failed, task.Aborted:
				return nil
			}

			if err := d.tasks.Update(ctx, &one); !errors.Is(err, task.ErrChanged) {
				return err
			}

			return nil // it comes again
		})
	}()

	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// steady takes out what differs from run to run, beside what scrub does.
func (d *deployment) steady(text string) string {
	text = strings.ReplaceAll(text, d.log.Layout().ID, "LOG")

	for pattern, with := range map[string]string{
		`"task_id": ?"[A-Z2-7]{10}"`:                   `"task_id": "TASK"`,
		`\d{16}\.snapshot`:                             "MADE.snapshot",
		` +\d+( +LOG/)`:                                " SIZE$1",
		`"bytes": ?\d+`:                                `"bytes": SIZE`,
		`("(lag|lease_left)_seconds"): [\d.]+`:         "$1: SECONDS",
		` \d\.\d( {2}\d{4}-)`:                          " S.S$1",
		`(created|asked|begun|updated)_at": ?"[^"]+Z"`: `${1}_at": TIME`,
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}

	return text
}
