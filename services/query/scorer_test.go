package query_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// scorer folds the log of a world by the real rules, as the scoring service does, at a time that the test sets.
type scorer struct {
	w *world
	// ahead is how far log time is ahead of the log's, in microseconds.
	ahead atomic.Int64
	// paused is held while nothing is folded.
	paused sync.Mutex
	parts  [partitions]*folding
	// alerts decides about alerts; nil: nobody does.
	alerts *decider
}

// folding is a partition; its accounts are those of the store.
type folding struct {
	fold     *fold.Partition
	accounts map[string]*health.Account
	ids      []string
}

// Get implements fold.Accounts.
func (f *folding) Get(id string) *health.Account { return f.accounts[id] }

// Put implements fold.Accounts.
func (f *folding) Put(id string, a *health.Account) { f.accounts[id], f.ids = a, append(f.ids, id) }

// startScorer folds until the test ends.
func (w *world) startScorer() *scorer {
	w.tb.Helper()

	s := &scorer{w: w}

	for n := range partitions {
		head, err := w.store.Claim(w.tb.Context(), n, store.Lease{})
		require.NoError(w.tb, err)

		p, err := fold.NewPartition(fold.Options{
			Number: n, Shipped: scorecard.Shipped(), Parse: scorecard.Parse,
		}, head)
		require.NoError(w.tb, err)

		s.parts[n] = &folding{fold: p, accounts: map[string]*health.Account{}}
	}

	ctx, stop := context.WithCancel(context.WithoutCancel(w.tb.Context()))

	var reading sync.WaitGroup

	for n := range w.log.Layout().Streams {
		reading.Go(func() {
			if err := w.log.Read(ctx, n, 0, func(m *eventlog.Message) error { return s.take(ctx, m) }); ctx.Err() == nil {
				w.tb.Errorf("reading the log: %v", err)
			}
		})
	}

	w.tb.Cleanup(func() {
		stop()
		reading.Wait()
	})

	return s
}

// take folds and commits one message.
func (s *scorer) take(ctx context.Context, m *eventlog.Message) error {
	s.paused.Lock()
	defer s.paused.Unlock()

	p := s.parts[m.Partition]
	message := &fold.Message{
		Sequence: m.Sequence, Time: m.Time + s.ahead.Load(), Hash: m.Hash(), Records: m.Records,
	}

	if err := p.fold.Begin(message); err != nil {
		return err
	}

	for p.fold.Apply(message, 0, p) < len(m.Records) {
		panic("no scorecards are set in these tests")
	}

	for p.fold.Sweeping() {
		from := p.fold.SweepChunk() * fold.ChunkSize
		p.fold.Sweep(p.fold.SweepNext(p.ids[from:min(len(p.ids), int(from)+fold.ChunkSize)], fold.ChunkSize), p)
	}

	for p.fold.Waking() {
		p.fold.Wake(p.fold.WakeNext(fold.ChunkSize), p)
	}

	commit, refused := p.fold.Flush()

	if err := s.alerts.take(ctx, m); err != nil {
		return err
	}

	for _, r := range refused {
		if r.Record.GetAlertCommand() != nil && s.alerts != nil {
			continue // the decider decides
		}

		body, err := proto.Marshal(r.Record)
		if err != nil {
			return err
		}

		c := r.Record.GetAccountCommand()
		place := reject.Place{Layout: s.w.log.Layout().ID, Partition: m.Partition, Sequence: r.Sequence}

		if err := s.w.rejects.Put(ctx, reject.Reject{
			ID: place.ID(r.Index, r.Hash), Workspace: r.Record.GetWorkspace(), Code: r.Code, Field: r.Field,
			Message: r.Message, MessageID: c.GetCommandId(), AccountID: c.GetAccountId(), Origin: r.Record.GetOrigin(),
			Record: body,
		}); err != nil {
			return err
		}
	}

	if err := s.w.store.Commit(ctx, commit); err != nil {
		return err
	}

	if s.alerts != nil {
		return s.alerts.flush(ctx, m.Partition)
	}

	return s.publish(ctx, m.Partition, commit)
}

// publish puts what a commit decided about alerts into the stream.
func (s *scorer) publish(ctx context.Context, partition int, commit *store.Commit) error {
	for _, e := range commit.Put {
		if !strings.HasPrefix(e.Key, store.OutboxKey(0)[:1]) || len(e.Key) != len(store.OutboxKey(0)) {
			continue
		}

		decided := &logv1.AlertRecords{}
		if err := proto.Unmarshal(e.Value, decided); err != nil {
			return err
		}

		if _, err := s.w.alerts.Append(ctx, partition, 0, decided.GetRecords()); err != nil {
			return err
		}
	}

	return nil
}

// pass lets log time pass, in all partitions, and returns when it has.
func (s *scorer) pass(d time.Duration) {
	s.w.tb.Helper()
	s.ahead.Add(d.Microseconds())

	items := make([]eventlog.Item, partitions)
	for n := range items {
		items[n] = eventlog.Item{Partition: n, Record: &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}}}
	}

	token, err := s.w.writer().Write(s.w.tb.Context(), items)
	require.NoError(s.w.tb, err)
	s.reach(token)
}

// reach returns when everything that a token names is in the store.
func (s *scorer) reach(token eventlog.Token) {
	s.w.tb.Helper()

	token.Each(func(partition int, sequence uint64) {
		require.Eventually(s.w.tb, func() bool {
			head, _, err := s.w.store.Read(s.w.tb.Context(), partition)

			return err == nil && head.Cursor >= sequence
		}, patience, time.Millisecond)
	})
}

// event writes events of an account of a workspace and returns when they are in the store.
func (s *scorer) event(workspace string, records ...*logv1.Record) {
	s.w.tb.Helper()

	items := make([]eventlog.Item, len(records))

	for i, r := range records {
		r.Workspace = workspace
		items[i] = eventlog.Item{
			Partition: s.w.log.Layout().Partition(workspace, r.GetEvent().GetAccountId()), Record: r,
		}
	}

	token, err := s.w.writer().Write(s.w.tb.Context(), items)
	require.NoError(s.w.tb, err)
	s.reach(token)
}
