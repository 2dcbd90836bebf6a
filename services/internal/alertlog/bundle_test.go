package alertlog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

const (
	// patience bounds every wait of a test.
	patience = 2 * time.Minute
	often    = 5 * time.Millisecond
)

var errEnough = errors.New("read enough")

func ctxOf(t testing.TB) context.Context {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)

	return ctx
}

func open(t testing.TB, js jetstream.JetStream, o alertlog.Options) *alertlog.Log {
	t.Helper()

	l, err := alertlog.Open(ctxOf(t), js, o)
	require.NoError(t, err)

	return l
}

func newLog(t testing.TB) *alertlog.Log {
	t.Helper()

	return open(t, natstest.JetStream(t), alertlog.Options{})
}

// remake puts an empty stream in the place of ALERTS. Another stream stays meanwhile: when the last one of a server has
// gone, the server removes their folder after it answered, and a stream that is made just then fails.
func remake(t testing.TB, js jetstream.JetStream) *alertlog.Log {
	t.Helper()

	_, err := js.CreateOrUpdateStream(ctxOf(t), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other"}})
	require.NoError(t, err)
	require.NoError(t, js.DeleteStream(ctxOf(t), "ALERTS"))

	return open(t, js, alertlog.Options{})
}

// stoppable is a log over TCP whose server can be stopped, and started again on the same files.
func stoppable(t testing.TB) (l *alertlog.Log, stop, start func()) {
	t.Helper()

	return stoppableIn(t, t.TempDir())
}

// stoppableIn is stoppable with the folder of the server's files.
func stoppableIn(t testing.TB, dir string) (l *alertlog.Log, stop, start func()) {
	t.Helper()

	options := natsserver.Options{Dir: dir, Listen: true, Port: natstest.Port(t)}

	server, err := natsserver.Start(options)
	require.NoError(t, err)
	t.Cleanup(func() { server.Shutdown() })

	conn, err := nats.Connect(server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(often),
		nats.ReconnectJitter(0, 0), nats.IgnoreDiscoveredServers())
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	js, err := jetstream.New(conn)
	require.NoError(t, err)

	stop = func() {
		server.Shutdown()
		require.Eventually(t, func() bool { return !conn.IsConnected() }, patience, time.Millisecond)
	}
	start = func() {
		server, err = natsserver.Start(options)
		require.NoError(t, err)
		require.Eventually(t, conn.IsConnected, patience, time.Millisecond)
	}

	return open(t, js, alertlog.Options{}), stop, start
}

// record is the nth transition of an alert.
func record(alert string, n uint32) *logv1.AlertRecord {
	return &logv1.AlertRecord{
		Workspace: "default",
		Transition: &alertv1.Transition{
			TransitionId: fmt.Sprintf("%s-%d", alert, n), Kind: alertv1.Transition_KIND_FIRED,
			At: timestamppb.New(time.Unix(1_700_000_000, 0)),
			Alert: &alertv1.Alert{
				AlertId: alert, Revision: n, Rule: "at_risk", Summary: "The score is low, and falls", AccountId: "acme",
			},
		},
	}
}

// records are n transitions of as many alerts.
func records(prefix string, n int) []*logv1.AlertRecord {
	all := make([]*logv1.AlertRecord, n)
	for i := range all {
		all[i] = record(fmt.Sprintf("%s%d", prefix, i), 1)
	}

	return all
}

func ids(all []*logv1.AlertRecord) []string {
	found := make([]string, len(all))
	for i, r := range all {
		found[i] = r.GetTransition().GetTransitionId()
	}

	return found
}

func add(t testing.TB, l *alertlog.Log, partition int, after uint64, all ...*logv1.AlertRecord) uint64 {
	t.Helper()

	last, err := l.Append(ctxOf(t), partition, after, all)
	require.NoError(t, err)

	return last
}

// follow is the ids of the records behind a place, up to the present end.
func follow(t testing.TB, l *alertlog.Log, after uint64) []string {
	t.Helper()

	last, err := l.Last(ctxOf(t))
	require.NoError(t, err)

	found := []string{}
	if last.Sequence <= after {
		return found
	}

	err = l.Follow(ctxOf(t), alertlog.Place{Sequence: after}, func(e alertlog.Entry) error {
		found = append(found, e.Record.GetTransition().GetTransitionId())
		if e.Sequence >= last.Sequence {
			return errEnough
		}

		return nil
	})
	require.ErrorIs(t, err, errEnough)

	return found
}

// trailOf is what happened to an alert.
func trailOf(t testing.TB, l *alertlog.Log, partition int, alert string) []*logv1.AlertRecord {
	t.Helper()

	var trail []*logv1.AlertRecord

	require.NoError(t, l.Trail(ctxOf(t), partition, alert, func(r *logv1.AlertRecord) error {
		trail = append(trail, r)

		return nil
	}))

	return trail
}
