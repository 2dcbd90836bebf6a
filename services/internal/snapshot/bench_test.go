package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
)

const (
	// benchEntries is the number of accounts in a measured snapshot; b.N is the number of snapshots.
	benchEntries = 100_000
	benchBytes   = 400
)

// accounts are values that compress about as well as states of accounts do: half of it noise, half of it zeros and small
// numbers.
func accounts(n int) func(w *snapshot.Writer) error {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 1<<20)

	for i := 0; i < len(noise); i += 8 {
		binary.LittleEndian.PutUint64(noise[i:], random.Uint64())
	}

	return func(w *snapshot.Writer) error {
		value := make([]byte, benchBytes)
		for i := range n {
			copy(value, noise[random.IntN(len(noise)-benchBytes):][:benchBytes/2])
			binary.LittleEndian.PutUint64(value[benchBytes-8:], uint64(i))

			if err := w.Put(fmt.Sprintf("a:default/account-%07d", i), value); err != nil {
				return err
			}
		}

		return nil
	}
}

func BenchmarkWrite(b *testing.B) {
	fill := accounts(benchEntries)
	b.ReportAllocs()
	b.SetBytes(benchEntries * benchBytes)

	for b.Loop() {
		w, err := snapshot.NewWriter(io.Discard, header())
		require.NoError(b, err)
		require.NoError(b, fill(w))
		require.NoError(b, w.Finish(meta(1)))
	}

	b.ReportMetric(float64(b.N)*benchEntries/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkRead(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "snapshot"))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, file.Close()) })

	w, err := snapshot.NewWriter(file, header())
	require.NoError(b, err)
	require.NoError(b, accounts(benchEntries)(w))
	require.NoError(b, w.Finish(meta(1)))

	size, err := file.Seek(0, io.SeekCurrent)
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(benchEntries * benchBytes)

	for b.Loop() {
		_, err := file.Seek(0, io.SeekStart)
		require.NoError(b, err)
		_, _, err = snapshot.Verify(b.Context(), file)
		require.NoError(b, err)
	}

	b.ReportMetric(float64(b.N)*benchEntries/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(size)/benchEntries, "stored_bytes/entry")
}

// BenchmarkCreate is what a partition's owner pays for a snapshot: written, uploaded and read back.
func BenchmarkCreate(b *testing.B) {
	for name, place := range places() {
		b.Run(name, func(b *testing.B) {
			a, err := snapshot.NewArchive(place(b)(b), snapshot.ArchiveOptions{Layout: layout, Dir: b.TempDir()})
			require.NoError(b, err)

			fill := accounts(benchEntries)
			b.ReportAllocs()
			b.SetBytes(benchEntries * benchBytes)

			for n := uint64(1); b.Loop(); n++ {
				_, err := a.Create(b.Context(), 0, func(w *snapshot.Writer) (snapshot.Meta, error) { return meta(n), fill(w) })
				require.NoError(b, err)
				_, err = a.Prune(b.Context(), 0, 1)
				require.NoError(b, err)
			}

			b.ReportMetric(float64(b.N)*benchEntries/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkSmall is a snapshot of nearly nothing, of which there are many.
func BenchmarkSmall(b *testing.B) {
	b.ReportAllocs()

	for b.Loop() {
		data := encode(b, header(), meta(1), entry(1))
		_, _, err := snapshot.Verify(b.Context(), bytes.NewReader(data))
		require.NoError(b, err)
	}
}
