package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// join connects to a cluster as a process of Hale does.
func join(t testing.TB, c *natscluster.Cluster) *nats.Conn {
	t.Helper()

	conn, err := eventlog.Connect(ctxOf(t), c.URL(), nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	return conn
}

func openCluster(t testing.TB, c *natscluster.Cluster, o eventlog.Options) *eventlog.Log {
	t.Helper()

	o.Replicas = 3
	log, err := eventlog.Open(ctxOf(t), join(t, c), o)
	require.NoError(t, err)

	return log
}

// requireSpread fails if a node leads more than one stream more than another does.
func requireSpread(t testing.TB, log *eventlog.Log, streams int) {
	t.Helper()

	var leads map[string]int

	require.Eventually(t, func() bool {
		var err error
		leads, err = log.Leaders(ctxOf(t))
		sum, least, most := 0, streams, 0

		for _, n := range leads {
			sum, least, most = sum+n, min(least, n), max(most, n)
		}

		return err == nil && len(leads) == 3 && sum == streams && most-least <= 1
	}, patience, 20*time.Millisecond, "%v", &leads)
	t.Logf("leads by server: %v", leads)
}

func TestClusterOpen(t *testing.T) {
	t.Parallel()

	t.Run("several processes start at once, and the leads are spread", func(t *testing.T) {
		t.Parallel()

		c := natscluster.Start(t, natscluster.Options{})

		const openers, streams = 5, 8

		var (
			group sync.WaitGroup
			logs  [openers]*eventlog.Log
			errs  [openers]error
		)

		for i := range openers {
			conn := join(t, c)

			group.Go(func() {
				logs[i], errs[i] = eventlog.Open(ctxOf(t), conn, eventlog.Options{
					Partitions: 16, Streams: streams, Replicas: 3, MaxBytes: 8 << 30,
				})
			})
		}

		group.Wait()
		require.NoError(t, errors.Join(errs[:]...))

		for _, log := range logs {
			require.Equal(t, logs[0].Layout(), log.Layout())
		}

		requireSpread(t, logs[0], streams)

		again := openCluster(t, c, eventlog.Options{})
		require.Equal(t, logs[0].Layout(), again.Layout())

		// Leads that fell to the nodes left are spread again when the third is back.
		gone := c.Nodes()[0]
		gone.Stop()
		require.Eventually(t, func() bool {
			leads, err := again.Leaders(ctxOf(t))

			return err == nil && leads[gone.Name()] == 0
		}, patience, 20*time.Millisecond)
		gone.Start(t)
		c.AwaitLeader(t)

		for i := range streams {
			c.AwaitCurrent(t, "EVENTS_"+strconv.Itoa(i))
		}

		require.Eventually(t, func() bool {
			_, err := again.Spread(ctxOf(t))

			return err == nil
		}, patience, 20*time.Millisecond)
		requireSpread(t, again, streams)

		moved, err := again.Spread(ctxOf(t))
		require.NoError(t, err)
		require.Zero(t, moved)
	})

	t.Run("waits for a leader, and for the nodes that its replicas need", func(t *testing.T) {
		t.Parallel()

		c := natscluster.Start(t, natscluster.Options{})
		c.Stop(c.Nodes()[1:]...)

		conn := join(t, c)
		out := &telemetrytest.Buffer{}
		opened := make(chan error, 1)

		go func() {
			_, err := eventlog.Open(ctxOf(t), conn, eventlog.Options{
				Streams: 2, Replicas: 3, Logger: slog.New(slog.NewTextHandler(out, nil)),
			})
			opened <- err
		}()

		require.Eventually(t, func() bool { return strings.Contains(out.String(), "does not answer yet") }, patience, 10*time.Millisecond)
		require.Empty(t, opened)
		c.StartNodes(t, c.Nodes()[1:]...)
		require.NoError(t, <-opened)
	})

	t.Run("takes what room the nodes have", func(t *testing.T) {
		t.Parallel()

		c := natscluster.Start(t, natscluster.Options{MaxStore: 6 << 30})
		log := openCluster(t, c, eventlog.Options{Streams: 2})
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 1)

		for i := range 2 {
			info, err := log.Info(ctxOf(t), i)
			require.NoError(t, err)
			// Nodes hear late of what others have reserved: so only each by itself is sure to fit.
			require.LessOrEqual(t, info.MaxBytes, int64(4<<30))
		}

		c.Stop(c.Nodes()...)
		c.StartNodes(t, c.Nodes()...)
		require.Equal(t, log.Layout(), openCluster(t, c, eventlog.Options{}).Layout())
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "again", 1)
		require.Len(t, readAll(t, log, 0, 1), 2)
	})

	t.Run("says when there is no room", func(t *testing.T) {
		t.Parallel()

		c := natscluster.Start(t, natscluster.Options{MaxStore: 1 << 30})
		_, err := eventlog.Open(ctxOf(t), join(t, c), eventlog.Options{MaxBytes: 2 << 30, Replicas: 3})
		require.ErrorContains(t, err, "insufficient storage")
	})

	t.Run("gives up with its context", func(t *testing.T) {
		t.Parallel()

		c := natscluster.Start(t, natscluster.Options{})
		c.Stop(c.Nodes()[1:]...)

		conn := join(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()

		_, err := eventlog.Open(ctx, conn, eventlog.Options{Replicas: 3})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// traffic is writers that retry, and readers that follow, over all that happens to a cluster.
type traffic struct {
	log     *eventlog.Log
	writer  *eventlog.Writer
	streams int
	readers []*reading
	calls   []int // written by each writer
	perCall int

	stop    chan struct{}
	group   sync.WaitGroup
	acked   atomic.Int64
	retries atomic.Int64
	longest atomic.Int64 // of one call, nanoseconds
}

const trafficWriters = 4

func startTraffic(t testing.TB, log *eventlog.Log, o eventlog.WriterOptions) *traffic {
	t.Helper()

	tr := &traffic{
		log: log, writer: newWriter(t, log, o), streams: log.Layout().Streams,
		calls: make([]int, trafficWriters), perCall: 20, stop: make(chan struct{}),
	}

	for i := range tr.streams {
		tr.readers = append(tr.readers, startReadingOf(t, log, i, 1))
	}

	for id := range trafficWriters {
		tr.group.Go(func() { tr.write(id) })
	}

	return tr
}

func (tr *traffic) write(id int) {
	for ; ; tr.calls[id]++ {
		select {
		case <-tr.stop:
			return
		default:
		}

		prefix := fmt.Sprintf("w%d/%d", id, tr.calls[id])

		var all []eventlog.Item
		for p := range tr.log.Layout().Partitions {
			all = append(all, items(p, prefix, tr.perCall)...)
		}

		for {
			began := time.Now()
			_, err := tr.writer.Write(context.Background(), all)
			tr.longest.Store(max(tr.longest.Load(), int64(time.Since(began))))

			if err == nil {
				break
			}

			tr.retries.Add(1)
		}

		tr.acked.Add(1)
	}
}

// goOn waits until n more calls are acknowledged, and returns how long the first of them took to come.
func (tr *traffic) goOn(t testing.TB, n int64) time.Duration {
	t.Helper()

	began, goal := time.Now(), tr.acked.Load()+trafficWriters+1 // those under way may have been answered already

	require.Eventually(t, func() bool { return tr.acked.Load() >= goal }, patience, time.Millisecond)

	first := time.Since(began)

	require.Eventually(t, func() bool { return tr.acked.Load() >= goal+n }, patience, time.Millisecond)

	return first
}

// end stops the writers and checks: each acknowledged call is in the log of every partition, complete and in order,
// and the readers got what the log holds, each message once.
func (tr *traffic) end(t testing.TB) {
	t.Helper()
	close(tr.stop)
	tr.group.Wait()
	t.Logf("%d calls, %d retries, longest %s", tr.acked.Load(), tr.retries.Load(), time.Duration(tr.longest.Load()))

	found := map[string]int{} // partition:call, records seen in order
	calls := map[string]int{} // partition:writer, the latest call seen to begin

	for stream := range tr.streams {
		for i, m := range readAll(t, tr.log, stream, 1) {
			require.NoError(t, m.Err)
			require.Equal(t, uint64(i+1), m.Sequence)
			require.Equal(t, m.Hash(), tr.readers[stream].take(t, m.Sequence).Hash())
			tr.account(t, m, found, calls)
		}

		tr.readers[stream].stop()
		require.ErrorIs(t, tr.readers[stream].end(t), context.Canceled)
		require.Empty(t, tr.readers[stream].seen)
	}

	for id, n := range tr.calls {
		for call := range n {
			for p := range tr.log.Layout().Partitions {
				key := fmt.Sprintf("%d:w%d/%d", p, id, call)
				require.Equal(t, tr.perCall, found[key], key)
			}
		}
	}
}

// account follows the records of a message. A repetition may begin anew, but nothing may be skipped.
func (tr *traffic) account(t testing.TB, m *eventlog.Message, found, calls map[string]int) {
	t.Helper()

	for _, id := range ids(m.Records) {
		name, number, _ := strings.Cut(id, "-")
		n, err := strconv.Atoi(number)
		require.NoError(t, err)

		key := fmt.Sprintf("%d:%s", m.Partition, name)
		require.LessOrEqual(t, n, found[key], "%s: record %d comes too early", key, n)

		if n == found[key] {
			found[key]++
		}

		writer, call, _ := strings.Cut(name, "/")
		c, err := strconv.Atoi(call)
		require.NoError(t, err)

		by := fmt.Sprintf("%d:%s", m.Partition, writer)
		require.LessOrEqual(t, c, calls[by]+1, "%s: call %d comes too early", by, c)
		calls[by] = max(calls[by], c)
	}
}

func TestClusterFaults(t *testing.T) {
	t.Parallel()

	c := natscluster.Start(t, natscluster.Options{})
	log := openCluster(t, c, eventlog.Options{Partitions: 4, Streams: 4, MaxBytes: 4 << 30})
	tr := startTraffic(t, log, eventlog.WriterOptions{AckTimeout: 10 * time.Second})
	tr.goOn(t, 20)

	whole := func() {
		for i := range 4 {
			c.AwaitCurrent(t, "EVENTS_"+strconv.Itoa(i))
		}
	}

	t.Run("a leader that ends in order", func(t *testing.T) {
		leader := c.Leader(t, "EVENTS_0")
		leader.Stop()
		t.Logf("writes go on after %s", tr.goOn(t, 20))
		leader.Start(t)
		whole()
	})

	t.Run("a leader that is killed", func(t *testing.T) {
		leader := c.Leader(t, "EVENTS_1")
		leader.Kill()
		t.Logf("writes go on after %s", tr.goOn(t, 20))
		leader.Start(t)
		whole()
	})

	t.Run("a leader that freezes, and comes back believing it leads", func(t *testing.T) {
		leader := c.Leader(t, "EVENTS_2")
		leader.Freeze()
		t.Logf("writes go on after %s", tr.goOn(t, 20))
		leader.Rejoin()
		tr.goOn(t, 20)
		whole()
	})

	t.Run("a node whose disk is lost", func(t *testing.T) {
		node := c.Nodes()[0]
		node.Kill()
		node.Wipe(t)
		tr.goOn(t, 20)
		node.Start(t)
		whole()
		tr.goOn(t, 20)
	})

	t.Run("no quorum", func(t *testing.T) {
		c.Nodes()[0].Kill()
		c.Nodes()[2].Kill()

		failed := tr.retries.Load()
		require.Eventually(t, func() bool { return tr.retries.Load() >= failed+trafficWriters }, patience, time.Millisecond,
			"writes without a quorum fail")

		require.Eventually(t, func() bool {
			_, err := log.Info(ctxOf(t), 0)

			return errors.Is(err, eventlog.ErrUnavailable)
		}, patience, often, "a server without a quorum does not pass for the log")

		before := tr.acked.Load()

		c.StartNodes(t, c.Nodes()[0])
		t.Logf("writes go on %s after the quorum is back", tr.goOn(t, 20))
		require.Greater(t, tr.acked.Load(), before)
		c.StartNodes(t, c.Nodes()[2])
		whole()
	})

	require.Less(t, time.Duration(tr.longest.Load()), 15*time.Second, "every call is answered in time")
	tr.end(t)
}
