package snapshot_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/snapshot"
)

func TestName(t *testing.T) {
	t.Parallel()

	t.Run("it is what operators see", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "kq3-_Ab/p0003/00000000000000012345-1750000000000001.snapshot",
			snapshot.FormatName("kq3-_Ab", 3, 12345, time.UnixMicro(1_750_000_000_000_001)))
	})

	t.Run("every name is read as it was made", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			layout := base64.RawURLEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 9, 9).Draw(t, "layout"))
			want := snapshot.Info{
				Partition: rapid.IntRange(0, 99999).Draw(t, "partition"),
				Cursor:    rapid.Uint64().Draw(t, "cursor"),
				Created:   time.UnixMicro(rapid.Int64Range(0, 1<<55).Draw(t, "created")).UTC(),
			}
			want.Name = snapshot.FormatName(layout, want.Partition, want.Cursor, want.Created)
			got, ok := snapshot.ParseName(layout, want.Name)
			require.True(t, ok)
			require.Equal(t, want, got)

			_, ok = snapshot.ParseName(layout+"x", want.Name)
			require.False(t, ok, "it is of another log")
		})
	})

	t.Run("others are not ours", func(t *testing.T) {
		t.Parallel()

		for _, name := range []string{
			"", "l", "l/p0003", "l/p0003/", "l/p3/00000000000000012345-1.snapshot", "l/p0003/12345-1.snapshot",
			"l/p0003/00000000000000012345-1", "l/p0003/00000000000000012345.snapshot", "l/p-003/00000000000000012345-1.snapshot",
			"l/p0003/00000000000000012345-01.snapshot", "l/p0003/00000000000000012345-1.snapshot.snapshot",
			"l/p0003/99999999999999999999-1.snapshot", "l/p0003/x/00000000000000012345-1.snapshot", "l/p+003/00000000000000012345-1.snapshot",
		} {
			_, ok := snapshot.ParseName("l", name)
			require.False(t, ok, name)
		}
	})

	t.Run("a layout's id that could hold a separator is refused", func(t *testing.T) {
		t.Parallel()

		for _, id := range []string{"", "a/b", "..", "a.b", "a b", "ä"} {
			_, err := snapshot.NewArchive(nil, snapshot.ArchiveOptions{Layout: id})
			require.ErrorIs(t, err, snapshot.ErrName, id)
		}
	})
}
