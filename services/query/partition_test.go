package query_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

// listed is what ListPartitions says now.
func (w *world) listed() []*adminv1.Partition {
	w.tb.Helper()

	got, err := w.admin().ListPartitions(w.as(access.RoleAdmin), &adminv1.ListPartitionsRequest{})
	require.NoError(w.tb, err)
	require.Len(w.tb, got.GetPartitions(), partitions)

	return got.GetPartitions()
}

// keep commits a state of the fold for a partition, up to a cursor.
func (w *world) keep(partition int, cursor uint64, state *fold.State) {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()

	w.part(partition).state = *state
	w.commit(partition, &store.Commit{}, state.LogTime, cursor)
}

func codesOf(p *adminv1.Partition) []string {
	var all []string
	for _, one := range p.GetProblems() {
		all = append(all, one.GetCode())
	}

	return all
}

func TestListPartitions(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))

	for n, p := range w.listed() {
		require.Equal(t, int32(n), p.GetPartition())
		require.Zero(t, p.GetStream())
		require.Empty(t, p.GetOwner(), "nobody has claimed it")
		require.Nil(t, p.GetLeaseLeft())
		require.Zero(t, p.GetEpoch())
		require.Zero(t, p.GetLogEnd())
		require.Zero(t, p.GetLagMessages())
		require.Zero(t, p.GetLag().AsDuration())
		require.Nil(t, p.GetAsOf())
		require.Nil(t, p.GetDraft())
		require.Empty(t, p.GetProblems())
	}

	writer := w.writer()
	before := time.Now()
	_, n, first := w.write(writer, "acme")
	_, _, second := w.write(writer, "acme")
	require.NoError(t, writer.Close(t.Context()))

	waiting := w.listed()[n]
	require.Equal(t, uint64(2), waiting.GetLagMessages())
	require.Equal(t, second, waiting.GetLogEnd())
	require.Positive(t, waiting.GetLag().AsDuration())
	require.LessOrEqual(t, waiting.GetLag().AsDuration(), time.Since(before)+time.Second)

	head, err := w.store.Claim(t.Context(), n, store.Lease{
		Owner: "scoring-1", Deployment: w.log.Layout().ID, TTL: time.Hour,
	})
	require.NoError(t, err)

	w.parts[n] = &part{head: head}
	state := fold.State{
		Stream: w.log.Layout().ID + "/0/1", LogTime: noon(), Accounts: 7, Counted: 11, Duplicates: 3, Rejected: 2,
	}
	w.keep(n, first, &state)

	half := w.listed()[n]
	require.Equal(t, "scoring-1", half.GetOwner())
	require.InDelta(t, time.Hour, half.GetLeaseLeft().AsDuration(), float64(time.Minute))
	require.Equal(t, head.Epoch, half.GetEpoch())
	require.Equal(t, head.Generation, half.GetGeneration())
	require.Equal(t, first, half.GetCursor())
	require.Equal(t, uint64(1), half.GetLagMessages())
	require.Equal(t, noon(), half.GetAsOf().AsTime().UnixMicro())
	require.Equal(t, uint64(7), half.GetAccounts())
	require.Equal(t, []uint64{11, 3, 2}, []uint64{half.GetCounted(), half.GetDuplicates(), half.GetRejected()})
	require.Empty(t, half.GetProblems())

	draft, err := w.store.BeginDraft(t.Context(), n, head.Epoch)
	require.NoError(t, err)
	w.keep(n, second, &state)

	done := w.listed()[n]
	require.Zero(t, done.GetLagMessages())
	require.Zero(t, done.GetLag().AsDuration())
	require.Equal(t, second, done.GetLogEnd())
	require.Equal(t, draft.Generation, done.GetDraft().GetGeneration())
	require.NotEqual(t, done.GetGeneration(), done.GetDraft().GetGeneration())
	require.Zero(t, done.GetDraft().GetCursor())
}

func TestListPartitionsSaysWhatIsWrong(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	writer := w.writer()

	for i := range 3 * partitions {
		w.write(writer, accountID(i))
	}

	own := w.log.Layout().ID + "/0/1"

	t.Run("a log that ends before the state", func(t *testing.T) {
		w.keep(0, 1000, &fold.State{Stream: own})
		require.Equal(t, []string{"log_lost_tail"}, codesOf(w.listed()[0]))
	})

	t.Run("a state of another log", func(t *testing.T) {
		w.keep(1, 1, &fold.State{Stream: "other/0/1"})
		require.Equal(t, []string{"log_replaced"}, codesOf(w.listed()[1]))
	})

	t.Run("an owner that reads another log", func(t *testing.T) {
		_, err := w.store.Claim(t.Context(), 2, store.Lease{Owner: "stranger", Deployment: "other", TTL: time.Hour})
		require.NoError(t, err)
		require.Equal(t, []string{"foreign_owner"}, codesOf(w.listed()[2]))
		require.Contains(t, w.listed()[2].GetProblems()[0].GetMessage(), "stranger")
	})

	t.Run("a state that cannot be read", func(t *testing.T) {
		w.mu.Lock()
		p := w.part(3)
		c := &store.Commit{Partition: 3, Epoch: p.head.Epoch, Generation: p.head.Generation, Cursor: 1, State: []byte("?")}
		err := w.store.Commit(t.Context(), c)
		w.mu.Unlock()
		require.NoError(t, err)

		got := w.listed()[3]
		require.Equal(t, []string{"state_unreadable"}, codesOf(got))
		require.Equal(t, uint64(1), got.GetCursor(), "what can be known is told")
	})

	t.Run("a log that begins after the state", func(t *testing.T) {
		stream, err := w.log.JetStream().Stream(t.Context(), "EVENTS")
		require.NoError(t, err)

		for sequence := range uint64(5) {
			require.NoError(t, stream.DeleteMsg(t.Context(), sequence+1))
		}

		w.mu.Lock()
		delete(w.parts, 2)
		w.mu.Unlock()
		w.keep(2, 3, &fold.State{Stream: own})
		require.Contains(t, codesOf(w.listed()[2]), "log_trimmed")
	})
}

func TestListPartitionsWithoutALog(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	require.NoError(t, w.log.JetStream().DeleteStream(t.Context(), "EVENTS"))

	_, err := w.admin().ListPartitions(w.as(access.RoleAdmin), &adminv1.ListPartitionsRequest{})
	require.Error(t, err)
	require.ErrorContains(t, err, "a stream of the log is gone")
}
