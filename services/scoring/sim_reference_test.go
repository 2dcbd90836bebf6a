package scoring

import (
	"fmt"
	"maps"
	"slices"
	"sort"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// simReference is the plain fold of a partition: one owner, no faults, everything in memory, values in a map. That the
// fold is right is held against the oracle elsewhere; here it says what any history must come to.
type simReference struct {
	sim       *simulation
	partition *fold.Partition
	accounts  map[string]*health.Account
	values    map[string][]byte
	totals    map[uint64]simTotals // by sequence
	refused   []simRefused         // in order
}

// simTotals are the counts of a state.
type simTotals struct{ counted, duplicates, rejected uint64 }

// simRefused is a record that must be kept before a commit passes it.
type simRefused struct {
	sequence uint64
	id       string
}

func newSimReference(s *simulation, number int) *simReference {
	p, err := fold.NewPartition(fold.Options{Number: number, Shipped: scorecard.Shipped(), Parse: s.parse}, store.Head{})
	if err != nil {
		panic(err)
	}
	p.Stream = identityOf(s.log.layout, s.log.layout.Stream(number), eventlog.StreamInfo{Created: s.log.created})
	return &simReference{
		sim: s, partition: p, accounts: map[string]*health.Account{}, values: map[string][]byte{},
		totals: map[uint64]simTotals{0: {}},
	}
}

// Get implements fold.Accounts.
func (r *simReference) Get(id string) *health.Account { return r.accounts[id] }

// Put implements fold.Accounts.
func (r *simReference) Put(id string, a *health.Account) { r.accounts[id] = a }

// fold folds a message and sweeps to the end.
func (r *simReference) fold(m *eventlog.Message) {
	msg := message(m)
	if err := r.partition.Begin(msg); err != nil {
		panic(err)
	}
	if m.Err != nil {
		r.partition.Skip(msg)
		r.refuse(m.Sequence, m.Partition, -1, m.Hash())
	} else {
		for next := r.partition.Apply(msg, 0, r); next < len(msg.Records); {
			r.sweep()
			next = r.partition.Apply(msg, next, r)
		}
	}
	r.sweep()
	p := r.partition
	if before := r.totals[r.before(m)]; m.Err == nil && before.rejected != p.Rejected {
		r.flush()
	}
	r.totals[m.Sequence] = simTotals{p.Counted, p.Duplicates, p.Rejected}
}

// before is the sequence of the partition's message before.
func (r *simReference) before(m *eventlog.Message) uint64 {
	for s := m.Sequence - 1; s > 0; s-- {
		if _, ok := r.totals[s]; ok {
			return s
		}
	}
	return 0
}

func (r *simReference) sweep() {
	p := r.partition
	for p.Sweeping() {
		chunk, err := fold.DecodeChunk(r.values[store.AccountsKey(p.SweepChunk())])
		if err != nil {
			panic(err)
		}
		p.Sweep(p.SweepNext(chunk, 64), r)
	}
	for p.Waking() {
		p.Wake(p.WakeNext(64), r)
	}
}

func (r *simReference) refuse(sequence uint64, partition, index int, hash uint64) {
	id := fmt.Sprintf("%s-%d-%d-%d-%016x", r.sim.log.layout.ID, partition, sequence, index, hash)
	r.refused = append(r.refused, simRefused{sequence, id})
}

// flush writes what has changed.
func (r *simReference) flush() {
	c, refused := r.partition.Flush()
	for _, one := range refused {
		r.refuse(one.Sequence, c.Partition, one.Index, one.Hash)
	}
	for _, e := range c.Put {
		r.values[e.Key] = slices.Clone(e.Value)
	}
	for _, e := range c.Append {
		r.values[e.Key] = append(r.values[e.Key], e.Value...)
	}
	for _, k := range c.Delete {
		delete(r.values, k)
	}
}

// passed returns the refused records in (from, to].
func (r *simReference) passed(from, to uint64) []simRefused {
	at := func(s uint64) int {
		return sort.Search(len(r.refused), func(i int) bool { return r.refused[i].sequence > s })
	}
	return r.refused[at(from):max(at(from), at(to))]
}

// compare holds what is stored of a partition against the plain fold of its whole log.
func (r *simReference) compare(p *simPart) error {
	r.flush()
	if want := r.partition.Encode(); string(p.head.State) != string(want) {
		state, _ := fold.DecodeState(p.head.State)
		return fmt.Errorf("partition %d: the stored state is not that of the log: %+v, wanted %+v",
			p.n, state, r.partition.State)
	}
	keys := map[string]struct{}{}
	for k := range r.values {
		keys[k] = struct{}{}
	}
	for k := range p.values {
		keys[k] = struct{}{}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if have, want := p.values[k], r.values[k]; string(have) != string(want) {
			return fmt.Errorf("partition %d: the value of %q is not that of the log: %d bytes (%x), wanted %d (%x)",
				p.n, k, len(have), have, len(want), want)
		}
	}
	return nil
}

// state is the state in its stored form.
func (r *simReference) state() []byte { return r.partition.Encode() }
