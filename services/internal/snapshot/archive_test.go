package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

const layout = "kq3-_AbCdEfG"

// faulty is a vault whose objects are changed on the way in, and whose reads may fail.
type faulty struct {
	snapshot.Vault

	mu     sync.Mutex
	change func([]byte) []byte
	getErr error
	gets   int
}

func (f *faulty) Put(ctx context.Context, name string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}

	f.mu.Lock()
	defer f.mu.Unlock()

	if f.change != nil {
		data = f.change(data)
	}

	return f.Vault.Put(ctx, name, bytes.NewReader(data))
}

func (f *faulty) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.gets++

	if f.getErr != nil {
		return nil, f.getErr
	}

	return f.Vault.Get(ctx, name)
}

// bench is an archive in a folder, and what tests look at.
type bench struct {
	*snapshot.Archive

	vault  *faulty
	work   string
	now    time.Time
	logged *bytes.Buffer
	meter  *sdk.ManualReader
	meters *sdk.MeterProvider
}

func newBench(t testing.TB, v snapshot.Vault) *bench {
	t.Helper()

	b := &bench{
		vault: &faulty{Vault: v}, work: t.TempDir(), now: time.UnixMicro(1_750_000_000_000_000), logged: &bytes.Buffer{},
		meter: sdk.NewManualReader(),
	}
	b.meters = sdk.NewMeterProvider(sdk.WithReader(b.meter))
	b.Archive = b.reopen(t)

	return b
}

// reopen is what another process sees, or this one after a restart.
func (b *bench) reopen(t testing.TB) *snapshot.Archive {
	t.Helper()

	a, err := snapshot.NewArchive(b.vault, snapshot.ArchiveOptions{
		Layout: layout, Dir: b.work, MaxBytes: 1 << 20, Now: func() time.Time { return b.now },
		Logger: slog.New(slog.NewTextHandler(b.logged, nil)),
		Meter:  b.meters.Meter("test"),
	})
	require.NoError(t, err)

	return a
}

func inFolder(t testing.TB) *bench {
	t.Helper()

	return newBench(t, openPlace(t, t.TempDir(), snapshot.OpenOptions{}))
}

// filler writes entries and ends at a cursor.
func filler(cursor uint64, all ...snapshot.Entry) func(*snapshot.Writer) (snapshot.Meta, error) {
	return func(w *snapshot.Writer) (snapshot.Meta, error) { return meta(cursor), add(w, all...) }
}

func (b *bench) create(t testing.TB, partition int, cursor uint64) snapshot.Info {
	t.Helper()

	info, err := b.Create(t.Context(), partition, filler(cursor, entry(1), entry(2)))
	require.NoError(t, err)

	b.now = b.now.Add(time.Minute)

	return info
}

// createDamaged makes a snapshot that was good when it was made.
func (b *bench) createDamaged(t testing.TB, partition int, cursor uint64) snapshot.Info {
	t.Helper()

	info := b.create(t, partition, cursor)
	data := read(t, b.vault.Vault, info.Name)
	data[len(data)/2] ^= 1
	require.NoError(t, b.vault.Vault.Put(t.Context(), info.Name, bytes.NewReader(data)))

	b.Archive = b.reopen(t)

	return info
}

func (b *bench) list(t testing.TB, partition int) []snapshot.Info {
	t.Helper()

	all, err := b.List(t.Context(), partition)
	require.NoError(t, err)

	return all
}

// count is the sum of a counter over the given result.
func (b *bench) count(t testing.TB, name, result string) int64 {
	t.Helper()

	return telemetrytest.Counter(t, b.meter, name, "result", result)
}

func TestArchive(t *testing.T) {
	t.Parallel()

	for name, place := range places() {
		t.Run("what was created in "+name+" is read back by another process", func(t *testing.T) {
			t.Parallel()

			b := newBench(t, place(t)(t))
			one, two := b.create(t, 7, 100), b.create(t, 7, 200)
			other := b.create(t, 12, 1)
			require.Equal(t, snapshot.Info{
				Partition: 7, Cursor: 100, Created: time.UnixMicro(1_750_000_000_000_000).UTC(), Size: one.Size,
				Name: layout + "/p0007/00000000000000000100-1750000000000000.snapshot",
			}, one)

			a := b.reopen(t)
			all, err := a.List(t.Context(), 7)
			require.NoError(t, err)
			require.Equal(t, []snapshot.Info{two, one}, all)
			all, err = a.List(t.Context(), -1)
			require.NoError(t, err)
			require.Equal(t, []snapshot.Info{other, two, one}, all)

			newest, m, err := a.Newest(t.Context(), 7, nil)
			require.NoError(t, err)
			require.Equal(t, two, newest)

			want := meta(200)
			want.State = nil
			require.Equal(t, &want, m)

			s, err := a.Open(t.Context(), newest)
			require.NoError(t, err)

			var keys []string
			got, err := s.Each(t.Context(), func(e snapshot.Entry) error {
				keys = append(keys, e.Key)

				return nil
			})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			require.Equal(t, meta(200), got)
			require.Equal(t, []string{"account-1", "account-2"}, keys)

			removed, err := a.Prune(t.Context(), 7, 1)
			require.NoError(t, err)
			require.Equal(t, 1, removed)
			require.Equal(t, []snapshot.Info{other, two}, b.list(t, -1))
		})
	}

	t.Run("many create at once", func(t *testing.T) {
		t.Parallel()

		v := openPlace(t, t.TempDir(), snapshot.OpenOptions{})
		a, err := snapshot.NewArchive(v, snapshot.ArchiveOptions{Layout: layout})
		require.NoError(t, err)

		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				if _, err := a.Create(t.Context(), i%4, filler(uint64(i), entry(i))); err != nil {
					t.Error(err)
				}
			})
		}

		all.Wait()

		for p := range 4 {
			found, err := a.List(t.Context(), p)
			require.NoError(t, err)
			require.Len(t, found, 8)

			for _, info := range found {
				s, err := a.Open(t.Context(), info)
				require.NoError(t, err)
				_, err = s.Each(t.Context(), func(e snapshot.Entry) error {
					require.Equal(t, fmt.Sprintf("account-%d", info.Cursor), e.Key)

					return nil
				})
				require.NoError(t, err)
				require.NoError(t, s.Close())
			}
		}
	})

	t.Run("files of others do not matter", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		info := b.create(t, 7, 100)
		for _, name := range []string{layout + "/p0007/readme", "other/p0007/00000000000000000100-1.snapshot", "p0007"} {
			require.NoError(t, b.vault.Put(t.Context(), name, strings.NewReader("x")))
		}

		require.Equal(t, []snapshot.Info{info}, b.list(t, -1))
	})
}

func TestCreate(t *testing.T) {
	t.Parallel()

	t.Run("one that reads back wrong is deleted, and an error", func(t *testing.T) {
		t.Parallel()

		for what, change := range map[string]func([]byte) []byte{
			"a changed bit": func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
			"a lost end":    func(b []byte) []byte { return b[:len(b)-1] },
			"another partition's": func([]byte) []byte {
				return encode(t, snapshot.Header{Layout: layout, Partition: 8, Begun: 1_750_000_000_000_000}, meta(100))
			},
			"another log's": func([]byte) []byte {
				return encode(t, snapshot.Header{Layout: "x", Partition: 7, Begun: 1_750_000_000_000_000}, meta(100))
			},
			"another time's": func([]byte) []byte {
				return encode(t, snapshot.Header{Layout: layout, Partition: 7, Begun: 1}, meta(100))
			},
			"another cursor's": func([]byte) []byte {
				return encode(t, snapshot.Header{Layout: layout, Partition: 7, Begun: 1_750_000_000_000_000}, meta(101))
			},
			"another state's": func([]byte) []byte {
				m := meta(100)
				m.State = []byte("other")

				return encode(t, snapshot.Header{Layout: layout, Partition: 7, Begun: 1_750_000_000_000_000}, m)
			},
		} {
			b := inFolder(t)
			b.vault.change = change
			_, err := b.Create(t.Context(), 7, filler(100, entry(1)))
			require.ErrorIs(t, err, snapshot.ErrDamaged, what)
			require.Empty(t, b.list(t, -1), what)
			require.Equal(t, int64(1), b.count(t, "hale_snapshot_created_total", "damaged"))
		}
	})

	t.Run("one that cannot be read back is an error", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.vault.getErr = errors.New("no network")
		_, err := b.Create(t.Context(), 7, filler(100))
		require.ErrorIs(t, err, b.vault.getErr)
		require.Empty(t, b.list(t, -1))
		require.Equal(t, int64(1), b.count(t, "hale_snapshot_created_total", "failed"))
	})

	t.Run("one that is not filled is not stored", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		failed := errors.New("no store")
		_, err := b.Create(t.Context(), 7, func(w *snapshot.Writer) (snapshot.Meta, error) {
			return snapshot.Meta{}, errors.Join(add(w, entry(1)), failed)
		})
		require.ErrorIs(t, err, failed)
		_, err = b.Create(t.Context(), -1, filler(1))
		require.ErrorContains(t, err, "no such partition")
		require.Empty(t, b.list(t, -1))
	})

	t.Run("one that outgrows its bound is stopped", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		noise := make([]byte, 100<<10)
		_, err := b.Create(t.Context(), 7, func(w *snapshot.Writer) (snapshot.Meta, error) {
			for i := range 1000 {
				for j := range noise {
					noise[j] = byte(uint64(i*len(noise)+j) * 0x9e3779b97f4a7c15 >> 56)
				}

				if err := w.Put(fmt.Sprint(i), noise); err != nil {
					return snapshot.Meta{}, err
				}
			}

			return meta(1), nil
		})
		require.ErrorIs(t, err, snapshot.ErrTooLarge)
		require.Empty(t, b.list(t, -1))
	})

	t.Run("it ends with its context", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := b.Create(ctx, 7, func(w *snapshot.Writer) (snapshot.Meta, error) {
			cancel()

			return meta(1), add(w, entry(1))
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, b.list(t, -1))
	})

	t.Run("the work folder stays empty, even while it works", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		_, err := b.Create(t.Context(), 7, func(w *snapshot.Writer) (snapshot.Meta, error) {
			files, err := os.ReadDir(b.work)
			require.NoError(t, err)
			require.Empty(t, files)

			return meta(1), add(w, entry(1))
		})
		require.NoError(t, err)
		files, err := os.ReadDir(b.work)
		require.NoError(t, err)
		require.Empty(t, files)
	})

	t.Run("a clock that goes back does not change the order", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		one := b.create(t, 7, 100)
		b.now = b.now.Add(-time.Hour)
		two := b.create(t, 7, 200)
		require.Equal(t, one.Created.Add(time.Microsecond), two.Created)
		require.Equal(t, []snapshot.Info{two, one}, b.list(t, 7))
	})

	t.Run("it is measured", func(t *testing.T) {
		t.Parallel()

		b := inFolder(t)
		b.create(t, 7, 100)
		b.create(t, 7, 200)
		require.Equal(t, int64(2), b.count(t, "hale_snapshot_created_total", "ok"))
		require.Equal(t, int64(2), b.count(t, "hale_snapshot_verified_total", "ok"))
		_, err := b.Prune(t.Context(), 7, 1)
		require.NoError(t, err)
		require.Equal(t, int64(1), b.count(t, "hale_snapshot_removed_total", ""))
	})
}
