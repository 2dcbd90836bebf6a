package trial

import (
	"fmt"
	"slices"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

// Seed gathers what a snapshot of a partition holds, as far as a trial goes on from it.
type Seed struct {
	workspace string
	accounts  int
	values    map[string][]byte
}

// NewSeed returns an empty one for a workspace.
func NewSeed(workspace string) *Seed { return &Seed{workspace: workspace, values: map[string][]byte{}} }

// Put takes in the value of a key. What a trial does not need is not kept.
func (s *Seed) Put(key string, value []byte) {
	if store.Past(key) {
		return
	}
	if id, ok := store.AccountOf(key); ok {
		if workspace, _, _ := store.SplitAccount(id); workspace != s.workspace {
			return
		}
		if _, known := s.values[key]; !known && key == store.AccountKey(id) {
			s.accounts++
		}
	}
	s.values[key] = slices.Clone(value)
}

// Remove says that a key has no value any more.
func (s *Seed) Remove(key string) {
	id, ok := store.AccountOf(key)
	if _, known := s.values[key]; known && ok && key == store.AccountKey(id) {
		s.accounts--
	}
	delete(s.values, key)
}

// Accounts returns how many accounts of the workspace it has.
func (s *Seed) Accounts() int { return s.accounts }

// Resume returns a partition that goes on from a snapshot, and what happens to alerts there, where other rules come into
// force. Accounts have the alerts that they had by the rules of then: those of rules that are gone end, and those of a
// rule that has the name of one go on. The seed is used up.
func Resume(o Options, s *Seed, cursor uint64, state []byte) (*Partition, []*alertv1.Transition, error) {
	p, err := open(o, store.Head{Cursor: cursor, State: state})
	if err != nil {
		return nil, nil, err
	}
	if err := p.load(s); err != nil {
		return nil, nil, fmt.Errorf("reading what partition %d was at message %d: %w", o.Number, cursor, err)
	}
	known := p.fold.Workspace(o.Workspace).RulesVersion
	if known == o.Rules.Version { // they were in force
		return p, nil, nil
	}
	transitions, err := p.message(fold.Message{Sequence: cursor, Time: p.fold.LogTime, Records: []*logv1.Record{{
		Workspace: o.Workspace,
		Payload:   &logv1.Record_SetRules{SetRules: &logv1.SetRules{Version: max(known+1, o.Rules.Version)}},
	}}})
	return p, transitions, err
}

// load takes in the seed.
func (p *Partition) load(s *Seed) error {
	keys := p.fold.LoadKeys()
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i] = s.values[key]
	}
	if err := p.fold.Load(values); err != nil {
		return fmt.Errorf("reading the partition: %w", err)
	}
	for chunk := uint32(0); chunk*fold.ChunkSize < p.fold.Accounts; chunk++ {
		ids, err := fold.DecodeChunk(s.values[store.AccountsKey(chunk)])
		if err != nil {
			return fmt.Errorf("reading ids of accounts: %w", err)
		}
		p.accounts.ids = append(p.accounts.ids, ids...)
	}
	for _, id := range p.accounts.ids {
		main := s.values[store.AccountKey(id)]
		if main == nil { // of another workspace
			continue
		}
		a, err := health.Decode(main, func(n uint32) []byte { return s.values[store.PartKey(id, n)] })
		if err != nil {
			return fmt.Errorf("reading an account: %w", err)
		}
		p.accounts.byID[id] = a
	}
	clear(s.values)
	return nil
}
