package query_test

import (
	"errors"
	"slices"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// refold folds a partition as scoring does, with what is stored in memory.
type refold struct {
	partition *fold.Partition
	accounts  map[string]*health.Account
	values    map[string][]byte
}

func newRefold(t require.TestingT, n int) *refold {
	p, err := fold.NewPartition(fold.Options{Number: n, Shipped: scorecard.Shipped(), Parse: scorecard.Parse}, store.Head{})
	require.NoError(t, err)

	return &refold{partition: p, accounts: map[string]*health.Account{}, values: map[string][]byte{}}
}

// Get implements fold.Accounts.
func (s *refold) Get(id string) *health.Account { return s.accounts[id] }

// Put implements fold.Accounts.
func (s *refold) Put(id string, a *health.Account) { s.accounts[id] = a }

func (s *refold) message(t require.TestingT, m *eventlog.Message) {
	one := &fold.Message{Sequence: m.Sequence, Time: m.Time, Hash: m.Hash(), Records: m.Records}
	require.NoError(t, s.partition.Begin(one))

	for next := s.partition.Apply(one, 0, s); next < len(one.Records); next = s.partition.Apply(one, next, s) {
		s.settle(t)
	}

	s.settle(t)
	s.flush()
}

func (s *refold) settle(t require.TestingT) {
	for s.partition.Sweeping() {
		chunk, err := fold.DecodeChunk(s.values[store.AccountsKey(s.partition.SweepChunk())])
		require.NoError(t, err)
		s.partition.Sweep(s.partition.SweepNext(chunk, 8), s)
	}

	for s.partition.Waking() {
		s.partition.Wake(s.partition.WakeNext(8), s)
	}
}

func (s *refold) flush() {
	c, _ := s.partition.Flush()
	for _, e := range c.Put {
		s.values[e.Key] = slices.Clone(e.Value)
	}

	for _, e := range c.Append {
		s.values[e.Key] = append(s.values[e.Key], e.Value...)
	}

	for _, k := range c.Delete {
		delete(s.values, k)
	}
}

// scored folds all that is in the log; each is called after every message.
func (w *world) scored(t require.TestingT, each func(*eventlog.Message, *refold)) map[int]*refold {
	all := map[int]*refold{}
	end := errors.New("the end")

	for n := range partitions {
		all[n] = newRefold(t, n)
	}

	for stream := range w.log.Layout().Streams {
		info, err := w.log.Info(w.tb.Context(), stream)
		require.NoError(t, err)

		if info.First > info.Last {
			continue
		}

		err = w.log.Read(w.tb.Context(), stream, 0, func(m *eventlog.Message) error {
			all[m.Partition].message(t, m)

			if each != nil {
				each(m, all[m.Partition])
			}

			if m.Sequence >= info.Last {
				return end
			}

			return nil
		})
		require.ErrorIs(t, err, end)
	}

	return all
}

// decided is what the outbox holds about a workspace.
func (w *world) decided(t require.TestingT, workspace string) []*alertv1.Transition {
	var told []*alertv1.Transition

	for _, s := range w.scored(t, nil) {
		for _, key := range s.partition.Outbox() {
			var entry logv1.AlertRecords

			require.NoError(t, proto.Unmarshal(s.values[key], &entry))

			for _, r := range entry.GetRecords() {
				if r.GetWorkspace() == workspace {
					told = append(told, r.GetTransition())
				}
			}
		}
	}

	return told
}
