package snapshot_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/snapshot/vaulttest"
)

func folderPlace(t testing.TB) vaulttest.Place {
	t.Helper()

	return placeAt("file://"+filepath.Join(t.TempDir(), "deep", "snapshots"), snapshot.OpenOptions{})
}

func TestFolder(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, folderPlace)

	t.Run("only the owner can read", func(t *testing.T) {
		t.Parallel()

		dir := filepath.Join(t.TempDir(), "snapshots")
		v := openPlace(t, dir, snapshot.OpenOptions{})
		require.NoError(t, v.Put(t.Context(), "a/b/c", strings.NewReader("x")))

		for name, mode := range map[string]fs.FileMode{"": 0o700, "a": 0o700, "a/b": 0o700, "a/b/c": 0o600} {
			info, err := os.Stat(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode().Perm(), name)
		}
	})

	t.Run("what a crash left is never seen, and swept when it is old", func(t *testing.T) {
		t.Parallel()

		dir := t.TempDir()
		v := openPlace(t, dir, snapshot.OpenOptions{})
		require.NoError(t, v.Put(t.Context(), "a/b", strings.NewReader("x")))
		left := filepath.Join(dir, "a", ".upload-123")
		require.NoError(t, os.WriteFile(left, []byte("half"), 0o600))

		all, err := v.List(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, all, 1)

		n, err := v.Sweep(t.Context(), time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "it may still be written")
		require.FileExists(t, left)

		n, err = v.Sweep(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NoFileExists(t, left)
		require.FileExists(t, filepath.Join(dir, "a", "b"))
	})

	t.Run("a plain path is a folder too", func(t *testing.T) {
		t.Parallel()

		dir := t.TempDir()
		v := openPlace(t, dir, snapshot.OpenOptions{})
		require.NoError(t, v.Put(t.Context(), "a", strings.NewReader("x")))
		require.FileExists(t, filepath.Join(dir, "a"))
		require.Equal(t, "folder "+dir, v.String())
	})

	t.Run("a file in the way is an error", func(t *testing.T) {
		t.Parallel()

		dir := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(dir, nil, 0o600))
		_, err := snapshot.Open(t.Context(), dir, snapshot.OpenOptions{})
		require.ErrorContains(t, err, "making the folder")
	})
}
