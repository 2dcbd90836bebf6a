package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

const (
	patience  = 20 * time.Second
	crashKeys = 10
)

// step is the commit from cursor n to n+1 in the crash tests: what is stored at a cursor follows from the cursor.
func step(h store.Head) *store.Commit {
	c := &store.Commit{Epoch: h.Epoch, From: h.Cursor, Cursor: h.Cursor + 1, State: fmt.Append(nil, h.Cursor+1)}
	for i := range crashKeys {
		c.Put = append(c.Put, store.Entry{Key: fmt.Sprint("k", i), Value: fmt.Appendf(nil, "%d %300d", c.Cursor, i)})
	}
	c.Append = []store.Entry{{Key: "log", Value: []byte{byte(c.Cursor)}}}
	c.Changed = []string{fmt.Sprint(c.Cursor)}
	return c
}

// whole requires that everything stored is of one cursor, and returns the head.
func whole(t *testing.T, s *redis.Store) store.Head {
	t.Helper()
	keys := []string{"log"}
	for i := range crashKeys {
		keys = append(keys, fmt.Sprint("k", i))
	}
	h, values, err := s.Read(context.Background(), 0, keys...)
	require.NoError(t, err)
	require.Len(t, values[0], int(h.Cursor))
	if h.Cursor == 0 {
		return h
	}
	require.Equal(t, fmt.Append(nil, h.Cursor), h.State)
	for i := range crashKeys {
		require.Equal(t, fmt.Appendf(nil, "%d %300d", h.Cursor, i), values[1+i])
	}
	return h
}

// run commits until the server ends; it returns the last cursor known to be stored. It closes started after
// some commits, and goes on.
func run(s *redis.Store, h store.Head, some int, started chan<- struct{}) (uint64, error) {
	for i := 0; ; i++ {
		err := s.Commit(context.Background(), step(h))
		if errors.Is(err, store.ErrUnknown) {
			return h.Cursor, nil
		}
		if err != nil {
			return h.Cursor, err
		}
		h.Cursor++
		if i == some {
			close(started)
		}
	}
}

// TestCrash kills the server in the middle of commits. It may lose what it answered, even when only the process
// ends: with "everysec" a write waits for a sync that is under way.
func TestCrash(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t, redistest.Durable()...)
	s := open(t, redis.Options{URL: server.URL()})
	for round := range 8 {
		before := whole(t, s)
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		require.Greater(t, h.Epoch, before.Epoch)
		started, ended := make(chan struct{}), make(chan error, 1)
		var known uint64
		some := rand.IntN(300)
		go func() {
			var err error
			known, err = run(s, h, some, started)
			ended <- err
		}()
		<-started
		server.Kill() // while further commits are on their way
		require.NoError(t, <-ended)
		cut := round%2 == 1
		if cut {
			cutAOF(t, server.Dir()) // a machine that lost power has lost the end of the file
		}
		server.Start()
		require.Eventually(t, func() bool { return s.Check(t.Context()) == nil }, patience, 10*time.Millisecond)
		after := whole(t, s)
		require.LessOrEqual(t, after.Cursor, known+1)
		t.Logf("round %d: known %d, stored %d, end of file cut: %v", round, known, after.Cursor, cut)
	}
}

// cutAOF removes a random part of the end of the append-only file.
func cutAOF(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*.incr.aof"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	last := files[len(files)-1]
	info, err := os.Stat(last)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(last, info.Size()-rand.Int64N(min(info.Size(), 60_000))))
}
