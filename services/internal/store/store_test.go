package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"hale.dev/services/internal/store"
)

func TestAccount(t *testing.T) {
	t.Parallel()
	t.Run("any workspace and account come back", rapid.MakeCheck(func(rt *rapid.T) {
		w, a := anyBytes(rt, "workspace"), anyBytes(rt, "account")
		gotW, gotA, ok := store.SplitAccount(store.Account(w, a))
		require.True(rt, ok)
		require.Equal(rt, w, gotW)
		require.Equal(rt, a, gotA)
	}))
	t.Run("no two accounts share an id", func(t *testing.T) {
		t.Parallel()
		require.NotEqual(t, store.Account("a", "bc"), store.Account("ab", "c"))
		require.NotEqual(t, store.Account("", "abc"), store.Account("abc", ""))
	})
	t.Run("a string that is no id is refused", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{"", "\x05abc", "\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
			_, _, ok := store.SplitAccount(id)
			require.False(t, ok, "%q", id)
		}
	})
}

func anyBytes(rt *rapid.T, label string) string {
	return string(rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, label))
}

func TestKeys(t *testing.T) {
	t.Parallel()
	t.Run("a key of an account's state names the account, and no other does", rapid.MakeCheck(func(rt *rapid.T) {
		id, n := "x"+anyBytes(rt, "id"), rapid.Uint32().Draw(rt, "number")
		for _, key := range []string{store.AccountKey(id), store.PartKey(id, n)} {
			got, ok := store.AccountOf(key)
			require.True(rt, ok)
			require.Equal(rt, id, got)
			require.False(rt, store.Past(key))
		}
		past := []string{store.HistoryKey(id, int32(n>>1)), store.ScorecardsVersionKey(id, uint64(n))}
		for _, key := range append(past, store.DedupeKey(1), store.AccountsKey(n), store.RulesKey(id), "", "a", "p1234") {
			_, ok := store.AccountOf(key)
			require.False(rt, ok, "%q", key)
			require.Equal(rt, slices.Contains(past, key), store.Past(key), "%q", key)
		}
	}))
	t.Run("no two kinds of keys meet", rapid.MakeCheck(func(rt *rapid.T) {
		id := anyBytes(rt, "id")
		keys := []string{
			store.AccountKey(id), store.PartKey(id, rapid.Uint32().Draw(rt, "part")),
			store.HistoryKey(id, rapid.Int32().Draw(rt, "era")), store.DedupeKey(rapid.Int64().Draw(rt, "hour")),
			store.AccountsKey(rapid.Uint32().Draw(rt, "chunk")), store.ScorecardsKey(id),
			store.ScorecardsVersionKey(id, rapid.Uint64().Draw(rt, "version")),
		}
		seen := map[string]bool{}
		for _, k := range keys {
			require.False(rt, seen[k], "%q", k)
			seen[k] = true
		}
	}))
	t.Run("the parts of a key tell keys apart", func(t *testing.T) {
		t.Parallel()
		require.NotEqual(t, store.HistoryKey("a", 1), store.HistoryKey("a", -1))
		require.NotEqual(t, store.HistoryKey("a", 1), store.HistoryKey("b", 1))
		require.NotEqual(t, store.PartKey("a", 1), store.PartKey("a", 2))
		require.NotEqual(t, store.DedupeKey(1), store.DedupeKey(256))
		require.NotEqual(t, store.AccountsKey(1), store.AccountsKey(1<<24))
		require.NotEqual(t, store.ScorecardsVersionKey("a", 1), store.ScorecardsVersionKey("a", 256))
		require.NotEqual(t, store.ScorecardsVersionKey("a", 1), store.ScorecardsVersionKey("b", 1))
	})
}

func TestError(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	tests := map[store.Reason]struct {
		code   codes.Code
		reason string
	}{
		store.ReasonEvictingPolicy: {codes.FailedPrecondition, "STORE_EVICTING_POLICY"},
		store.ReasonReadOnly:       {codes.FailedPrecondition, "STORE_READ_ONLY"},
		store.ReasonFormat:         {codes.FailedPrecondition, "STORE_UNKNOWN_FORMAT"},
		store.ReasonLoading:        {codes.Unavailable, "STORE_LOADING"},
		store.ReasonClusterDown:    {codes.Unavailable, "STORE_CLUSTER_DOWN"},
		store.ReasonUnreachable:    {codes.Unavailable, "STORE_UNREACHABLE"},
		store.ReasonClosed:         {codes.Unavailable, "STORE_CLOSED"},
		store.ReasonFull:           {codes.ResourceExhausted, "STORE_FULL"},
		store.ReasonRefused:        {codes.Internal, "STORE_REFUSED"},
		store.Reason("new"):        {codes.Unknown, "STORE_NEW"},
	}
	for reason, want := range tests {
		t.Run(string(reason)+" has its code and its stable reason", func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("doing something: %w", &store.Error{Reason: reason, Message: "message", Err: cause})
			require.True(t, store.HasReason(err, reason))
			require.False(t, store.HasReason(err, "other"))
			require.ErrorIs(t, err, cause)
			s, ok := status.FromError(err)
			require.True(t, ok)
			require.Equal(t, want.code, s.Code())
			require.Len(t, s.Details(), 1)
			info, ok := s.Details()[0].(*errdetails.ErrorInfo)
			require.True(t, ok)
			require.Equal(t, want.reason, info.GetReason())
			require.Equal(t, "hale", info.GetDomain())
		})
	}
	t.Run("the text says what and why", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "store: message (loading): cause",
			(&store.Error{Reason: store.ReasonLoading, Message: "message", Err: cause}).Error())
		require.Equal(t, "store: message (loading)", (&store.Error{Reason: store.ReasonLoading, Message: "message"}).Error())
	})
	t.Run("other errors have no reason", func(t *testing.T) {
		t.Parallel()
		require.False(t, store.HasReason(cause, store.ReasonLoading))
		require.False(t, store.HasReason(nil, store.ReasonLoading))
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	m, err := store.NewMetrics(metric.NewMeterProvider(metric.WithReader(reader)), "test")
	require.NoError(t, err)
	m.Committed(t.Context(), time.Millisecond, nil)
	m.Committed(t.Context(), time.Millisecond, nil)
	m.Committed(t.Context(), time.Millisecond, fmt.Errorf("x: %w", store.ErrFenced))
	m.Committed(t.Context(), time.Millisecond, fmt.Errorf("%w: %w", store.ErrUnknown, context.DeadlineExceeded))
	m.Committed(t.Context(), time.Millisecond, errors.New("other"))

	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	results, seen := map[string]int64{}, map[string]bool{}
	for _, x := range got.ScopeMetrics[0].Metrics {
		seen[x.Name] = true
		switch data := x.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				result, _ := p.Attributes.Value(attribute.Key("result"))
				results[result.AsString()] = p.Value
			}
		case metricdata.Histogram[float64]:
			require.Equal(t, uint64(5), data.DataPoints[0].Count)
		}
	}
	require.Equal(t, map[string]int64{"ok": 2, "fenced": 1, "unknown": 1, "refused": 1}, results)
	require.Equal(t, map[string]bool{"hale_store_commit_seconds": true, "hale_store_commits_total": true}, seen)
}
