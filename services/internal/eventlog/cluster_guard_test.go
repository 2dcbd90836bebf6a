package eventlog_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
)

func TestClusterGuards(t *testing.T) {
	t.Parallel()

	c := natscluster.Start(t, natscluster.Options{})
	log := openCluster(t, c, eventlog.Options{MaxBytes: 1 << 30})
	write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 3)

	t.Run("a message is found whoever leads and answers", func(t *testing.T) {
		want, err := log.MessageAt(ctxOf(t), 0, 3)
		require.NoError(t, err)

		for range 3 {
			leader := c.Leader(t, "EVENTS")
			leader.Stop()
			c.Leader(t, "EVENTS")

			var got eventlog.Message

			require.Eventually(t, func() bool {
				got, err = log.MessageAt(ctxOf(t), 0, 3)

				return err == nil
			}, patience, often)
			require.Equal(t, want.Hash(), got.Hash())
			require.Equal(t, want.Time, got.Time)

			_, err = log.MessageAt(ctxOf(t), 0, 4)
			require.ErrorIs(t, err, eventlog.ErrNoMessage)

			info, err := log.Info(ctxOf(t), 0)
			require.NoError(t, err)
			require.Equal(t, uint64(3), info.Last)
			leader.Start(t)
			c.AwaitCurrent(t, "EVENTS")
		}
	})

	t.Run("a stream made again is not taken for the log", func(t *testing.T) {
		r := startReading(t, log, 1)
		for seq := range uint64(3) {
			r.take(t, seq+1)
		}

		remake(t, log)
		require.ErrorIs(t, r.end(t), eventlog.ErrStreamGone)

		_, err := eventlog.Open(ctxOf(t), join(t, c), eventlog.Options{})
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
	})

	t.Run("nor is one that is gone", func(t *testing.T) {
		require.NoError(t, log.JetStream().DeleteStream(ctxOf(t), "EVENTS"))
		require.ErrorIs(t, log.Read(ctxOf(t), 0, 1, nil), eventlog.ErrStreamGone)

		_, err := eventlog.Open(ctxOf(t), join(t, c), eventlog.Options{})
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
	})
}

// All nodes come back with older copies of their files: what a reader has seen is lost.
func TestClusterLostTail(t *testing.T) {
	t.Parallel()

	for name, rewritten := range map[string]int{
		"and is shorter than what was read":              0,
		"and has been written anew beyond what was read": 5,
	} {
		t.Run("the log lost its tail "+name, func(t *testing.T) {
			t.Parallel()

			c := natscluster.Start(t, natscluster.Options{})
			log := openCluster(t, c, eventlog.Options{MaxBytes: 1 << 30})
			write(t, newWriter(t, log, eventlog.WriterOptions{}), "old", 3)
			c.Stop(c.Nodes()...)

			var saved []string
			for _, n := range c.Nodes() {
				saved = append(saved, n.Save(t))
			}

			c.StartNodes(t, c.Nodes()...)
			write(t, newWriter(t, log, eventlog.WriterOptions{}), "lost", 2)

			var hold atomic.Bool

			release := make(chan struct{})
			seen := make(chan uint64, 100)
			result := make(chan error, 1)

			go func() {
				result <- log.Read(ctxOf(t), 0, 1, func(m *eventlog.Message) error {
					seen <- m.Sequence
					if m.Sequence == 5 && hold.CompareAndSwap(false, true) {
						<-release // until the cluster has changed behind the reader
					}

					return nil
				})
			}()

			for want := uint64(1); want <= 5; want++ {
				require.Equal(t, want, <-seen)
			}

			c.Stop(c.Nodes()...)

			for i, n := range c.Nodes() {
				n.Restore(t, saved[i])
			}

			c.StartNodes(t, c.Nodes()...)
			c.AwaitLeader(t)
			write(t, newWriter(t, log, eventlog.WriterOptions{AckTimeout: patience}), "new", rewritten)
			close(release)
			require.ErrorIs(t, <-result, eventlog.ErrLostTail)
			require.Empty(t, seen)
		})
	}
}
