package settings_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/settings"
)

// patience bounds every wait of these tests; none is expected to take that long.
const patience = 20 * time.Second

func open(t *testing.T, js jetstream.JetStream) *settings.Settings {
	t.Helper()

	s, err := settings.Open(t.Context(), js, 0)
	require.NoError(t, err)

	return s
}

func TestOpen(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)

	t.Run("several processes make the buckets at once", func(t *testing.T) {
		t.Parallel()

		var (
			wg   sync.WaitGroup
			errs = make([]error, 8)
		)

		for i := range errs {
			wg.Go(func() { _, errs[i] = settings.Open(t.Context(), js, 1) })
		}

		wg.Wait()
		require.NoError(t, errors.Join(errs...))
	})
}

func TestScorecards(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s := open(t, js)
	ctx := t.Context()

	version, doc, err := s.Scorecards().Get(ctx, "w1")
	require.NoError(t, err)
	require.Zero(t, version)
	require.Nil(t, doc)

	v1, err := s.Scorecards().Put(ctx, "w1", []byte("one"))
	require.NoError(t, err)
	require.Positive(t, v1)

	v2, err := s.Scorecards().Put(ctx, "w2", []byte("other"))
	require.NoError(t, err)
	v3, err := s.Scorecards().Put(ctx, "w1", []byte("two"))
	require.NoError(t, err)
	require.Greater(t, v3, v2)

	version, doc, err = s.Scorecards().Get(ctx, "w1")
	require.NoError(t, err)
	require.Equal(t, v3, version)
	require.Equal(t, "two", string(doc))

	for _, name := range []string{"", "a.b", "*", ">", "a b", "ä"} {
		_, _, err = s.Scorecards().Get(ctx, name)
		require.ErrorIs(t, err, settings.ErrWorkspaceName, name)
		_, err = s.Scorecards().Put(ctx, name, nil)
		require.ErrorIs(t, err, settings.ErrWorkspaceName, name)
	}
}

func TestRulesAreKeptApartFromScorecards(t *testing.T) {
	t.Parallel()

	s := open(t, natstest.JetStream(t))
	ctx := t.Context()

	version, err := s.Rules().Put(ctx, "w1", []byte("rules"))
	require.NoError(t, err)
	require.NoError(t, s.Rules().MarkPublished(ctx, "w1", "log", version))

	found, doc, err := s.Rules().Get(ctx, "w1")
	require.NoError(t, err)
	require.Equal(t, version, found)
	require.Equal(t, "rules", string(doc))

	published, err := s.Rules().Published(ctx, "w1", "log")
	require.NoError(t, err)
	require.Equal(t, version, published)

	found, _, err = s.Scorecards().Get(ctx, "w1")
	require.NoError(t, err)
	require.Zero(t, found)
	published, err = s.Scorecards().Published(ctx, "w1", "log")
	require.NoError(t, err)
	require.Zero(t, published)

	names, err := s.Workspaces(ctx)
	require.NoError(t, err)
	require.Empty(t, names, "a mark is no workspace")
}

func TestWatchScorecards(t *testing.T) {
	t.Parallel()

	nc, js := natstest.Start(t, natsserver.Options{})
	s := open(t, js)

	_, err := s.Scorecards().Put(t.Context(), "w1", []byte("one"))
	require.NoError(t, err)

	var (
		seen = make(chan string)
		done = make(chan error, 1)
	)

	go func() {
		done <- s.Scorecards().Watch(context.WithoutCancel(t.Context()),
			func(workspace string, version uint64, doc []byte) error {
				seen <- fmt.Sprint(workspace, version, string(doc))

				return nil
			})
	}()

	require.Equal(t, "w11one", receive(t, seen))

	version, err := s.Scorecards().Put(t.Context(), "w2", []byte("two"))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprint("w2", version, "two"), receive(t, seen))

	nc.Close()
	require.ErrorIs(t, receive(t, done), settings.ErrClosed)
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s := open(t, js)

	_, err := s.Scorecards().Put(t.Context(), "w1", []byte("one"))
	require.NoError(t, err)

	t.Run("with the error of its function", func(t *testing.T) {
		t.Parallel()

		want := errors.New("enough")
		err := s.Scorecards().Watch(t.Context(), func(string, uint64, []byte) error { return want })
		require.ErrorIs(t, err, want)
	})

	t.Run("with its context", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		err := s.Scorecards().Watch(ctx, func(string, uint64, []byte) error { cancel(); return nil })
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestWorkspaces(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s := open(t, js)
	ctx := t.Context()

	names, err := s.Workspaces(ctx)
	require.NoError(t, err)
	require.Empty(t, names)

	_, ok, err := s.Workspace(ctx, "b")
	require.NoError(t, err)
	require.False(t, ok)

	made, first, err := s.CreateWorkspace(ctx, settings.Workspace{Name: "b", Bootstrap: "set"})
	require.NoError(t, err)
	require.True(t, first)
	require.Equal(t, "set", made.Bootstrap)

	stands, first, err := s.CreateWorkspace(ctx, settings.Workspace{Name: "b", Bootstrap: "later"})
	require.NoError(t, err)
	require.False(t, first)
	require.Equal(t, made, stands)

	_, _, err = s.CreateWorkspace(ctx, settings.Workspace{Name: "a"})
	require.NoError(t, err)
	require.NoError(t, s.Scorecards().MarkPublished(ctx, "a", "log", 3)) // not a workspace

	names, err = s.Workspaces(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, names)

	_, _, err = s.CreateWorkspace(ctx, settings.Workspace{Name: "a.b"})
	require.ErrorIs(t, err, settings.ErrWorkspaceName)
	_, _, err = s.Workspace(ctx, "a.b")
	require.ErrorIs(t, err, settings.ErrWorkspaceName)
}

func TestMarks(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s := open(t, js)
	ctx := t.Context()
	published := func(layout string) uint64 {
		version, err := s.Scorecards().Published(ctx, "w", layout)
		require.NoError(t, err)

		return version
	}

	require.Zero(t, published("log"))
	require.NoError(t, s.Scorecards().MarkPublished(ctx, "w", "log", 5))
	require.NoError(t, s.Scorecards().MarkPublished(ctx, "w", "log", 4)) // never falls back
	require.Equal(t, uint64(5), published("log"))
	require.Zero(t, published("another log"))
	require.NoError(t, s.Scorecards().MarkPublished(ctx, "w", "another log", 2))
	require.Equal(t, uint64(2), published("another log"))

	var wg sync.WaitGroup
	for v := range uint64(10) {
		wg.Go(func() {
			if err := s.Scorecards().MarkPublished(ctx, "w2", "log", v); err != nil {
				t.Error(err)
			}
		})
	}

	wg.Wait()

	version, err := s.Scorecards().Published(ctx, "w2", "log")
	require.NoError(t, err)
	require.Equal(t, uint64(9), version)

	require.ErrorIs(t, s.Scorecards().MarkPublished(ctx, "", "log", 1), settings.ErrWorkspaceName)
}

func TestKeys(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s := open(t, js)
	ctx := t.Context()
	created := time.Now().UTC().Truncate(time.Second)
	key := settings.Key{Hash: settings.KeyHash{1}, Workspace: "w", Role: "query", Created: created}

	require.NoError(t, s.PutKey(ctx, key))
	require.NoError(t, s.PutKey(ctx, settings.Key{Hash: key.Hash, Workspace: "other"})) // the first stays
	require.ErrorIs(t, s.PutKey(ctx, settings.Key{Workspace: "a.b"}), settings.ErrWorkspaceName)

	seen := make(chan settings.KeyChange)
	watching, stop := context.WithCancel(ctx)

	var wg sync.WaitGroup

	wg.Go(func() {
		_ = s.WatchKeys(watching, func(c settings.KeyChange) error {
			seen <- c

			return nil
		})
	})

	require.Equal(t, settings.KeyChange{Key: key}, receive(t, seen))
	require.True(t, receive(t, seen).Synced)

	require.NoError(t, s.DeleteKey(ctx, key.Hash))

	gone := receive(t, seen)
	require.True(t, gone.Removed)
	require.Equal(t, key.Hash, gone.Key.Hash)

	kv, err := js.KeyValue(ctx, "hale_keys")
	require.NoError(t, err)
	_, err = kv.PutString(ctx, "00ff", "{}")
	require.NoError(t, err)
	require.ErrorIs(t, receive(t, seen).Err, settings.ErrKeyHash)
	_, err = kv.PutString(ctx, settings.KeyHash{2}.String(), "not json")
	require.NoError(t, err)

	bad := receive(t, seen)
	require.Error(t, bad.Err)
	require.True(t, bad.Removed)

	stop()
	wg.Wait()
}

// receive takes one value, or fails when none comes.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()

	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}
