package snapshot_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/snapshot/vaulttest"
)

func objectStorePlace(t testing.TB) vaulttest.Place {
	t.Helper()

	return placeAt("jetstream", snapshot.OpenOptions{JetStream: natstest.JetStream(t)})
}

func TestObjectStore(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, objectStorePlace)

	t.Run("other tools read it as an object store, and it reads what they wrote", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: js})
		data := bytes.Repeat([]byte("0123456789"), 200_000)
		require.NoError(t, v.Put(t.Context(), "a/b", bytes.NewReader(data)))

		bucket, err := js.ObjectStore(t.Context(), "hale_snapshots")
		require.NoError(t, err)
		got, err := bucket.GetBytes(t.Context(), "a/b")
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))

		_, err = bucket.PutBytes(t.Context(), "c/d", data)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, read(t, v, "c/d")))

		require.NoError(t, bucket.Delete(t.Context(), "c/d"))
		_, err = v.Get(t.Context(), "c/d")
		require.ErrorIs(t, err, snapshot.ErrNotFound)
		all, err := v.List(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, all, 1)
	})

	t.Run("what was deleted leaves nothing in the stream", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: js})
		require.NoError(t, v.Put(t.Context(), "a", strings.NewReader("x")))
		require.NoError(t, v.Delete(t.Context(), "a"))
		require.Zero(t, messages(t, js))
	})

	t.Run("chunks without a name are swept when they are old", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: js})
		require.NoError(t, v.Put(t.Context(), "a", strings.NewReader("x")))
		_, err := js.Publish(t.Context(), "$O.hale_snapshots.C.gone", []byte("half"))
		require.NoError(t, err)

		n, err := v.Sweep(t.Context(), time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = v.Sweep(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, uint64(2), messages(t, js), "the chunk and the entry of the object")
		require.Equal(t, "x", string(read(t, v, "a")))
	})

	t.Run("one that lost a chunk is damaged, and so is one with another chunk", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: js})
		require.NoError(t, v.Put(t.Context(), "a", bytes.NewReader(make([]byte, 2<<20))))

		stream, err := js.Stream(t.Context(), "OBJ_hale_snapshots")
		require.NoError(t, err)
		second, err := stream.GetMsg(t.Context(), 2)
		require.NoError(t, err)
		require.NoError(t, stream.DeleteMsg(t.Context(), 2))
		_, err = v.Get(t.Context(), "a")
		require.ErrorIs(t, err, snapshot.ErrDamaged)

		_, err = js.Publish(t.Context(), second.Subject, []byte("another"))
		require.NoError(t, err)
		r, err := v.Get(t.Context(), "a")
		require.NoError(t, err)
		_, err = bytes.NewBuffer(nil).ReadFrom(r)
		require.ErrorIs(t, err, snapshot.ErrDamaged)
		require.NoError(t, r.Close())
	})

	t.Run("an entry that cannot be read is listed and damaged", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: js})
		_, err := js.Publish(t.Context(), "$O.hale_snapshots.M.YQ==", []byte("{"))
		require.NoError(t, err)
		_, err = v.Get(t.Context(), "a")
		require.ErrorIs(t, err, snapshot.ErrDamaged)
		all, err := v.List(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []snapshot.Object{{Name: "a"}}, all)
	})

	t.Run("a bucket at its cap is full, and leaves nothing of what it refused", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: js, MaxBytes: 3 << 20})
		require.NoError(t, v.Put(t.Context(), "a", bytes.NewReader(make([]byte, 1<<20))))
		err := v.Put(t.Context(), "b", bytes.NewReader(make([]byte, 4<<20)))
		require.ErrorIs(t, err, snapshot.ErrFull)
		require.Equal(t, uint64(3), messages(t, js), "two chunks and the entry of the first")
		require.NoError(t, v.Put(t.Context(), "c", bytes.NewReader(make([]byte, 1<<20))))
	})

	t.Run("it is made as it is asked for, and then stays", func(t *testing.T) {
		t.Parallel()

		js := natstest.JetStream(t)
		openPlace(t, "", snapshot.OpenOptions{JetStream: js, MaxBytes: 1 << 20})
		openPlace(t, "", snapshot.OpenOptions{JetStream: js, MaxBytes: 2 << 20})
		stream, err := js.Stream(t.Context(), "OBJ_hale_snapshots")
		require.NoError(t, err)
		config := stream.CachedInfo().Config
		require.Equal(t, int64(1<<20), config.MaxBytes)
		require.Equal(t, 1, config.Replicas)
		require.Equal(t, jetstream.FileStorage, config.Storage)
		require.False(t, config.AllowDirect)

		_, err = snapshot.Open(t.Context(), "", snapshot.OpenOptions{JetStream: natstest.JetStream(t), Replicas: 3})
		require.Error(t, err, "one server cannot keep three")
	})

	t.Run("without JetStream there is no place", func(t *testing.T) {
		t.Parallel()

		_, err := snapshot.Open(t.Context(), "", snapshot.OpenOptions{})
		require.ErrorIs(t, err, snapshot.ErrPlace)
	})
}

func messages(t testing.TB, js jetstream.JetStream) uint64 {
	t.Helper()

	stream, err := js.Stream(t.Context(), "OBJ_hale_snapshots")
	require.NoError(t, err)

	return stream.CachedInfo().State.Msgs
}
