package reject_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/reject"
)

func TestPut(t *testing.T) {
	t.Parallel()

	t.Run("keeps every field as it came, text or not", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		odd := reject.Reject{
			ID: "id.with*all>of it\n\x00", Workspace: "w.*", Code: "too_long", Field: "f", Message: "m\xff",
			MessageID: "\xff\xfe", AccountID: "a\x00b", Origin: "segment", Key: "k.k", Body: []byte{0, 255, 1},
			Record: []byte{8, 1},
		}
		require.NoError(t, s.Put(ctxOf(t), odd))

		got, next, err := s.List(ctxOf(t), "w.*", "", 0, 0)
		require.NoError(t, err)
		require.Zero(t, next)
		require.Len(t, got, 1)
		require.Equal(t, odd, got[0].Reject)
		require.WithinDuration(t, time.Now(), got[0].At, time.Minute)

		one, err := s.Get(ctxOf(t), "w.*", got[0].Sequence)
		require.NoError(t, err)
		require.Equal(t, got[0], one)
	})

	t.Run("counts a repetition as present", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		first := entry("w", "required", "1")
		second := first
		second.Message = "another text"

		require.NoError(t, s.Put(ctxOf(t), first, entry("w", "required", "2")))
		require.NoError(t, s.Put(ctxOf(t), second, first, entry("w", "required", "3")))

		all, _, err := s.List(ctxOf(t), "w", "", 0, 0)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"1", "2", "3"}, ids(all))

		for _, stored := range all {
			require.Equal(t, first.Message, stored.Message, "the first one stays")
		}
	})

	t.Run("of the same id with another code, key or workspace is another entry", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		keyed := entry("w", "required", "1")
		keyed.Key = "user"
		require.NoError(t, s.Put(ctxOf(t), entry("w", "required", "1"), entry("w", "too_long", "1"), keyed,
			entry("v", "required", "1")))

		all, _, err := s.List(ctxOf(t), "w", "", 0, 0)
		require.NoError(t, err)
		require.Len(t, all, 3)
	})

	t.Run("cuts a body that is too large", func(t *testing.T) {
		t.Parallel()

		s := newStream(t, reject.Options{})
		large := entry("w", "too_large", "1")
		large.Body = bytes.Repeat([]byte("x"), 1<<20)
		require.NoError(t, s.Put(ctxOf(t), large))

		got, _, err := s.List(ctxOf(t), "w", "", 0, 0)
		require.NoError(t, err)
		require.Len(t, got[0].Body, reject.MaxBodyBytes)
	})

	t.Run("needs an id", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, newStream(t, reject.Options{}).Put(ctxOf(t), reject.Reject{}), reject.ErrMalformed)
	})

	t.Run("of nothing is nothing", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, newStream(t, reject.Options{}).Put(ctxOf(t)))
	})
}

func TestFull(t *testing.T) {
	t.Parallel()

	for name, o := range map[string]reject.Options{
		"bytes": {MaxBytes: 20_000}, "entries": {MaxMessages: 50},
	} {
		t.Run("a stream at its cap of "+name+" takes no more, and loses nothing", func(t *testing.T) {
			t.Parallel()

			s := newStream(t, o)

			var (
				err error
				n   int
			)
			for ; err == nil; n++ {
				err = s.Put(ctxOf(t), entry("w", "required", fmt.Sprint(n)))
			}

			require.ErrorIs(t, err, reject.ErrFull)
			require.Equal(t, codes.ResourceExhausted, status.Code(err))

			all, _, err := s.List(ctxOf(t), "w", "", 0, 1000)
			require.NoError(t, err)
			require.Len(t, all, n-1)
			require.NoError(t, s.Put(ctxOf(t), entry("w", "required", "0")), "what is there is there")

			require.NoError(t, s.Delete(ctxOf(t), all[3].Sequence))
			require.NoError(t, s.Put(ctxOf(t), entry("w", "required", "new")), "room again")
		})
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()

	s := newStream(t, reject.Options{})
	putOneByOne(t, s, entries("w", "required", "r", 3)...)
	require.NoError(t, s.Delete(ctxOf(t), 2))

	_, err := s.Get(ctxOf(t), "w", 2)
	require.ErrorIs(t, err, reject.ErrNotFound)

	for _, seq := range []uint64{0, 2, 99} {
		require.ErrorIs(t, s.Delete(ctxOf(t), seq), reject.ErrNotFound)
	}

	all, _, err := s.List(ctxOf(t), "w", "", 0, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"r2", "r0"}, ids(all))

	require.NoError(t, s.Put(ctxOf(t), entry("w", "required", "r1")), "a deleted entry may come again")
}

func TestGet(t *testing.T) {
	t.Parallel()

	s := newStream(t, reject.Options{})
	putOneByOne(t, s, entry("w", "required", "1"))

	_, err := s.Get(ctxOf(t), "other", 1)
	require.ErrorIs(t, err, reject.ErrNotFound, "a workspace sees only its own")
	require.Equal(t, codes.NotFound, status.Code(err))

	for _, seq := range []uint64{0, 2} {
		_, err := s.Get(ctxOf(t), "w", seq)
		require.ErrorIs(t, err, reject.ErrNotFound)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("may be done by several at once, and again", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)

		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if _, err := reject.Open(ctxOf(t), js, reject.Options{}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()

		putOneByOne(t, open(t, js, reject.Options{}), entry("w", "required", "1"))
		_, err := open(t, js, reject.Options{}).Get(ctxOf(t), "w", 1)
		require.NoError(t, err)
	})

	t.Run("has a cap of 1 GiB, or what fits, or what is asked for", func(t *testing.T) {
		t.Parallel()

		for _, c := range []struct{ store, asked, want int64 }{
			{0, 0, 1 << 30}, {600 << 20, 0, 256 << 20}, {0, 5 << 20, 5 << 20},
		} {
			_, js := natstest.Start(t, natsserver.Options{MaxStore: c.store})
			open(t, js, reject.Options{MaxBytes: c.asked})
			require.Equal(t, c.want, config(t, js).MaxBytes)
		}
	})

	t.Run("changes the cap of an existing stream only when asked", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		for _, step := range []struct{ asked, want int64 }{{1 << 20, 1 << 20}, {0, 1 << 20}, {2 << 20, 2 << 20}} {
			open(t, js, reject.Options{MaxBytes: step.asked})
			require.Equal(t, step.want, config(t, js).MaxBytes)
		}

		require.Equal(t, jetstream.DiscardNew, config(t, js).Discard)
	})

	t.Run("says that there is no room", func(t *testing.T) {
		t.Parallel()

		_, js := natstest.Start(t, natsserver.Options{MaxStore: 1 << 20})
		_, err := reject.Open(ctxOf(t), js, reject.Options{})
		require.ErrorContains(t, err, "insufficient storage")
	})
}

func config(t *testing.T, js jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()

	stream, err := js.Stream(ctxOf(t), "REJECTS")
	require.NoError(t, err)

	return stream.CachedInfo().Config
}

func TestUnavailable(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s := open(t, js, reject.Options{})
	js.Conn().Close()

	require.ErrorIs(t, s.Put(ctxOf(t), entry("w", "required", "1")), reject.ErrUnavailable)
	require.ErrorIs(t, s.Delete(ctxOf(t), 1), reject.ErrUnavailable)

	_, _, err := s.List(ctxOf(t), "w", "", 0, 0)
	require.ErrorIs(t, err, reject.ErrUnavailable)

	_, err = s.Get(ctxOf(t), "w", 1)
	require.ErrorIs(t, err, reject.ErrUnavailable)
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.ErrorIs(t, s.ByKey(ctxOf(t), "w", "c", "k", nil), reject.ErrUnavailable)
}
