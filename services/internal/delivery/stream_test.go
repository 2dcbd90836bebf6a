package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

func open(t *testing.T) *delivery.Stream {
	t.Helper()

	s, err := delivery.Open(t.Context(), natstest.JetStream(t), delivery.Options{})
	require.NoError(t, err)

	return s
}

func TestPut(t *testing.T) {
	t.Parallel()

	s, ctx := open(t), t.Context()

	var writes []delivery.Write
	for i := range 1500 {
		writes = append(writes, delivery.Write{Record: &delivery.Delivery{
			Workspace: "w", Receiver: "r", AlertID: fmt.Sprint("a", i), Revision: 1, Sequence: uint64(i + 1),
		}})
	}

	sequences, err := s.Put(ctx, writes...)
	require.NoError(t, err)
	require.Len(t, sequences, 1500)
	require.EqualValues(t, 1500, sequences[1499])

	at, err := s.Put(ctx, delivery.Write{Record: &delivery.Cursor{Sequence: 1}})
	require.NoError(t, err)
	_, err = s.Put(ctx, delivery.Write{Record: &delivery.Cursor{Sequence: 2}})
	require.ErrorIs(t, err, delivery.ErrFenced, "somebody else has written")
	_, err = s.Put(ctx, delivery.Write{Record: &delivery.Cursor{Sequence: 3}, Replaces: at[0]})
	require.NoError(t, err)
	_, err = s.Put(ctx, writes[0])
	require.ErrorIs(t, err, delivery.ErrFenced, "a delivery is written once")
	_, err = s.Put(ctx, delivery.Write{Record: &delivery.Notice{Workspace: "w", ID: "a.b"}})
	require.ErrorIs(t, err, delivery.ErrToken)

	n := 0

	var cursor uint64

	require.NoError(t, s.Load(ctx, func(e delivery.Entry) error {
		switch r := e.Record.(type) {
		case *delivery.Delivery:
			require.Equal(t, sequences[n], e.Sequence)
			require.Equal(t, fmt.Sprint("a", n), r.AlertID)
			n++
		case *delivery.Cursor:
			cursor = r.Sequence
		}

		return nil
	}))
	require.Equal(t, 1500, n)
	require.EqualValues(t, 3, cursor, "the newest alone")
}

func TestOf(t *testing.T) {
	t.Parallel()

	s, ctx := open(t), t.Context()
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	one := func(receiver string, revision uint32, notice, skipped string) delivery.Write {
		return delivery.Write{Record: &delivery.Delivery{
			Workspace: "w", Receiver: receiver, AlertID: "a", Revision: revision, At: at, Due: at.Add(time.Minute),
			Notice: notice, Skipped: skipped,
		}}
	}
	notice := func(id string, status delivery.Status, skipped map[string]string) delivery.Write {
		return delivery.Write{Record: &delivery.Notice{
			ID: id, Workspace: "w", Receiver: "r", Status: status, At: at, Attempts: 2, Reason: "why", NextTry: at, Skipped: skipped,
		}}
	}

	_, err := s.Put(ctx,
		one("r", 1, "n1", ""), one("r", 2, "n2", ""), one("r", 3, "n3", ""), one("r", 4, "n4", ""), one("r", 5, "n1", ""),
		one("r", 6, "", delivery.ReasonHeld),
		notice("n1", delivery.StatusDelivered, map[string]string{"a-5": delivery.ReasonOvertaken}),
		notice("n2", delivery.StatusDead, nil), notice("n3", delivery.StatusPending, nil))
	require.NoError(t, err)

	shown, err := s.Of(ctx, "w", "a")
	require.NoError(t, err)

	var got []string
	for _, d := range shown {
		got = append(got, fmt.Sprintf("%s %s %d %s %t", d.GetTransitionId(), d.GetStatus(), d.GetAttempts(), d.GetReason(), d.GetNextTry() != nil))
	}

	require.Equal(t, []string{
		"a-6 STATUS_SKIPPED 0 held false",
		"a-5 STATUS_SKIPPED 0 overtaken false",
		"a-4 STATUS_PENDING 0  true",
		"a-3 STATUS_PENDING 2 why true",
		"a-2 STATUS_DEAD 2 why false",
		"a-1 STATUS_DELIVERED 2 why false",
	}, got)
	require.Equal(t, alertv1.Delivery_STATUS_SKIPPED, shown[0].GetStatus())

	none, err := s.Of(ctx, "w", "other")
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = s.Of(ctx, "w", "a.b")
	require.ErrorIs(t, err, delivery.ErrToken)
}

func TestPutIntoAFullStream(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s, err := delivery.Open(t.Context(), js, delivery.Options{})
	require.NoError(t, err)

	one := func(id string, reason string) delivery.Write {
		return delivery.Write{Record: &delivery.Notice{ID: id, Workspace: "w", Receiver: "r", Status: delivery.StatusPending, Reason: reason}}
	}

	_, err = s.Put(t.Context(), one("a", ""))
	require.NoError(t, err)

	stream, err := js.Stream(t.Context(), "NOTIFY")
	require.NoError(t, err)

	config := stream.CachedInfo().Config
	config.MaxBytes = int64(stream.CachedInfo().State.Bytes) + 1000
	_, err = js.UpdateStream(t.Context(), config)
	require.NoError(t, err)

	sequences, err := s.Put(t.Context(), one("b", ""), one("c", strings.Repeat("x", 2000)), one("d", ""))
	require.ErrorIs(t, err, delivery.ErrFull)
	require.Equal(t, []uint64{2, 0, 3}, sequences, "what is written is told, and what is not")

	config.MaxBytes = -1
	_, err = js.UpdateStream(t.Context(), config)
	require.NoError(t, err)

	sequences, err = s.Put(t.Context(), one("c", strings.Repeat("x", 2000)))
	require.NoError(t, err)
	require.Equal(t, []uint64{4}, sequences)
}
