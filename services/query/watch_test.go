package query_test

import (
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/query"
)

// watching connects a new watcher and takes what comes first.
func (w *world) watching(tb testing.TB, filter string) *watcher {
	tb.Helper()

	c := &watcher{filter: filter}
	require.NoError(tb, c.connect(w))
	tb.Cleanup(func() { c.cancel() })

	for {
		got, err := c.take()
		require.NoError(tb, err)

		if got.GetSnapshotComplete() {
			return c
		}
	}
}

// until takes parts until the watcher knows exactly what a list gives.
func (c *watcher) until(tb testing.TB, w *world) {
	tb.Helper()

	deadline := time.Now().Add(patience)

	for !c.holds(w.matching(tb, c.filter)) {
		if time.Now().After(deadline) {
			for id, want := range w.matching(tb, c.filter) {
				require.Equal(tb, want.String(), c.held[id].String(), "what is known of %s is not what a list gives", id)
			}

			require.Fail(tb, "an account is known that is not listed")
		}

		_, err := c.take()
		require.NoError(tb, err)
	}
}

// beat takes parts until a heartbeat that is behind all that has happened.
func (c *watcher) beat(tb testing.TB) {
	tb.Helper()

	for range 3 {
		for {
			got, err := c.take()
			require.NoError(tb, err)

			if len(got.GetChanges()) == 0 {
				break
			}
		}
	}
}

// random changes an account in one of several ways.
func (w *world) random(r *rand.Rand, accounts int) {
	id := accountID(r.IntN(accounts))

	switch r.IntN(3) {
	case 0:
		w.score(home, id, w.later(), 0, profiled(id, &eventv1.Account{Plan: new([]string{"pro", "free"}[r.IntN(2)])}))
	case 1:
		w.score(home, id, noon(), 0, used(id))
	default: // as a part of a midnight roll does, which leaves the cursor where it is
		w.score(home, id, w.later(), stay, profiled(id, &eventv1.Account{ArrMicros: new(int64(r.IntN(1000)))}))
	}
}

func TestWatchersKnowWhatListsGive(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			const accounts, watchers, rounds, writes = 60, 6, 4, 150

			first := start(t, open(t), eager)
			second := first.beside()
			second.run(eager)
			require.Eventually(t, func() bool { return second.service.Ready() == nil }, patience, time.Millisecond)

			processes := []*world{first, second}
			clients := make([]*watcher, watchers)

			for i := range clients {
				clients[i] = processes[i%2].watching(t, []string{"", `plan = "pro"`, "arr >= 0.0005"}[i/2])
			}

			for round := range rounds {
				var writer, readers sync.WaitGroup

				done := make(chan struct{})

				writer.Go(func() {
					defer close(done)

					r := rand.New(rand.NewPCG(uint64(round), 1))
					for range writes {
						first.random(r, accounts)
					}
				})

				for i, c := range clients {
					readers.Go(func() { c.roam(t, processes, rand.New(rand.NewPCG(uint64(round), uint64(i+2))), done) })
				}

				writer.Wait()
				readers.Wait()

				if t.Failed() {
					return
				}

				for _, c := range clients {
					c.until(t, first)
				}

				if round == 1 { // one process is another one from now on
					require.NoError(t, second.stop())

					second = second.beside()
					second.run(eager)
					require.Eventually(t, func() bool { return second.service.Ready() == nil }, patience, time.Millisecond)

					processes[1] = second

					for _, c := range clients {
						c.cancel()
						require.NoError(t, c.connect(second))
						c.until(t, second)
					}
				}
			}
		})
	}
}

// roam takes parts and connects again now and then, to any process, until done.
func (c *watcher) roam(t *testing.T, processes []*world, r *rand.Rand, done <-chan struct{}) {
	t.Helper()

	for {
		select {
		case <-done:
			return
		default:
		}

		for range r.IntN(8) {
			if _, err := c.take(); err != nil {
				t.Errorf("watching: %v", err)

				return
			}
		}

		if r.IntN(2) == 0 {
			c.cancel()

			if err := c.connect(processes[r.IntN(len(processes))]); err != nil {
				t.Errorf("watching again: %v", err)

				return
			}
		}
	}
}

func TestWatchHealth(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), eager)

	for i := range 3 {
		w.score(home, accountID(i), noon(), 0, used(accountID(i)))
	}

	w.score("other", "theirs", noon(), 0, used("theirs"))
	require.Eventually(t, func() bool { return len(w.matching(t, "")) == 3 }, patience, time.Millisecond)

	begin := func(t *testing.T, req *healthv1.WatchHealthRequest) func() *healthv1.WatchHealthResponse {
		t.Helper()

		stream, err := w.health().WatchHealth(w.as(access.RoleViewer), req)
		require.NoError(t, err)

		return func() *healthv1.WatchHealthResponse {
			got, err := stream.Recv()
			require.NoError(t, err)

			return got
		}
	}

	t.Run("begins with a heartbeat, and beats while nothing happens", func(t *testing.T) {
		t.Parallel()

		next := begin(t, &healthv1.WatchHealthRequest{})
		for range 3 {
			got := next()
			require.Empty(t, got.GetChanges())
			require.False(t, got.GetReset_())
			require.False(t, got.GetSnapshotComplete())
			require.NotEmpty(t, got.GetResumeToken())
			require.Equal(t, noon(), got.GetAsOf().AsTime().UnixMicro())
		}
	})

	t.Run("begins with a snapshot on request", func(t *testing.T) {
		t.Parallel()

		got := begin(t, &healthv1.WatchHealthRequest{Snapshot: true})()
		require.Len(t, got.GetChanges(), 3, "those of this workspace")
		require.True(t, got.GetSnapshotComplete())
		require.NotEmpty(t, got.GetResumeToken())

		for _, c := range got.GetChanges() {
			require.Equal(t, healthv1.AccountChange_KIND_SNAPSHOT, c.GetKind())
		}
	})

	t.Run("refuses a token of another filter, of another workspace and one that is none", func(t *testing.T) {
		t.Parallel()

		token := begin(t, &healthv1.WatchHealthRequest{})().GetResumeToken()
		refused := func(key string, req *healthv1.WatchHealthRequest) {
			stream, err := w.health().WatchHealth(withKey(t.Context(), key), req)
			require.NoError(t, err)

			_, err = stream.Recv()
			requireError(t, err, codes.InvalidArgument, "TOKEN_UNKNOWN")
		}

		refused(w.keys[access.RoleViewer], &healthv1.WatchHealthRequest{ResumeToken: token, Filter: `plan = "pro"`})
		refused(w.newKey("other", access.RoleViewer), &healthv1.WatchHealthRequest{ResumeToken: token})

		for _, bad := range []string{"!", "AAAA", token + "AAAA", token[:len(token)-4], "A" + token} {
			refused(w.keys[access.RoleViewer], &healthv1.WatchHealthRequest{ResumeToken: bad})
		}
	})

	t.Run("needs a key and a good request", func(t *testing.T) {
		t.Parallel()

		stream, err := w.health().WatchHealth(t.Context(), &healthv1.WatchHealthRequest{})
		require.NoError(t, err)

		_, err = stream.Recv()
		require.Error(t, err)

		stream, err = w.health().WatchHealth(w.as(access.RoleViewer), &healthv1.WatchHealthRequest{Filter: "nonsense ="})
		require.NoError(t, err)

		_, err = stream.Recv()
		require.Equal(t, []string{"filter"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
	})
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()

	t.Run("with the service, and goes on with the next one", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t), eager)
		w.score(home, "acme", noon(), 0, used("acme"))

		c := w.watching(t, "")
		c.until(t, w)
		c.beat(t)
		require.NoError(t, w.stop())

		var err error
		for err == nil {
			_, err = c.take()
		}

		requireError(t, err, codes.Unavailable, "STOPPING")
		require.Equal(t, c.token, resumeTokenOf(err))

		next := w.beside()
		next.run()
		require.Eventually(t, func() bool { return next.service.Ready() == nil }, patience, time.Millisecond)
		require.NoError(t, c.connect(next))

		known := maps.Clone(c.held)
		got, err := c.take()
		require.NoError(t, err)
		require.True(t, c.holds(known), "nothing has changed; what the first process read ahead may be told again")
		require.False(t, got.GetReset_(), "and that is known")
	})

	t.Run("for who reads too slowly, with a token", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) { c.WatchRing = 8 })
		c := w.watching(t, "")
		name := string(make([]byte, 200))

		for i := range name {
			name = name[:i] + "x" + name[i+1:]
		}

		// It does not read, so what is sent to it fills the window of its connection.
		var end error

		for i := 0; end == nil; i++ {
			for j := range 64 {
				id := accountID(j)
				w.score(home, id, w.later(), 0, profiled(id, &eventv1.Account{
					Name: new(name), ArrMicros: new(int64(i)),
				}))
			}

			if i < 20 {
				continue
			}

			for end == nil && !c.holds(w.matching(t, "")) {
				_, end = c.take()
			}
		}

		requireError(t, end, codes.ResourceExhausted, "SLOW_READER")
		require.NotEmpty(t, c.token)

		// With so small a ring it may happen again.
		for deadline := time.Now().Add(patience); !c.holds(w.matching(t, "")); {
			require.True(t, time.Now().Before(deadline))

			if end != nil {
				requireError(t, end, codes.ResourceExhausted, "SLOW_READER")
				require.NoError(t, c.connect(w))
			}

			_, end = c.take()
		}

		require.Zero(t, c.resets, "nothing is lost")
	})

	t.Run("anew for a token older than what the process knows apart", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t))
		w.score(home, "acme", noon(), 0, used("acme"))

		c := w.watching(t, "")
		c.until(t, w)
		require.NoError(t, w.stop())
		w.score(home, "acme", w.later(), 0, profiled("acme", &eventv1.Account{Plan: new("pro")}))

		next := w.beside()
		next.run()
		require.Eventually(t, func() bool { return next.service.Ready() == nil }, patience, time.Millisecond)
		require.NoError(t, c.connect(next))

		got, err := c.take()
		require.NoError(t, err)
		require.True(t, got.GetReset_())
		require.True(t, got.GetSnapshotComplete())
		require.True(t, c.holds(next.matching(t, "")))
	})
}
