package eventlog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
)

// trimmed is a log of n messages of which those up to a sequence were trimmed.
func trimmed(t *testing.T, n int, upTo uint64) (log *eventlog.Log, removed uint64) {
	t.Helper()

	log = openLog(t, eventlog.Options{})
	write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", n)

	removed, err := log.Trim(ctxOf(t), 0, upTo)
	require.NoError(t, err)

	return log, removed
}

func requireBounds(t *testing.T, log *eventlog.Log, first, last uint64) {
	t.Helper()

	info, err := log.Info(ctxOf(t), 0)
	require.NoError(t, err)
	require.Equal(t, []uint64{first, last}, []uint64{info.First, info.Last})
}

func TestTrim(t *testing.T) {
	t.Parallel()

	t.Run("removes what is up to the sequence, and keeps the rest", func(t *testing.T) {
		t.Parallel()

		log, removed := trimmed(t, 5, 3)
		require.Equal(t, uint64(3), removed)
		requireBounds(t, log, 4, 5)

		for from := uint64(1); from <= 3; from++ {
			err := log.Read(ctxOf(t), 0, from, func(*eventlog.Message) error { return nil })
			require.ErrorIs(t, err, eventlog.ErrTrimmed)
		}

		require.Len(t, readAll(t, log, 0, 4), 2)
		require.Len(t, readAll(t, log, 0, 0), 2)

		removed, err := log.Trim(ctxOf(t), 0, 2)
		require.NoError(t, err)
		require.Zero(t, removed, "it is gone already")
	})

	t.Run("never takes the last message, so that sequences go on", func(t *testing.T) {
		t.Parallel()

		for _, upTo := range []uint64{5, 6, 1 << 62, 1<<64 - 1} {
			log, removed := trimmed(t, 5, upTo)
			require.Equal(t, uint64(4), removed)
			requireBounds(t, log, 5, 5)
			write(t, newWriter(t, log, eventlog.WriterOptions{}), "next", 1)
			requireBounds(t, log, 5, 6)
		}
	})

	t.Run("takes nothing of a log that is empty or has one message, or up to nothing", func(t *testing.T) {
		t.Parallel()

		for n := range 2 {
			_, removed := trimmed(t, n, 10)
			require.Zero(t, removed)
		}

		log, removed := trimmed(t, 3, 0)
		require.Zero(t, removed)
		requireBounds(t, log, 1, 3)
	})

	t.Run("keeps the last message that is there, if later ones were deleted", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 4)

		stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
		require.NoError(t, err)
		require.NoError(t, stream.DeleteMsg(ctxOf(t), 4))

		removed, err := log.Trim(ctxOf(t), 0, 4)
		require.NoError(t, err)
		require.Equal(t, uint64(2), removed)

		_, err = log.MessageAt(ctxOf(t), 0, 3)
		require.NoError(t, err)
	})

	t.Run("is refused by a stream that denies purges", func(t *testing.T) {
		t.Parallel()

		log, _ := trimmed(t, 3, 0)
		stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
		require.NoError(t, err)

		config := stream.CachedInfo().Config
		config.DenyPurge = true
		_, err = log.JetStream().UpdateStream(ctxOf(t), config)
		require.NoError(t, err)

		_, err = log.Trim(ctxOf(t), 0, 2)
		require.ErrorIs(t, err, eventlog.ErrTrimRefused)
		require.Equal(t, codes.FailedPrecondition, status.Code(err))
		requireBounds(t, log, 1, 3)
	})

	t.Run("knows its streams", func(t *testing.T) {
		t.Parallel()

		log, _ := trimmed(t, 1, 0)

		for _, stream := range []int{-1, 1} {
			_, err := log.Trim(ctxOf(t), stream, 1)
			require.ErrorIs(t, err, eventlog.ErrStreamGone)
			_, err = log.SequenceBefore(ctxOf(t), stream, time.Now())
			require.ErrorIs(t, err, eventlog.ErrStreamGone)
		}

		require.NoError(t, log.JetStream().DeleteStream(ctxOf(t), "EVENTS"))

		_, err := log.Trim(ctxOf(t), 0, 1)
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
		_, err = log.SequenceBefore(ctxOf(t), 0, time.Now())
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
	})

	t.Run("a reader beyond the place is not disturbed", func(t *testing.T) {
		t.Parallel()

		log, _ := trimmed(t, 5, 0)
		r := startReading(t, log, 4)
		r.take(t, 4)
		r.take(t, 5)

		_, err := log.Trim(ctxOf(t), 0, 4)
		require.NoError(t, err)
		write(t, newWriter(t, log, eventlog.WriterOptions{}), "next", 1)
		r.take(t, 6)
	})
}

func TestSequenceBefore(t *testing.T) {
	t.Parallel()

	const n = 40

	log := openLog(t, eventlog.Options{})
	before, err := log.SequenceBefore(ctxOf(t), 0, time.Now())
	require.NoError(t, err)
	require.Zero(t, before, "the log is empty")

	write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", n)

	stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
	require.NoError(t, err)

	for _, seq := range []uint64{1, 7, 8, 9, 20} { // holes
		require.NoError(t, stream.DeleteMsg(ctxOf(t), seq))
	}

	all := readAll(t, log, 0, 0)
	raw := make([]time.Time, 0, len(all))

	for _, m := range all {
		message, err := stream.GetMsg(ctxOf(t), m.Sequence)
		require.NoError(t, err)

		raw = append(raw, message.Time)
	}

	require.NoError(t, stream.DeleteMsg(ctxOf(t), n)) // the last place is empty, too
	all, raw = all[:len(all)-1], raw[:len(raw)-1]

	want := uint64(0)

	for i, m := range all {
		got, err := log.SequenceBefore(ctxOf(t), 0, raw[i])
		require.NoError(t, err)
		require.Equal(t, want, got, "before %d", m.Sequence)

		want = m.Sequence
	}

	got, err := log.SequenceBefore(ctxOf(t), 0, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestClusterTrim(t *testing.T) {
	t.Parallel()

	c := natscluster.Start(t, natscluster.Options{})
	log := openCluster(t, c, eventlog.Options{MaxBytes: 1 << 30})
	write(t, newWriter(t, log, eventlog.WriterOptions{}), "m", 10)

	middle, err := log.MessageAt(ctxOf(t), 0, 6)
	require.NoError(t, err)
	before, err := log.SequenceBefore(ctxOf(t), 0, time.UnixMicro(middle.Time))
	require.NoError(t, err)
	require.Equal(t, uint64(5), before)

	removed, err := log.Trim(ctxOf(t), 0, before)
	require.NoError(t, err)
	require.Equal(t, uint64(5), removed)

	for range 3 { // whoever leads has trimmed
		leader := c.Leader(t, "EVENTS")
		leader.Stop()
		c.Leader(t, "EVENTS")
		require.Eventually(t, func() bool {
			info, err := log.Info(ctxOf(t), 0)

			return err == nil && info.First == 6 && info.Last == 10
		}, patience, 20*time.Millisecond)
		leader.Start(t)
		c.AwaitCurrent(t, "EVENTS")
	}
}
