package alertlog_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

func config(t *testing.T, js jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()

	stream, err := js.Stream(ctxOf(t), "ALERTS")
	require.NoError(t, err)

	return stream.CachedInfo().Config
}

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("makes a stream that keeps 400 days, and drops nothing for want of room", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		open(t, js, alertlog.Options{})
		c := config(t, js)
		require.Equal(t, alertlog.Retention, c.MaxAge)
		require.Equal(t, jetstream.DiscardNew, c.Discard)
		require.EqualValues(t, 8<<30, c.MaxBytes)
		require.Equal(t, jetstream.FileStorage, c.Storage)
		require.Equal(t, 1, c.Replicas)
	})

	t.Run("takes what room there is, and says when there is none", func(t *testing.T) {
		t.Parallel()

		_, js := natstest.Start(t, natsserver.Options{MaxStore: 1 << 30})
		open(t, js, alertlog.Options{})
		require.EqualValues(t, 512<<20, config(t, js).MaxBytes)

		_, js = natstest.Start(t, natsserver.Options{MaxStore: 1 << 20})
		_, err := alertlog.Open(ctxOf(t), js, alertlog.Options{})
		require.ErrorContains(t, err, "insufficient storage")
	})

	t.Run("changes the cap of an existing stream only when asked", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		for _, step := range []struct{ asked, want int64 }{{1 << 20, 1 << 20}, {0, 1 << 20}, {2 << 20, 2 << 20}} {
			open(t, js, alertlog.Options{MaxBytes: step.asked})
			require.Equal(t, step.want, config(t, js).MaxBytes)
		}
	})

	t.Run("may be done by several processes at once", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)

		var (
			group sync.WaitGroup
			errs  [5]error
		)

		for i := range errs {
			group.Go(func() { _, errs[i] = alertlog.Open(ctxOf(t), js, alertlog.Options{}) })
		}

		group.Wait()
		require.NoError(t, errors.Join(errs[:]...))
	})
}

// joined is a connection to a cluster as a process of Hale has it.
func joined(t *testing.T, c *natscluster.Cluster) jetstream.JetStream {
	t.Helper()

	conn, err := eventlog.Connect(ctxOf(t), c.URL(), nil)
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	js, err := jetstream.New(conn)
	require.NoError(t, err)

	return js
}

func TestCluster(t *testing.T) {
	t.Parallel()

	c := natscluster.Start(t, natscluster.Options{})
	logs := []*alertlog.Log{
		open(t, joined(t, c), alertlog.Options{Replicas: 3}), open(t, joined(t, c), alertlog.Options{Replicas: 3}),
	}
	require.Equal(t, 3, config(t, joined(t, c)).Replicas)

	all := records("a", 300)
	r := startReading(t, logs[0], 0)
	ended := make(chan error, len(logs))
	met := make(chan struct{})

	for i, l := range logs {
		go func() { ended <- persist(t, l, i, met) }()
	}

	for range 3 {
		<-met

		leader := c.Leader(t, "ALERTS")
		leader.Kill()
		c.Leader(t, "ALERTS")
		leader.Start(t)
		c.AwaitCurrent(t, "ALERTS")
	}

	for range logs {
		require.NoError(t, <-ended)
	}

	require.Equal(t, ids(all), follow(t, logs[1], 0), "each once, in order, though leaders were killed")
	r.requireNext(t, 1, all)
	r.requireEnd(t)

	found := 0
	_, err := logs[0].Latest(ctxOf(t), func(alertlog.Entry) error { found++; return nil })
	require.NoError(t, err)
	require.Equal(t, len(all), found)
}

// persist appends the same 300 records as others do, until all are there, and tells on the way that it has come some
// way.
func persist(t *testing.T, l *alertlog.Log, writer int, met chan<- struct{}) error {
	t.Helper()

	all, after, told := records("a", 300), uint64(0), 0

	for at := 0; at < len(all); {
		if writer == 0 && told < 3 && at >= 60*(told+1) {
			told++
			met <- struct{}{}
		}

		n := min(3+3*writer, len(all)-at)

		ctx, cancel := context.WithTimeout(ctxOf(t), patience)
		last, err := l.Append(ctx, 1, after, all[at:at+n])
		cancel()

		switch {
		case err == nil:
			at, after = at+n, last
		case !errors.Is(err, alertlog.ErrUnavailable) || ctxOf(t).Err() != nil:
			return err
		}
	}

	return nil
}
