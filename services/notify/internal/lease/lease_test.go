package lease_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/notify/internal/lease"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ttl = 600 * time.Millisecond

func open(t *testing.T, js jetstream.JetStream, name string) *lease.Lease {
	t.Helper()

	l, err := lease.Open(t.Context(), js, lease.Options{Key: "x", Name: name, TTL: ttl})
	require.NoError(t, err)

	return l
}

func TestLead(t *testing.T) {
	t.Parallel()

	t.Run("one leads, and when it is done the next one does", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)

		var (
			group   sync.WaitGroup
			mu      sync.Mutex
			leading int
			led     int
		)

		for _, name := range []string{"a", "b", "c"} {
			l := open(t, js, name)

			group.Go(func() {
				err := l.Lead(t.Context(), func(ctx context.Context) error {
					mu.Lock()
					leading++
					alone := leading == 1
					mu.Unlock()

					select { // long enough for others to take over, if they could
					case <-ctx.Done():
					case <-time.After(2 * ttl):
					}

					mu.Lock()
					defer mu.Unlock()

					leading--
					led++

					if !alone || ctx.Err() != nil {
						return errors.New("two lead")
					}

					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}

		group.Wait()
		require.Equal(t, 3, led)
	})

	t.Run("one that is gone without a word is followed by another", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "hale_leases"})
		require.NoError(t, err)
		_, err = kv.PutString(t.Context(), "x", "dead")
		require.NoError(t, err)

		begin := time.Now()

		require.NoError(t, open(t, js, "next").Lead(t.Context(), func(context.Context) error { return nil }))
		require.GreaterOrEqual(t, time.Since(begin), ttl)
	})

	t.Run("one whose lease is taken is told so", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		err := open(t, js, "a").Lead(t.Context(), func(ctx context.Context) error {
			kv, err := js.KeyValue(ctx, "hale_leases")
			require.NoError(t, err)
			_, err = kv.PutString(ctx, "x", "another")
			require.NoError(t, err)
			<-ctx.Done()

			return context.Cause(ctx)
		})
		require.ErrorIs(t, err, lease.ErrLost)
	})

	t.Run("one that waits ends with its context", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		require.NoError(t, open(t, js, "a").Lead(t.Context(), func(ctx context.Context) error {
			waiting, cancel := context.WithTimeout(ctx, ttl/2)
			defer cancel()

			err := open(t, js, "b").Lead(waiting, func(context.Context) error { return errors.New("leads") })
			require.ErrorIs(t, err, context.DeadlineExceeded)

			return nil
		}))
	})
}
