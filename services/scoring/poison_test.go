package scoring

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/reject"
)

// nothing is a record of a kind that nobody knows.
func nothing(origin string) *logv1.Record {
	return &logv1.Record{Workspace: "default", Origin: origin}
}

// refused lists the refused events with a code, newest first.
func (w *world) refused(code string) []reject.Stored {
	w.t.Helper()
	all, _, err := w.rejects.List(w.t.Context(), "default", code, 0, 100)
	require.NoError(w.t, err)
	return all
}

// garbage publishes raw bytes as a message of partition 0.
func (w *world) garbage(data []byte) {
	w.t.Helper()
	_, err := w.log.JetStream().Publish(w.t.Context(), "events.0", data)
	require.NoError(w.t, err)
}

func TestPoison(t *testing.T) {
	t.Parallel()
	t.Run("messages that cannot be decoded are kept as refused, and the partition goes on", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		for _, data := range [][]byte{[]byte("garbage"), {}, bytes.Repeat([]byte{0xff}, 1<<20-1000)} {
			w.garbage(data)
		}
		w.write("a/2")
		w.fold(total{counted: 2, rejected: 3})
		kept := w.refused("undecodable")
		require.Len(t, kept, 3)
		require.Contains(t, string(kept[2].Body), `"sequence":2`)
		require.NotEmpty(t, kept[2].Message)
		require.Len(t, kept[0].Body, reject.MaxBodyBytes)
	})
	t.Run("folding them again keeps them once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 1)
		w.write("a/1")
		w.garbage([]byte("garbage"))
		w.records("a", event("a/2"), nothing("test"), event("a/3"))
		want := total{counted: 3, rejected: 2}
		w.fold(want)
		w.store = newStore(t)
		w.fold(want)
		require.Len(t, w.refused(""), 2)
		require.Len(t, w.refused("unknown_record"), 1)
	})
}
