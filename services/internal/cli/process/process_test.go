package process

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLock(t *testing.T) {
	t.Parallel()

	t.Run("one process has a data folder to itself", func(t *testing.T) {
		t.Parallel()

		dir := filepath.Join(t.TempDir(), "new")
		unlock, err := lock(dir)
		require.NoError(t, err)

		_, err = lock(dir)
		require.ErrorIs(t, err, ErrInUse)
		require.ErrorContains(t, err, dir)

		require.NoError(t, unlock())

		unlock, err = lock(dir)
		require.NoError(t, err, "free again")
		require.NoError(t, unlock())
	})

	t.Run("a lock file left behind locks nobody out", func(t *testing.T) {
		t.Parallel()

		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, LockFile), nil, fileMode))

		unlock, err := lock(dir)
		require.NoError(t, err)
		require.NoError(t, unlock())
	})

	t.Run("a folder that cannot be made is an error", func(t *testing.T) {
		t.Parallel()

		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, fileMode))

		_, err := lock(filepath.Join(file, "data"))
		require.ErrorContains(t, err, "making the data folder")
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()

	t.Run("are read as they were written, and removed by their own process alone", func(t *testing.T) {
		t.Parallel()

		dir := t.TempDir()
		a := Addresses{PID: 17, IngestHTTP: "http://127.0.0.1:1", QueryGRPC: "127.0.0.1:2"}
		require.NoError(t, a.write(dir))

		found, err := ReadAddresses(dir)
		require.NoError(t, err)
		require.Equal(t, a, found)

		require.NoError(t, Addresses{PID: 18}.remove(dir))
		_, err = ReadAddresses(dir)
		require.NoError(t, err, "another process's file stays")

		require.NoError(t, a.remove(dir))
		_, err = ReadAddresses(dir)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, a.remove(dir), "gone already")
	})

	t.Run("a broken file is an error that names it", func(t *testing.T) {
		t.Parallel()

		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, AddressFile), []byte("{"), fileMode))
		_, err := ReadAddresses(dir)
		require.ErrorContains(t, err, AddressFile)
	})
}

func TestListen(t *testing.T) {
	t.Parallel()

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ln.Close()) })

	_, err = listen(ln.Addr().String(), "ingest-http")
	require.ErrorContains(t, err, "is taken by another process: choose another address with --ingest-http")

	_, err = listen("256.0.0.1:1", "admin")
	require.ErrorContains(t, err, "listening for --admin")
}

// journal remembers in which order parts ended.
type journal struct {
	mu    sync.Mutex
	names []string
}

func (j *journal) until(name string, end error) part {
	return part{name, func(ctx context.Context) error {
		<-ctx.Done()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.names = append(j.names, name)

		return end
	}}
}

func TestSupervise(t *testing.T) {
	t.Parallel()

	logger := slog.New(slog.DiscardHandler)

	t.Run("stops the parts one after another, the last first", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		j := &journal{}
		require.NoError(t, supervise(ctx, []part{
			j.until("store", nil), j.until("scoring", context.Canceled), j.until("ingest", nil),
		}, logger))
		require.Equal(t, []string{"ingest", "scoring", "store"}, j.names)
	})

	t.Run("one that fails stops all, and its error is told", func(t *testing.T) {
		t.Parallel()

		j := &journal{}
		broken := errors.New("no disk")
		err := supervise(t.Context(), []part{
			j.until("store", nil),
			{"scoring", func(context.Context) error { return broken }},
			j.until("ingest", nil),
		}, logger)
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "scoring: no disk")
		require.Equal(t, []string{"ingest", "store"}, j.names)
	})

	t.Run("one that ends without being told is a failure too", func(t *testing.T) {
		t.Parallel()

		err := supervise(t.Context(), []part{{"query", func(context.Context) error { return nil }}}, logger)
		require.ErrorIs(t, err, errEnded)
	})

	t.Run("what fails on its way down is told", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		cancel()

		j := &journal{}
		broken := errors.New("did not drain")
		require.ErrorIs(t, supervise(ctx, []part{j.until("ingest", broken)}, logger), broken)
	})
}
