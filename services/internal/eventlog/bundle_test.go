package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
)

// patience bounds every wait of a test.
const (
	patience = 2 * time.Minute
	// often is how often a test looks.
	often = 10 * time.Millisecond
)

// bundle is an embedded server and what tests need of it.
type bundle struct {
	server *natsserver.Server
	conn   *nats.Conn
}

func newBundle(t testing.TB, o natsserver.Options) *bundle {
	t.Helper()

	if o.Dir == "" {
		o.Dir = t.TempDir()
	}

	server, err := natsserver.Start(o)
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)

	return &bundle{server: server, conn: connect(t, server)}
}

func connect(t testing.TB, server *natsserver.Server) *nats.Conn {
	t.Helper()

	conn, err := server.Conn()
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	return conn
}

func (b *bundle) open(t testing.TB, o eventlog.Options) *eventlog.Log {
	t.Helper()

	log, err := eventlog.Open(ctxOf(t), b.conn, o)
	require.NoError(t, err)

	return log
}

// openLog is a log of its own server.
func openLog(t testing.TB, o eventlog.Options) *eventlog.Log {
	t.Helper()

	return newBundle(t, natsserver.Options{}).open(t, o)
}

func newWriter(t testing.TB, log *eventlog.Log, o eventlog.WriterOptions) *eventlog.Writer {
	t.Helper()

	w := log.NewWriter(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, w.Close(ctx))
	})

	return w
}

// ctxOf ends with the test, or when its patience does.
func ctxOf(t testing.TB) context.Context {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)

	return ctx
}

// record is a usage event of an account.
func record(account, id string) *logv1.Record {
	return &logv1.Record{
		Workspace: "default", Origin: "native",
		Payload: &logv1.Record_Event{Event: &eventv1.Event{
			MessageId: id, AccountId: account, UserId: "user-" + account,
			OccurredAt: timestamppb.New(time.Unix(1_700_000_000, 0)),
			Body:       &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "export of quarterly reports"}},
		}},
	}
}

// items are n records for one partition, with ids prefix-0 to prefix-(n-1).
func items(partition int, prefix string, n int) []eventlog.Item {
	all := make([]eventlog.Item, n)
	for i := range all {
		all[i] = eventlog.Item{Partition: partition, Record: record("acme", fmt.Sprintf("%s-%d", prefix, i))}
	}

	return all
}

func ids(records []*logv1.Record) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = r.GetEvent().GetMessageId()
	}

	return all
}

// readAll reads a stream from a sequence to its present end.
func readAll(t testing.TB, log *eventlog.Log, stream int, from uint64) []*eventlog.Message {
	t.Helper()

	info, err := log.Info(ctxOf(t), stream)
	require.NoError(t, err)

	var all []*eventlog.Message
	if info.Last < max(from, info.First) {
		return all
	}

	err = log.Read(ctxOf(t), stream, from, func(m *eventlog.Message) error {
		all = append(all, m)
		if m.Sequence >= info.Last {
			return errEnough
		}

		return nil
	})
	require.ErrorIs(t, err, errEnough)

	return all
}

var errEnough = fmt.Errorf("read enough")
