package oracle_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// some checks a property that takes long: on a share of the cases that -rapid.checks asks for. Once a case
// fails, all that follow run, so that it can be made smaller.
func some(t *testing.T, percent int, property func(*rapid.T)) {
	t.Helper()
	checks, ok := flag.Lookup("rapid.checks").Value.(flag.Getter).Get().(int)
	require.True(t, ok)
	left, failing := max(1, checks*percent/100), false
	rapid.Check(t, func(t *rapid.T) {
		if left <= 0 && !failing {
			return
		}
		left--
		done := false
		defer func() { failing = failing || !done }()
		property(t)
		done = true
	})
}

// engine is the real fold over a store, with crashes wherever the test wants one.
type engine struct {
	t         *rapid.T
	options   fold.Options
	backend   backend
	partition *fold.Partition
	accounts  map[string]*health.Account
	crashes   int // how many may still come
	refused   []refusedKey
	rejects   []oracle.Rejected
}

// refusedKey is what makes a refused record one, however often it is put to the rejects.
type refusedKey struct {
	sequence uint64
	index    int
}

func newEngine(t *rapid.T, shipped *scorecard.Set) *engine {
	return newEngineOn(t, shipped, newTable(t))
}

func newEngineOn(t *rapid.T, shipped *scorecard.Set, b backend) *engine {
	return newEngineWith(t, fold.Options{Shipped: shipped, Parse: scorecard.Parse}, b)
}

func newEngineWith(t *rapid.T, o fold.Options, b backend) *engine {
	const crashes = 8
	e := &engine{t: t, options: o, backend: b, crashes: crashes}
	e.restart()
	return e
}

// restart forgets everything that is not stored.
func (e *engine) restart() {
	head := e.backend.claim()
	p, err := fold.NewPartition(e.options, head)
	require.NoError(e.t, err)
	require.NoError(e.t, p.Load(e.backend.read(p.LoadKeys()...)))
	e.partition, e.accounts = p, map[string]*health.Account{}
}

// value reads the value of a key.
func (e *engine) value(key string) []byte { return e.backend.read(key)[0] }

// Get implements fold.Accounts: it reads the account where memory does not hold it.
func (e *engine) Get(id string) *health.Account {
	if a := e.accounts[id]; a != nil {
		return a
	}
	main := e.value(store.AccountKey(id))
	if main == nil {
		return nil
	}
	a, err := health.Decode(main, func(n uint32) []byte { return e.value(store.PartKey(id, n)) })
	require.NoError(e.t, err)
	e.accounts[id] = a
	return a
}

// Put implements fold.Accounts.
func (e *engine) Put(id string, a *health.Account) { e.accounts[id] = a }

// commit writes what has changed; the refused records first, each once.
func (e *engine) commit() {
	c, refused := e.partition.Flush()
	for _, r := range refused {
		key := refusedKey{r.Sequence, r.Index}
		if slices.Contains(e.refused, key) {
			continue
		}
		e.refused = append(e.refused, key)
		account, message := r.Record.GetEvent().GetAccountId(), r.Record.GetEvent().GetMessageId()
		if c := r.Record.GetAccountCommand(); c != nil {
			account, message = c.GetAccountId(), c.GetCommandId()
		}
		if c := r.Record.GetAlertCommand(); c != nil {
			account, message = c.GetAccountId(), c.GetCommandId()
		}
		e.rejects = append(e.rejects, oracle.Rejected{
			Workspace: r.Record.GetWorkspace(), Account: account, MessageID: message, Code: r.Code,
		})
	}
	e.backend.commit(c)
}

// sweep does up to slices steps of the sweep under way, each of a few accounts.
func (e *engine) sweep(steps int) {
	for ; steps > 0 && e.partition.Sweeping(); steps-- {
		chunk, err := fold.DecodeChunk(e.value(store.AccountsKey(e.partition.SweepChunk())))
		require.NoError(e.t, err)
		e.partition.Sweep(e.partition.SweepNext(chunk, 2), e)
	}
	for ; steps > 0 && e.partition.Waking(); steps-- {
		e.partition.Wake(e.partition.WakeNext(2), e)
	}
}

// message folds one message.
func (e *engine) message(sequence uint64, m oracle.Message) {
	message := &fold.Message{Sequence: sequence, Time: m.Time, Records: m.Records}
	require.NoError(e.t, e.partition.Begin(message))
	for next := e.partition.Apply(message, 0, e); next < len(m.Records); {
		e.sweep(1 << 20)
		next = e.partition.Apply(message, next, e)
	}
}

// run folds a log, with sweeps, commits and crashes where chaos says so, and leaves all of it stored. After a
// crash the log comes again from a little before what is stored; what is stored is passed over.
func (e *engine) run(messages []oracle.Message, chaos *rapid.Generator[int]) {
	start := e.partition.Cursor()
	for i := 0; i < len(messages); i++ {
		sequence := uint64(i + 1)
		if sequence <= start {
			continue
		}
		e.message(sequence, messages[i])
		what := chaos.Draw(e.t, fmt.Sprintf("after message %d", i))
		e.sweep(what & 3)
		if what&4 != 0 {
			e.commit()
		}
		if what&8 != 0 && e.crashes > 0 {
			e.crash(what&16 != 0)
			start = e.partition.Cursor()
			i = max(0, int(start)-2) - 1
		}
	}
	e.sweep(1 << 20)
	e.commit()
	e.restart()
}

// crash loses what is not stored, and perhaps some of what is.
func (e *engine) crash(fallBack bool) {
	e.crashes--
	if fallBack {
		e.backend.fallBack()
	}
	e.restart()
}

// anything lets everything happen.
func anything() *rapid.Generator[int] { return rapid.IntRange(0, 31) }

// nothing lets all of the log go into one commit.
func nothing() *rapid.Generator[int] { return rapid.Just(0) }

// ids are the accounts stored, in the order in which they came.
func (e *engine) ids() []string {
	var ids []string
	for chunk := uint32(0); chunk*fold.ChunkSize < e.partition.Accounts; chunk++ {
		some, err := fold.DecodeChunk(e.value(store.AccountsKey(chunk)))
		require.NoError(e.t, err)
		ids = append(ids, some...)
	}
	return ids
}

// eras are those in which generated logs and their loads lie.
func eras() []int32 {
	var all []int32
	last := fold.EraOf(health.Day(oracle.FirstDay() + 420))
	for era := fold.EraOf(health.Day(oracle.FirstDay() - 420)); era <= last; era++ {
		all = append(all, era)
	}
	return all
}

// stored are the bytes of everything: accounts, their history and parts, message ids, documents, state.
func (e *engine) stored() map[string][]byte {
	keys := e.partition.CopyKeys()
	for _, id := range e.ids() {
		main := e.value(store.AccountKey(id))
		parts, err := health.Parts(main)
		require.NoError(e.t, err)
		keys = append(keys, store.AccountKey(id))
		for _, n := range parts {
			keys = append(keys, store.PartKey(id, n))
		}
		for _, era := range eras() {
			keys = append(keys, store.HistoryKey(id, era))
		}
	}
	outbox := e.partition.Outbox()
	state := e.partition.State
	state.OutboxFirst, state.OutboxNext = 0, 0 // each commit makes an entry
	timers := e.timers()
	all := map[string][]byte{
		"ids": []byte(fmt.Sprintf("%q", e.ids())), "state": e.withoutTimers(state.Encode(), timers),
	}
	for _, r := range e.decided(outbox) {
		key := "alert " + r.GetTransition().GetTransitionId()
		require.NotContains(e.t, all, key, "a transition is decided once")
		all[key] = []byte(r.String())
	}
	for i, value := range e.backend.read(keys...) {
		if value != nil && !slices.Contains(outbox, keys[i]) && !slices.Contains(timers, keys[i]) {
			all[keys[i]] = value
		}
	}
	return all
}

// decided reads what stands in the outbox. Which alert comes before which depends on the commits; what becomes of an alert
// does not.
func (e *engine) decided(outbox []string) []*logv1.AlertRecord {
	var all []*logv1.AlertRecord
	for _, value := range e.backend.read(outbox...) {
		var entry logv1.AlertRecords
		require.NoError(e.t, proto.Unmarshal(value, &entry))
		all = append(all, entry.GetRecords()...)
	}
	return all
}
