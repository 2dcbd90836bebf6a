package eventlog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
)

// put writes a message of one partition and returns its sequence.
func put(t *testing.T, w *eventlog.Writer, partition int, id string) uint64 {
	t.Helper()

	token, err := w.Write(ctxOf(t), items(partition, id, 3))
	require.NoError(t, err)

	var sequence uint64

	token.Each(func(_ int, s uint64) { sequence = s })

	return sequence
}

func TestBehind(t *testing.T) {
	t.Parallel()

	log := openLog(t, eventlog.Options{Partitions: 4, Streams: 2, MaxBytes: 64 << 20})
	w := newWriter(t, log, eventlog.WriterOptions{})

	lag, err := log.Behind(ctxOf(t), 0, 0)
	require.NoError(t, err)
	require.Zero(t, lag, "an empty partition")

	// Partitions 0 and 2 share a stream, 1 has the other one with 3.
	before := time.Now()
	first := put(t, w, 0, "a")
	put(t, w, 2, "b")
	put(t, w, 1, "c")
	second := put(t, w, 0, "d")
	last := put(t, w, 0, "e")
	put(t, w, 2, "f")

	for name, c := range map[string]struct {
		partition    int
		cursor       uint64
		messages     uint64
		last, oldest uint64
	}{
		"everything":                            {0, 0, 3, last, first},
		"what comes after the first":            {0, first, 2, last, second},
		"a place of the neighbour's is as good": {0, first + 1, 2, last, second},
		"only the last":                         {0, second, 1, last, last},
		"nothing":                               {0, last, 0, last, 0},
		"nothing, with a cursor beyond the end": {0, last + 100, 0, last, 0},
		"a partition of its own stream":         {1, 0, 1, 1, 1},
		"a partition without messages":          {3, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			lag, err := log.Behind(ctxOf(t), c.partition, c.cursor)
			require.NoError(t, err)
			require.Equal(t, c.messages, lag.Messages)
			require.Equal(t, c.last, lag.Last)

			if c.oldest == 0 {
				require.Zero(t, lag.Since)

				return
			}

			oldest, err := log.MessageAt(ctxOf(t), log.Layout().Stream(c.partition), c.oldest)
			require.NoError(t, err)
			require.Equal(t, oldest.Time, lag.Since.UnixMicro())
			require.False(t, lag.Since.Before(before.Add(-time.Second)))
		})
	}

	t.Run("leaves no consumer behind", func(t *testing.T) {
		t.Parallel()

		_, err := log.Behind(ctxOf(t), 0, first)
		require.NoError(t, err)

		stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS_0")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			info, err := stream.Info(ctxOf(t))

			return err == nil && info.State.Consumers == 0
		}, patience, time.Millisecond)
	})

	t.Run("there is no such partition", func(t *testing.T) {
		t.Parallel()

		for _, partition := range []int{-1, 4} {
			_, err := log.Behind(ctxOf(t), partition, 0)
			require.ErrorIs(t, err, eventlog.ErrLayout)
		}
	})
}

func TestBehindOfWhatWasTrimmed(t *testing.T) {
	t.Parallel()

	log := openLog(t, eventlog.Options{Partitions: 2, MaxBytes: 64 << 20})
	w := newWriter(t, log, eventlog.WriterOptions{})

	var sequences []uint64
	for i := range 5 {
		sequences = append(sequences, put(t, w, 0, string(rune('a'+i))))
	}

	stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
	require.NoError(t, err)

	for _, s := range sequences[:3] {
		require.NoError(t, stream.DeleteMsg(ctxOf(t), s))
	}

	lag, err := log.Behind(ctxOf(t), 0, 0)
	require.NoError(t, err)
	require.Equal(t, uint64(2), lag.Messages, "what is gone is not counted")
	require.Equal(t, sequences[4], lag.Last)
}

func TestBehindOfWhatIsGone(t *testing.T) {
	t.Parallel()

	b := newBundle(t, natsserver.Options{})
	log := b.open(t, eventlog.Options{Partitions: 2, MaxBytes: 64 << 20})
	require.NoError(t, log.JetStream().DeleteStream(ctxOf(t), "EVENTS"))

	_, err := log.Behind(ctxOf(t), 0, 0)
	require.Error(t, err)

	b.conn.Close()

	_, err = log.Behind(ctxOf(t), 0, 0)
	require.ErrorIs(t, err, eventlog.ErrUnavailable)
}
