package eventlog_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/jsretry"
)

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("fixes the layout at the first start", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})
		first := b.open(t, eventlog.Options{Partitions: 8, Streams: 2}).Layout()
		require.NotEmpty(t, first.ID)
		require.Equal(t, eventlog.Layout{ID: first.ID, Partitions: 8, Streams: 2, Replicas: 1}, first)
		require.Equal(t, first, b.open(t, eventlog.Options{}).Layout(), "the stored layout counts")
		require.Equal(t, first, b.open(t, eventlog.Options{Partitions: 8, Streams: 2}).Layout())
	})

	t.Run("has sixteen partitions in one stream unless told otherwise", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{})
		require.Equal(t, 16, log.Layout().Partitions)
		require.Equal(t, 1, log.Layout().Streams)

		info, err := log.Info(ctxOf(t), 0)
		require.NoError(t, err)
		require.Zero(t, info.Last)
		require.Zero(t, info.Bytes)
		require.WithinDuration(t, time.Now(), info.Created, time.Minute)
	})

	t.Run("makes streams that never drop what is old", func(t *testing.T) {
		t.Parallel()

		log := openLog(t, eventlog.Options{MaxBytes: 10 << 20, Streams: 2})
		stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS_1")
		require.NoError(t, err)

		config := stream.CachedInfo().Config
		require.Equal(t, jetstream.DiscardNew, config.Discard)
		require.Equal(t, jetstream.FileStorage, config.Storage)
		require.Equal(t, int64(5<<20), config.MaxBytes, "the cap is shared by the streams")
		require.Zero(t, config.MaxAge)
		require.True(t, config.AllowDirect)
		require.False(t, config.DenyPurge, "Trim needs it")
		require.False(t, config.DenyDelete)
	})

	t.Run("refuses another number of partitions or streams", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})
		b.open(t, eventlog.Options{Partitions: 8, Streams: 2})

		for _, o := range []eventlog.Options{{Partitions: 16}, {Streams: 1}} {
			_, err := eventlog.Open(ctxOf(t), b.conn, o)
			require.ErrorIs(t, err, eventlog.ErrLayout)
			require.Equal(t, codes.FailedPrecondition, status.Code(err))
			require.ErrorContains(t, err, "for ever")
		}
	})

	t.Run("refuses a layout that cannot be", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})

		for _, o := range []eventlog.Options{
			{Partitions: -1}, {Partitions: 5000}, {Partitions: 8, Streams: 3}, {Streams: -1}, {Streams: 32}, {Replicas: 9},
		} {
			_, err := eventlog.Open(ctxOf(t), b.conn, o)
			require.Error(t, err, "%+v", o)
		}

		b.open(t, eventlog.Options{})
	})

	t.Run("changes the cap of an existing log only when asked", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})

		for _, step := range []struct{ asked, want int64 }{{1 << 20, 1 << 20}, {0, 1 << 20}, {2 << 20, 2 << 20}} {
			info, err := b.open(t, eventlog.Options{MaxBytes: step.asked}).Info(ctxOf(t), 0)
			require.NoError(t, err)
			require.Equal(t, step.want, info.MaxBytes)
		}
	})

	t.Run("takes what room there is for the default cap", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{MaxStore: 20 << 30})
		info, err := b.open(t, eventlog.Options{}).Info(ctxOf(t), 0)
		require.NoError(t, err)
		require.Equal(t, int64(16<<30), info.MaxBytes)
	})

	t.Run("leaves room for the other streams, whatever the size of the disk", func(t *testing.T) {
		t.Parallel()

		for _, room := range []int64{16<<30 + 1<<20, 32<<30 + 1<<20} { // a cap fits, and hardly more
			log := newBundle(t, natsserver.Options{MaxStore: room}).open(t, eventlog.Options{})

			for _, other := range []string{"REJECTS", "ALERTS_1", "ALERTS_2", "NOTIFY"} { // those of Hale, in GiB
				_, err := log.JetStream().CreateStream(ctxOf(t), jetstream.StreamConfig{Name: other, MaxBytes: 1 << 30})
				require.NoError(t, err, "%s of %d", other, room)
			}

			_, err := log.JetStream().Stream(ctxOf(t), "RESERVE")
			require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
		}
	})

	t.Run("shares what room there is evenly", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{MaxStore: 20 << 30})
		log := b.open(t, eventlog.Options{Partitions: 8, Streams: 4})

		for i := range 4 {
			info, err := log.Info(ctxOf(t), i)
			require.NoError(t, err)
			require.Equal(t, int64(4<<30), info.MaxBytes, "stream %d", i)
		}
	})

	t.Run("refuses a cap for which there is no room", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{MaxStore: 1 << 30})
		_, err := eventlog.Open(ctxOf(t), b.conn, eventlog.Options{MaxBytes: 2 << 30})
		require.ErrorContains(t, err, "insufficient storage")
	})
}

func TestOpenAtOnce(t *testing.T) {
	t.Parallel()

	// The disk is too small for the default cap.
	server := newBundle(t, natsserver.Options{MaxStore: 20 << 30}).server

	const openers = 12

	var group sync.WaitGroup

	layouts := make([]eventlog.Layout, openers)

	for i := range openers {
		conn := connect(t, server)

		group.Go(func() {
			// Half of them ask for another layout; who is first wins, and only those who agree may go on.
			log, err := eventlog.Open(ctxOf(t), conn, eventlog.Options{Partitions: 8 + 8*(i%2), Streams: 4})
			if err == nil {
				layouts[i] = log.Layout()
			} else {
				require.ErrorIs(t, err, eventlog.ErrLayout)
			}
		})
	}

	group.Wait()

	stored := (&bundle{conn: connect(t, server)}).open(t, eventlog.Options{}).Layout()

	for i, layout := range layouts {
		if 8+8*(i%2) == stored.Partitions {
			require.Equal(t, stored, layout)
		} else {
			require.Zero(t, layout)
		}
	}
}

func TestOpenGuards(t *testing.T) {
	t.Parallel()

	t.Run("a stream that is gone is not made again in silence", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})
		log := b.open(t, eventlog.Options{Streams: 2})
		require.NoError(t, log.JetStream().DeleteStream(ctxOf(t), "EVENTS_1"))

		_, err := eventlog.Open(ctxOf(t), b.conn, eventlog.Options{})
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
		require.ErrorContains(t, err, "EVENTS_1")

		_, err = log.Info(ctxOf(t), 1)
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
	})

	t.Run("a stream that somebody made again is not taken for the log", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})
		remake(t, b.open(t, eventlog.Options{}))

		_, err := eventlog.Open(ctxOf(t), b.conn, eventlog.Options{})
		require.ErrorIs(t, err, eventlog.ErrStreamGone)
	})

	t.Run("without the bucket it is a new log, whose tokens are others", func(t *testing.T) {
		t.Parallel()

		b := newBundle(t, natsserver.Options{})
		log := b.open(t, eventlog.Options{})
		token, err := newWriter(t, log, eventlog.WriterOptions{}).Write(ctxOf(t), items(3, "a", 1))
		require.NoError(t, err)
		require.NoError(t, log.JetStream().DeleteKeyValue(ctxOf(t), "hale_layout"))

		again := b.open(t, eventlog.Options{})
		require.NotEqual(t, log.Layout().ID, again.Layout().ID)

		_, err = again.ParseToken(token.String())
		require.ErrorIs(t, err, eventlog.ErrTokenUnknown)

		same, err := log.ParseToken(token.String())
		require.NoError(t, err)
		require.Equal(t, pairs(token), pairs(same))
	})
}

// remake deletes the log's only stream and makes it again, empty.
func remake(t testing.TB, log *eventlog.Log) {
	t.Helper()

	stream, err := log.JetStream().Stream(ctxOf(t), "EVENTS")
	require.NoError(t, err)

	config := stream.CachedInfo().Config
	require.NoError(t, log.JetStream().DeleteStream(ctxOf(t), "EVENTS"))

	require.NoError(t, jsretry.Do(ctxOf(t), nil, func(ctx context.Context) error {
		_, err := log.JetStream().CreateStream(ctx, config)

		return err
	}))
}

func TestMessageAt(t *testing.T) {
	t.Parallel()

	log := openLog(t, eventlog.Options{})
	w := newWriter(t, log, eventlog.WriterOptions{})
	before := time.Now().UnixMicro()
	_, err := w.Write(ctxOf(t), items(5, "a", 3))
	require.NoError(t, err)

	t.Run("gives the message that Read gives", func(t *testing.T) {
		t.Parallel()

		got, err := log.MessageAt(ctxOf(t), 0, 1)
		require.NoError(t, err)
		require.Equal(t, []string{"a-0", "a-1", "a-2"}, ids(got.Records))
		require.Equal(t, 5, got.Partition)
		require.GreaterOrEqual(t, got.Time, before)

		read := readAll(t, log, 0, 1)[0]
		require.Equal(t, read.Hash(), got.Hash())
		require.Equal(t, read.Time, got.Time)
		require.Equal(t, read.Sequence, got.Sequence)
	})

	t.Run("says that there is none", func(t *testing.T) {
		t.Parallel()

		for _, seq := range []uint64{0, 2, 1 << 40} {
			_, err := log.MessageAt(ctxOf(t), 0, seq)
			require.ErrorIs(t, err, eventlog.ErrNoMessage)
			require.Equal(t, codes.NotFound, status.Code(err))
		}
	})

	t.Run("knows its streams", func(t *testing.T) {
		t.Parallel()

		for _, stream := range []int{-1, 1} {
			_, err := log.MessageAt(ctxOf(t), stream, 1)
			require.ErrorIs(t, err, eventlog.ErrStreamGone)

			_, err = log.Info(ctxOf(t), stream)
			require.ErrorIs(t, err, eventlog.ErrStreamGone)
			require.ErrorIs(t, log.Read(ctxOf(t), stream, 0, nil), eventlog.ErrStreamGone)
		}
	})
}
