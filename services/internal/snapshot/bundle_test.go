package snapshot_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/snapshot/vaulttest"
)

func openPlace(t testing.TB, place string, o snapshot.OpenOptions) snapshot.Vault {
	t.Helper()

	v, err := snapshot.Open(t.Context(), place, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })

	return v
}

// placeAt opens one place again and again.
func placeAt(place string, o snapshot.OpenOptions) vaulttest.Place {
	return func(t testing.TB) snapshot.Vault {
		t.Helper()

		return openPlace(t, place, o)
	}
}

// places make empty places, one of each kind.
func places() map[string]func(t testing.TB) vaulttest.Place {
	return map[string]func(t testing.TB) vaulttest.Place{
		"a folder": folderPlace, "JetStream": objectStorePlace, "S3": s3Place,
	}
}

// read is an object of a vault.
func read(t testing.TB, v snapshot.Vault, name string) []byte {
	t.Helper()

	r, err := v.Get(t.Context(), name)
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())

	return data
}

func header() snapshot.Header {
	return snapshot.Header{Layout: "kq3-_AbCdEfG", Partition: 7, Begun: 1_750_000_000_000_000}
}

func meta(cursor uint64) snapshot.Meta {
	return snapshot.Meta{
		Stream: "EVENTS-0@2026", Cursor: cursor, Generation: 3, LogTime: 1_750_000_000_000_001, LastTime: -1,
		LastHash: 1 << 63, State: []byte("state"), Version: "v1.2.3", Rules: 4,
	}
}

// entry is an entry whose value is its own.
func entry(i int) snapshot.Entry {
	return snapshot.Entry{Key: fmt.Sprintf("account-%d", i), Value: fmt.Appendf(nil, "value of %d", i), Removed: false}
}

// add writes entries.
func add(w *snapshot.Writer, all ...snapshot.Entry) error {
	for _, e := range all {
		err := w.Put(e.Key, e.Value)
		if e.Removed {
			err = w.Remove(e.Key)
		}

		if err != nil {
			return err
		}
	}

	return nil
}

// encode is a whole snapshot.
func encode(t require.TestingT, h snapshot.Header, m snapshot.Meta, all ...snapshot.Entry) []byte {
	var b bytes.Buffer

	w, err := snapshot.NewWriter(&b, h)
	require.NoError(t, err)
	require.NoError(t, add(w, all...))
	require.NoError(t, w.Finish(m))

	return b.Bytes()
}
