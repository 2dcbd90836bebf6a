package oracle_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// engine is the real fold over a store that is a map, with restarts wherever the test wants one.
type engine struct {
	t         *rapid.T
	shipped   *scorecard.Set
	values    map[string][]byte
	head      store.Head
	partition *fold.Partition
	accounts  map[string]*health.Account
	rejects   []oracle.Rejected
}

func newEngine(t *rapid.T, shipped *scorecard.Set) *engine {
	e := &engine{t: t, shipped: shipped, values: map[string][]byte{}}
	e.restart()
	return e
}

// restart forgets everything that is not stored.
func (e *engine) restart() {
	p, err := fold.NewPartition(fold.Options{Shipped: e.shipped, Parse: scorecard.Parse}, e.head)
	require.NoError(e.t, err)
	var values [][]byte
	for _, key := range p.LoadKeys() {
		values = append(values, e.values[key])
	}
	require.NoError(e.t, p.Load(values))
	e.partition, e.accounts = p, map[string]*health.Account{}
}

// Get implements fold.Accounts: it reads the account where memory does not hold it.
func (e *engine) Get(id string) *health.Account {
	if a := e.accounts[id]; a != nil {
		return a
	}
	main := e.values[store.AccountKey(id)]
	if main == nil {
		return nil
	}
	a, err := health.Decode(main, func(n uint32) []byte { return e.values[store.PartKey(id, n)] })
	require.NoError(e.t, err)
	e.accounts[id] = a
	return a
}

// Put implements fold.Accounts.
func (e *engine) Put(id string, a *health.Account) { e.accounts[id] = a }

// commit writes what has changed.
func (e *engine) commit() {
	c, refused := e.partition.Flush()
	require.Equal(e.t, e.head.Cursor, c.From)
	for _, entry := range c.Put {
		e.values[entry.Key] = slices.Clone(entry.Value)
	}
	for _, entry := range c.Append {
		e.values[entry.Key] = append(slices.Clone(e.values[entry.Key]), entry.Value...)
	}
	for _, key := range c.Delete {
		delete(e.values, key)
	}
	e.head.Cursor, e.head.State = c.Cursor, slices.Clone(c.State)
	for _, r := range refused {
		ev := r.Record.GetEvent()
		e.rejects = append(e.rejects, oracle.Rejected{
			Workspace: r.Record.GetWorkspace(), Account: ev.GetAccountId(), MessageID: ev.GetMessageId(), Code: r.Code,
		})
	}
}

// sweep does up to slices steps of the sweep under way, each of a few accounts.
func (e *engine) sweep(steps int) {
	for ; steps > 0 && e.partition.Sweeping(); steps-- {
		chunk, err := fold.DecodeChunk(e.values[store.AccountsKey(e.partition.SweepChunk())])
		require.NoError(e.t, err)
		e.partition.Sweep(e.partition.SweepNext(chunk, 2), e)
	}
}

// run folds a log, with sweeps, commits and restarts where chaos says so, and leaves all of it stored.
func (e *engine) run(messages []oracle.Message, chaos *rapid.Generator[int]) {
	for i, m := range messages {
		message := &fold.Message{Sequence: uint64(i + 1), Time: m.Time, Records: m.Records}
		require.NoError(e.t, e.partition.Begin(message))
		for next := e.partition.Apply(message, 0, e); next < len(m.Records); {
			e.sweep(1 << 20)
			next = e.partition.Apply(message, next, e)
		}
		what := chaos.Draw(e.t, fmt.Sprintf("after message %d", i))
		e.sweep(what & 3)
		if what&4 != 0 {
			e.commit()
			if what&8 != 0 {
				e.restart()
			}
		}
	}
	e.sweep(1 << 20)
	e.commit()
	e.restart()
}

// ids are the accounts stored, in order of their key.
func (e *engine) ids() []string {
	var ids []string
	for _, key := range slices.Sorted(maps.Keys(e.values)) {
		if key[0] == store.AccountKey("")[0] {
			ids = append(ids, key[1:])
		}
	}
	return ids
}
