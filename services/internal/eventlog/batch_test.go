package eventlog_test

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
)

func encode(t testing.TB, records ...*logv1.Record) []byte {
	t.Helper()

	data := eventlog.AppendHead(nil)

	for _, r := range records {
		var err error
		data, err = eventlog.AppendRecord(data, r)
		require.NoError(t, err)
	}

	return data
}

func TestBatch(t *testing.T) {
	t.Parallel()

	t.Run("is an EventBatch for everyone who knows the contract", func(t *testing.T) {
		t.Parallel()

		records := []*logv1.Record{
			record("acme", "m-1"),
			{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}},
			{Workspace: "w", Payload: &logv1.Record_CloseLoad{CloseLoad: &logv1.CloseLoad{Historical: "load"}}},
		}
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(
			&logv1.EventBatch{Version: 1, Records: records})
		require.NoError(t, err)
		require.Equal(t, want, encode(t, records...))

		got, err := eventlog.DecodeBatch(want)
		require.NoError(t, err)
		require.Len(t, got, len(records))

		for i := range got {
			require.True(t, proto.Equal(records[i], got[i]))
		}
	})

	t.Run("has the bytes that it always had", func(t *testing.T) {
		t.Parallel()

		data := encode(t, &logv1.Record{
			Workspace: "w", Origin: "grpc",
			Payload: &logv1.Record_SetScorecards{
				SetScorecards: &logv1.SetScorecards{Version: 7, Document: []byte("doc")},
			},
		})
		require.Equal(t, "080112120a01771204677270633207080712"+"03646f63", hex.EncodeToString(data))
	})

	t.Run("is poison when it is cut, foreign or of an unknown version", func(t *testing.T) {
		t.Parallel()

		good := encode(t, record("acme", "m-1"))
		for _, bad := range [][]byte{good[:len(good)-1], []byte("not protobuf"), {0x08, 0x02}, {}, nil} {
			_, err := eventlog.DecodeBatch(bad)
			require.ErrorIs(t, err, eventlog.ErrPoison, "%x", bad)
		}
	})

	t.Run("refuses text that is no UTF-8", func(t *testing.T) {
		t.Parallel()

		_, err := eventlog.AppendRecord(nil, record("acme", "\xff"))
		require.ErrorContains(t, err, "UTF-8")
	})
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(encode(f, record("acme", "m-1"), record("globex", "m-2")))
	f.Add([]byte{0x08, 0x01, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := eventlog.DecodeBatch(data)
		if err != nil {
			require.ErrorIs(t, err, eventlog.ErrPoison)

			return
		}

		again, err := eventlog.DecodeBatch(encode(t, records...))
		require.NoError(t, err)
		require.Len(t, again, len(records))
	})
}

func TestHash(t *testing.T) {
	t.Parallel()

	one := eventlog.Message{Partition: 1, Data: []byte("data")}
	same := eventlog.Message{Partition: 1, Data: []byte("data"), Sequence: 9, Time: 9}
	require.Equal(t, one.Hash(), same.Hash())
	require.Equal(t, "457c223734ff1585", fmt.Sprintf("%016x", one.Hash()), "guards keep hashes in the store")

	for _, other := range []eventlog.Message{{Partition: 2, Data: []byte("data")}, {Partition: 1, Data: []byte("date")}} {
		require.NotEqual(t, one.Hash(), other.Hash())
	}
}
