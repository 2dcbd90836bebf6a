package jsretry_test

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/jsretry"
)

func TestOpenStream(t *testing.T) {
	t.Parallel()

	letters := jetstream.StreamConfig{Name: "LETTERS", Subjects: []string{"letters.>"}, Description: "of the first start"}
	other := letters
	other.Description = "of a later start"
	standard := jsretry.Cap{Standard: 8 << 20, Least: 2 << 20}

	for name, c := range map[string]struct {
		room int64
		cap  jsretry.Cap
		want int64
		code jetstream.ErrorCode
	}{
		"the standard cap where there is room":      {room: 16 << 20, cap: standard, want: 8 << 20},
		"no more than half of the room":             {room: 15 << 20, cap: standard, want: 4 << 20},
		"the least if there is room for no more":    {room: 3 << 20, cap: standard, want: 2 << 20},
		"nothing smaller than the least":            {room: 1 << 20, cap: standard, code: 10047},
		"what was asked for, even if it is smaller": {room: 9 << 20, cap: jsretry.Cap{Asked: 1 << 20, Standard: 8 << 20, Least: 2 << 20}, want: 1 << 20},
		"nothing instead of what was asked for":     {room: 3 << 20, cap: jsretry.Cap{Asked: 4 << 20, Standard: 8 << 20, Least: 2 << 20}, code: 10047},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, js := natstest.Start(t, natsserver.Options{MaxStore: c.room})

			stream, err := jsretry.OpenStream(t.Context(), js, nil, letters, c.cap)
			if c.code != 0 {
				var refused *jetstream.APIError
				require.ErrorAs(t, err, &refused)
				require.Equal(t, c.code, refused.ErrorCode)
				require.ErrorContains(t, err, "LETTERS")

				return
			}

			require.NoError(t, err)
			require.Equal(t, c.want, stream.CachedInfo().Config.MaxBytes)

			for _, later := range []struct {
				cap  jsretry.Cap
				want int64
			}{
				{jsretry.Cap{Standard: 4 << 20, Least: 1 << 10}, c.want},
				{jsretry.Cap{Asked: 1 << 10, Standard: 4 << 20}, 1 << 10},
			} {
				again, err := jsretry.OpenStream(t.Context(), js, nil, other, later.cap)
				require.NoError(t, err)
				require.Equal(t, later.want, again.CachedInfo().Config.MaxBytes)
				require.Equal(t, letters.Description, again.CachedInfo().Config.Description)
			}
		})
	}

	t.Run("by several processes at once", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)

		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				if _, err := jsretry.OpenStream(t.Context(), js, nil, letters, jsretry.Cap{Asked: int64(1+i) << 20}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

// busy refuses the first stream: another process has begun to make it, and fails.
type busy struct {
	jetstream.JetStream

	refused bool
}

func (b *busy) CreateStream(ctx context.Context, c jetstream.StreamConfig) (jetstream.Stream, error) {
	if !b.refused {
		b.refused = true

		return nil, jetstream.ErrStreamNameAlreadyInUse
	}

	return b.JetStream.CreateStream(ctx, c)
}

func TestStreamThatAnotherProcessFailedToMake(t *testing.T) {
	t.Parallel()

	stream, err := jsretry.OpenStream(t.Context(), &busy{JetStream: natstest.JetStream(t)}, nil,
		jetstream.StreamConfig{Name: "LETTERS", Subjects: []string{"letters.>"}}, jsretry.Cap{Asked: 1 << 20})
	require.NoError(t, err)
	require.Equal(t, "LETTERS", stream.CachedInfo().Config.Name)
}

// late does not see at first what another process has just made.
type late struct {
	jetstream.JetStream

	looked bool
}

func (l *late) KeyValue(ctx context.Context, bucket string) (jetstream.KeyValue, error) {
	if !l.looked {
		l.looked = true

		return nil, jetstream.ErrBucketNotFound
	}

	return l.JetStream.KeyValue(ctx, bucket)
}

func (l *late) CreateKeyValue(context.Context, jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	return nil, refused(500, 10047, "insufficient storage resources available")
}

func TestBucketThatAnotherProcessMade(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	config := jetstream.KeyValueConfig{Bucket: "letters"}

	_, err := jsretry.Bucket(t.Context(), &late{JetStream: js}, config, nil)
	require.ErrorContains(t, err, "insufficient storage", "there is none")

	_, err = jsretry.Bucket(t.Context(), js, config, nil)
	require.NoError(t, err)

	kv, err := jsretry.Bucket(t.Context(), &late{JetStream: js}, config, nil)
	require.NoError(t, err, "it took the room for its streams meanwhile")
	require.Equal(t, "letters", kv.Bucket())
}
