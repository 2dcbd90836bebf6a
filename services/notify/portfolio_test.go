package notify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/notify"
)

// scored is a partition in a store.
type scored struct {
	t         *testing.T
	store     *memory.Store
	partition *fold.Partition
	accounts  map[string]*health.Account
	ids       []string
	sequence  uint64
}

func (s *scored) Get(id string) *health.Account { return s.accounts[id] }

func (s *scored) Put(id string, a *health.Account) {
	s.accounts[id] = a
	s.ids = append(s.ids, id)
}

func newScored(t *testing.T) *scored {
	t.Helper()

	m, err := memory.Open(memory.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })

	head, err := m.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)
	p, err := fold.NewPartition(fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse, Muted: true}, head)
	require.NoError(t, err)

	return &scored{t: t, store: m, partition: p, accounts: map[string]*health.Account{}}
}

// fold folds a message and commits what comes of it.
func (s *scored) fold(at time.Time, records ...*logv1.Record) {
	s.t.Helper()

	s.sequence++
	m := &fold.Message{Sequence: s.sequence, Time: at.UnixMicro(), Hash: s.sequence, Records: records}
	require.NoError(s.t, s.partition.Begin(m))
	require.Equal(s.t, len(records), s.partition.Apply(m, 0, s))

	for s.partition.Sweeping() {
		first := int(s.partition.SweepChunk()) * fold.ChunkSize
		s.partition.Sweep(s.partition.SweepNext(s.ids[first:], 1000), s)
	}

	c, refused := s.partition.Flush()
	require.Empty(s.t, refused)
	require.NoError(s.t, s.store.Commit(s.t.Context(), c))
}

func event(workspace, account, id string, at time.Time, e *eventv1.Event) *logv1.Record {
	e.MessageId, e.AccountId, e.OccurredAt = id, account, timestamppb.New(at)

	return &logv1.Record{Workspace: workspace, Payload: &logv1.Record_Event{Event: e}}
}

func login(user string) *eventv1.Event {
	return &eventv1.Event{UserId: user, Body: &eventv1.Event_Login{Login: &eventv1.Login{}}}
}

func TestPortfolio(t *testing.T) {
	t.Parallel()

	s := newScored(t)
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	profile := func(owner string) *eventv1.Event {
		return &eventv1.Event{Body: &eventv1.Event_Account{Account: &eventv1.Account{Owner: &owner}}}
	}

	const many = 1200 // more than a chunk, and than one read

	var records []*logv1.Record
	for i := range many {
		records = append(records, event("w", fmt.Sprint("a", i), fmt.Sprint("m", i), monday, profile("ann")))
	}

	records = append(records, event("w", "a0", "seen", monday, login("u")), event("else", "b", "m", monday, profile("bob")))
	for i := range 600 { // a large one, which stands in parts
		records = append(records, event("w", "a1", fmt.Sprint("large", i), monday, login(fmt.Sprint("user", i))))
	}

	s.fold(monday, records...)

	id := store.Account("w", "a0")
	monday1 := *s.accounts[id].Subject().Score
	s.fold(monday.AddDate(0, 0, 20))

	now := *s.accounts[id].Subject().Score
	require.Less(t, now, monday1)

	found := map[string]notify.Holding{}
	p := notify.NewPortfolio(s.store, 1)
	require.NoError(t, p.Accounts(t.Context(), "w", monday.AddDate(0, 0, 1), func(h notify.Holding) { found[h.ID] = h }))
	require.Len(t, found, many, "each of the workspace, and no other's")
	require.Equal(t, "ann", found["a1199"].Subject.GetOwner())
	require.InDelta(t, monday1, *found["a0"].Before, 0, "as the day ended")
	require.InDelta(t, now, *found["a0"].Subject.Score, 0)

	parts, err := s.partsOf("a1")
	require.NoError(t, err)
	require.NotEmpty(t, parts)
	require.NotNil(t, found["a1"].Before, "large ones too")

	clear(found)
	require.NoError(t, p.Accounts(t.Context(), "w", monday, func(h notify.Holding) { found[h.ID] = h }))
	require.Nil(t, found["a0"].Before, "there was no day before")
}

func (s *scored) partsOf(account string) ([]uint32, error) {
	_, values, err := s.store.Read(s.t.Context(), 0, store.AccountKey(store.Account("w", account)))
	require.NoError(s.t, err)

	return health.Parts(values[0])
}
