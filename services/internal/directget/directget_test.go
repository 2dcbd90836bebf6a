package directget_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/directget"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

func TestGet(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "LETTERS", Subjects: []string{"letters.>"}, AllowDirect: true,
	})
	require.NoError(t, err)

	for i := range 10 { // 1, 3, 5, … are of a, 2, 4, … of b
		_, err := js.Publish(t.Context(), "letters."+string("ab"[i%2]), fmt.Append(nil, i))
		require.NoError(t, err)
	}

	get := func(r directget.Request) []*nats.Msg {
		t.Helper()

		found, err := directget.Get(t.Context(), js.Conn(), "LETTERS", r)
		require.NoError(t, err)

		return found
	}

	t.Run("gives what matches, from a place on, in order", func(t *testing.T) {
		t.Parallel()

		found := get(directget.Request{Sequence: 4, Subject: "letters.a", Batch: 2})
		require.Len(t, found, 2)

		for i, want := range []uint64{5, 7} {
			sequence, at, err := directget.Place(found[i])
			require.NoError(t, err)
			require.Equal(t, want, sequence)
			require.WithinDuration(t, time.Now(), at, time.Minute)
			require.Equal(t, fmt.Append(nil, want-1), found[i].Data)
		}

		left, err := directget.Left(found[1])
		require.NoError(t, err)
		require.Equal(t, 1, left)
	})

	t.Run("a batch ends at its bytes", func(t *testing.T) {
		t.Parallel()

		found := get(directget.Request{Sequence: 1, Subject: "letters.>", Batch: 10, MaxBytes: 1})
		require.Len(t, found, 1)
	})

	t.Run("gives nothing where there is nothing", func(t *testing.T) {
		t.Parallel()

		require.Empty(t, get(directget.Request{Sequence: 11, Subject: "letters.>", Batch: 10}))
		require.Empty(t, get(directget.Request{Sequence: 1, Subject: "letters.c", Batch: 10}))
	})

	t.Run("says what the server refuses", func(t *testing.T) {
		t.Parallel()

		_, err := directget.Get(t.Context(), js.Conn(), "LETTERS", directget.Request{Batch: 10})
		require.ErrorIs(t, err, directget.ErrState)
	})

	t.Run("a stream that is not there is an error, and no empty answer", func(t *testing.T) {
		t.Parallel()

		_, err := directget.Get(t.Context(), js.Conn(), "NONE", directget.Request{Sequence: 1, Subject: ">", Batch: 1})
		require.ErrorIs(t, err, nats.ErrNoResponders)
	})

	t.Run("what no server wrote has no place", func(t *testing.T) {
		t.Parallel()

		_, _, err := directget.Place(nats.NewMsg("letters.a"))
		require.Error(t, err)
		_, err = directget.Left(nats.NewMsg("letters.a"))
		require.Error(t, err)
	})
}
