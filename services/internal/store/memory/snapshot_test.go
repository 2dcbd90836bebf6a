package memory_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

const patience = 20 * time.Second

// fill commits n steps to a partition: value k<i> is i, log grows by one byte each.
func fill(t *testing.T, s *memory.Store, partition, n int) store.Head {
	t.Helper()
	h, err := s.Claim(t.Context(), partition, store.Lease{})
	require.NoError(t, err)
	for i := range n {
		c := &store.Commit{
			Partition: partition, Epoch: h.Epoch, From: h.Cursor, Cursor: h.Cursor + 1, State: fmt.Append(nil, "state", i),
			Put:    []store.Entry{{Key: fmt.Sprint("k", i), Value: fmt.Append(nil, i)}},
			Append: []store.Entry{{Key: "log", Value: []byte{byte(i)}}},
		}
		require.NoError(t, s.Commit(t.Context(), c))
		h.Cursor, h.State = c.Cursor, c.State
	}
	return h
}

// check requires that the partition holds what n steps of fill wrote.
func check(t *testing.T, s *memory.Store, partition, n int, want store.Head) {
	t.Helper()
	keys := []string{"log", "absent"}
	for i := range n {
		keys = append(keys, fmt.Sprint("k", i))
	}
	h, values, err := s.Read(t.Context(), partition, keys...)
	require.NoError(t, err)
	want.Revision = h.Revision // files do not keep it: who goes on from one claims first
	require.Equal(t, want, h)
	require.Len(t, values[0], n)
	require.Nil(t, values[1])
	for i := range n {
		require.Equal(t, fmt.Append(nil, i), values[2+i])
	}
}

func closed(t *testing.T, o memory.Options, use func(s *memory.Store)) {
	t.Helper()
	s, err := memory.Open(o)
	require.NoError(t, err)
	use(s)
	require.NoError(t, s.Close())
}

func file(dir string, partition int) string {
	return filepath.Join(dir, fmt.Sprintf("partition-%d.snapshot", partition))
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	t.Run("what was stored is there after a restart", func(t *testing.T) {
		t.Parallel()
		o := memory.Options{Dir: filepath.Join(t.TempDir(), "new", "folder")}
		heads := map[int]store.Head{}
		closed(t, o, func(s *memory.Store) {
			for p := range 3 {
				heads[p] = fill(t, s, p, 10*p)
			}
		})
		s := open(t, o)
		for p := range 3 {
			check(t, s, p, 10*p, heads[p])
		}
		again, err := s.Claim(t.Context(), 1, store.Lease{})
		require.NoError(t, err)
		require.Greater(t, again.Epoch, heads[1].Epoch)
	})
	t.Run("deleted values stay deleted, empty ones stay empty, nil states nil", func(t *testing.T) {
		t.Parallel()
		o := memory.Options{Dir: t.TempDir()}
		closed(t, o, func(s *memory.Store) {
			h := fill(t, s, 0, 3)
			require.NoError(t, s.Commit(t.Context(), &store.Commit{
				Epoch: h.Epoch, From: 3, Cursor: 4, Delete: []string{"k1"}, Put: []store.Entry{{Key: "k2"}, {Key: "\x00{\xff"}},
			}))
		})
		h, values, err := open(t, o).Read(t.Context(), 0, "k0", "k1", "k2", "\x00{\xff")
		require.NoError(t, err)
		require.Nil(t, h.State)
		require.Equal(t, [][]byte{[]byte("0"), nil, {}, {}}, values)
	})
	t.Run("a reset partition is empty, in its generation, after a restart", func(t *testing.T) {
		t.Parallel()
		o := memory.Options{Dir: t.TempDir()}
		var h store.Head
		closed(t, o, func(s *memory.Store) {
			var err error
			h, err = s.Reset(t.Context(), 0, fill(t, s, 0, 5).Epoch)
			require.NoError(t, err)
		})
		require.Equal(t, uint64(1), h.Generation)
		check(t, open(t, o), 0, 0, h)
	})
	t.Run("a snapshot is written while the store is open", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := open(t, memory.Options{Dir: dir, Interval: time.Millisecond})
		h := fill(t, s, 0, 50)
		require.Eventually(t, func() bool { return cursorOf(t, dir) == h.Cursor }, patience, time.Millisecond)
		copied := t.TempDir() // as a process that was killed now would leave it
		data, err := os.ReadFile(file(dir, 0))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file(copied, 0), data, 0o600))
		check(t, open(t, memory.Options{Dir: copied}), 0, 50, h)
	})
}

func TestSnapshotFolder(t *testing.T) {
	t.Parallel()
	t.Run("an unfinished snapshot is removed", func(t *testing.T) {
		t.Parallel()
		o := memory.Options{Dir: t.TempDir()}
		var h store.Head
		closed(t, o, func(s *memory.Store) { h = fill(t, s, 0, 5) })
		temp := file(o.Dir, 0) + ".tmp"
		require.NoError(t, os.WriteFile(temp, []byte("half"), 0o600))
		check(t, open(t, o), 0, 5, h)
		require.NoFileExists(t, temp)
	})
	t.Run("strange files are left alone", func(t *testing.T) {
		t.Parallel()
		o := memory.Options{Dir: t.TempDir()}
		for _, name := range []string{"partition-x.snapshot", "partition-01.snapshot", "README", "partition-1"} {
			require.NoError(t, os.WriteFile(filepath.Join(o.Dir, name), []byte("mine"), 0o600))
		}
		closed(t, o, func(*memory.Store) {})
		entries, err := os.ReadDir(o.Dir)
		require.NoError(t, err)
		require.Len(t, entries, 4)
	})
	t.Run("a folder that cannot be made is an error", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		_, err := memory.Open(memory.Options{Dir: path})
		require.Error(t, err)
	})
	t.Run("a snapshot that cannot be written is told, and tried again", func(t *testing.T) {
		t.Parallel()
		var log telemetrytest.Buffer
		dir := t.TempDir()
		s := open(t, memory.Options{
			Dir: dir, Interval: time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		blocker := file(dir, 0) + ".tmp"
		require.NoError(t, os.Mkdir(blocker, 0o700))
		h := fill(t, s, 0, 5)
		require.Eventually(t, func() bool { return strings.Contains(log.String(), "snapshot not written") },
			patience, time.Millisecond)
		check(t, s, 0, 5, h)
		_ = os.Remove(blocker) // the store may have removed it already
		require.Eventually(t, func() bool { return cursorOf(t, dir) == h.Cursor }, patience, time.Millisecond)
	})
}

// cursorOf reads the cursor from partition 0's file; 0: no file.
func cursorOf(t *testing.T, dir string) uint64 {
	t.Helper()
	data, err := os.ReadFile(file(dir, 0))
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(t, err)
	return binary.LittleEndian.Uint64(data[8+2+3*8:])
}

func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closed(t, memory.Options{Dir: dir}, func(s *memory.Store) { fill(t, s, 0, 3) })
	good, err := os.ReadFile(file(dir, 0))
	require.NoError(t, err)
	damages := map[string][]byte{
		"empty":                good[:0],
		"torn in the middle":   good[:len(good)/2],
		"torn by a byte":       good[:len(good)-1],
		"longer by a byte":     append(bytes.Clone(good), 0),
		"of another program":   []byte("a text that is longer than what a snapshot's fixed part would be, but none"),
		"of a later version":   resum(good, func(b []byte) { b[8]++ }),
		"of another partition": resum(good, func(b []byte) { b[10]++ }),
		"with too many values": resum(good, func(b []byte) { b[10+4*8]++ }),
		"with too few values":  resum(good, func(b []byte) { b[10+4*8]-- }),
	}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x10
		damages[fmt.Sprint("with byte flipped at ", i)] = flipped
	}
	for name, data := range damages {
		t.Run("a snapshot "+name+" is set aside", func(t *testing.T) {
			t.Parallel()
			var log telemetrytest.Buffer
			o := memory.Options{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))}
			require.NoError(t, os.WriteFile(file(o.Dir, 0), data, 0o600))
			h, _, err := open(t, o).Read(t.Context(), 0)
			require.NoError(t, err)
			require.Equal(t, store.Head{}, h)
			require.Contains(t, log.String(), "snapshot is damaged")
			kept, err := os.ReadFile(file(o.Dir, 0) + ".corrupt")
			require.NoError(t, err)
			require.Equal(t, data, kept)
		})
	}
}

// resum changes a copy of a snapshot and makes its checksum right again.
func resum(data []byte, change func([]byte)) []byte {
	b := bytes.Clone(data)
	change(b)
	body := b[:len(b)-8]
	binary.LittleEndian.PutUint64(b[len(body):], xxh3.Hash(body))
	return b
}
