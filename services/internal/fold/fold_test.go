package fold_test

import (
	"fmt"
	"slices"
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
)

// start is 2026-03-10 12:00 UTC.
var start = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// rig drives a partition as scoring does, with a map for a store.
type rig struct {
	t        *testing.T
	p        *fold.Partition
	accounts map[string]*health.Account
	values   map[string][]byte
	head     store.Head
	sequence uint64
	refused  []fold.Refused
	maxIDs   int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, values: map[string][]byte{}}
	r.reopen()
	return r
}

// Get implements fold.Accounts; it reads from the store, as a cache would.
func (r *rig) Get(id string) *health.Account {
	if a := r.accounts[id]; a != nil {
		return a
	}
	main, ok := r.values[store.AccountKey(id)]
	if !ok {
		return nil
	}
	a, err := health.Decode(main, func(n uint32) []byte { return r.values[store.PartKey(id, n)] })
	require.NoError(r.t, err)
	r.accounts[id] = a
	return a
}

// Put implements fold.Accounts.
func (r *rig) Put(id string, a *health.Account) { r.accounts[id] = a }

// reopen forgets all memory and goes on from the store, as after a crash.
func (r *rig) reopen() {
	p, err := fold.NewPartition(fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse, MaxIDs: r.maxIDs}, r.head)
	require.NoError(r.t, err)
	keys := p.LoadKeys()
	values := make([][]byte, len(keys))
	for i, k := range keys {
		values[i] = r.values[k]
	}
	require.NoError(r.t, p.Load(values))
	r.p, r.accounts, r.sequence = p, map[string]*health.Account{}, r.head.Cursor
}

// send folds one message.
func (r *rig) send(at time.Time, records ...*logv1.Record) {
	r.sequence++
	m := &fold.Message{Sequence: r.sequence, Time: at.UnixMicro(), Hash: r.sequence, Records: records}
	require.NoError(r.t, r.p.Begin(m))
	for next := r.p.Apply(m, 0, r); next < len(records); next = r.p.Apply(m, next, r) {
		r.sweep(1 << 20)
	}
}

// sweep goes on with a sweep for at most n slices.
func (r *rig) sweep(n int) {
	for ; r.p.Sweeping() && n > 0; n-- {
		chunk, err := fold.DecodeChunk(r.values[store.AccountsKey(r.p.SweepChunk())])
		require.NoError(r.t, err)
		r.p.Sweep(r.p.SweepNext(chunk, 2), r)
	}
	for ; r.p.Waking() && n > 0; n-- {
		r.p.Wake(r.p.WakeNext(2), r)
	}
}

// commit writes what changed.
func (r *rig) commit() *store.Commit {
	c, refused := r.p.Flush()
	require.Equal(r.t, r.head.Cursor, c.From, "a commit goes on from the one before")
	for _, e := range c.Put {
		r.values[e.Key] = e.Value
	}
	for _, e := range c.Append {
		r.values[e.Key] = append(slices.Clip(r.values[e.Key]), e.Value...)
	}
	for _, k := range c.Delete {
		delete(r.values, k)
	}
	r.head.Cursor, r.head.State = c.Cursor, c.State
	r.refused = append(r.refused, refused...)
	return c
}

func (r *rig) account(name string) *health.Account {
	a := r.Get(store.Account("w", name))
	require.NotNil(r.t, a, "account %s", name)
	return a
}

func (r *rig) rows(name string) []health.Row {
	var rows []health.Row
	for era := fold.EraOf(health.DayOf(start.UnixMicro())) - 6; era < fold.EraOf(health.DayOf(start.UnixMicro()))+9; era++ {
		some, err := health.DecodeRows(r.values[store.HistoryKey(store.Account("w", name), era)])
		require.NoError(r.t, err)
		rows = append(rows, some...)
	}
	return rows
}

func usage(id, account string, at time.Time) *logv1.Record {
	return event(&eventv1.Event{MessageId: id, AccountId: account, UserId: "u", OccurredAt: timestamppb.New(at), Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "f"}}})
}

func event(e *eventv1.Event) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_Event{Event: e}}
}

func historical(load string, r *logv1.Record) *logv1.Record {
	r.GetEvent().Historical = load
	return r
}

func closeLoad(id string) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_CloseLoad{CloseLoad: &logv1.CloseLoad{Historical: id}}}
}

func tick() *logv1.Record { return &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}} }

func scorecards(version uint64, document []byte) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_SetScorecards{SetScorecards: &logv1.SetScorecards{Version: version, Document: document}}}
}

func codes(refused []fold.Refused) []string {
	var out []string
	for _, r := range refused {
		out = append(out, r.Code)
	}
	return out
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	t.Run("a message id counts once for its account, in a message, later, and after a restart", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), usage("1", "a", start), usage("1", "b", start))
		r.commit()
		r.reopen()
		r.send(start.Add(7*24*time.Hour), usage("1", "a", start.Add(7*24*time.Hour)))
		require.EqualValues(t, 2, r.p.Counted)
		require.EqualValues(t, 2, r.p.Duplicates)
	})
	t.Run("an id is forgotten after 7 days and 2 hours, in memory and in the store", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start))
		r.commit()
		edge := start.Add(7*24*time.Hour + 2*time.Hour)
		r.send(edge, usage("1", "a", edge))
		require.EqualValues(t, 1, r.p.Duplicates, "remembered up to the edge")
		r.send(edge.Add(time.Microsecond), usage("1", "a", edge))
		require.EqualValues(t, 2, r.p.Counted)
		r.commit()
		late := edge.Add(48 * time.Hour)
		r.send(late, tick())
		r.commit()
		require.NotContains(t, r.values, store.DedupeKey(start.Unix()/3600))
		r.reopen()
		r.send(late, usage("1", "a", late))
		require.EqualValues(t, 2, r.p.Duplicates, "the second sighting is remembered")
	})
	t.Run("a refused event's id is not remembered", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start.Add(-8*24*time.Hour)), usage("1", "a", start))
		require.EqualValues(t, 1, r.p.Counted)
		r.commit()
		require.Equal(t, []string{"too_old"}, codes(r.refused))
	})
	t.Run("full memory stops the partition", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.maxIDs = 2
		r.reopen()
		r.send(start, usage("1", "a", start), usage("2", "a", start))
		m := &fold.Message{Sequence: 2, Time: start.UnixMicro(), Records: []*logv1.Record{usage("3", "a", start)}}
		require.ErrorIs(t, r.p.Begin(m), fold.ErrDedupeFull)
	})
}

func TestTime(t *testing.T) {
	t.Parallel()
	t.Run("the edges of too old and in the future", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(
			start,
			usage("1", "a", start.Add(-7*24*time.Hour)), usage("2", "a", start.Add(-7*24*time.Hour-time.Microsecond)),
			usage("3", "a", start.Add(time.Hour)), usage("4", "a", start.Add(time.Hour+time.Microsecond)),
		)
		r.commit()
		require.Equal(t, []string{"too_old", "in_future"}, codes(r.refused))
		require.EqualValues(t, 2, r.p.Counted)
	})
	t.Run("log time never runs back", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, tick())
		r.send(start.Add(-time.Hour), tick())
		require.Equal(t, start.UnixMicro(), r.p.LogTime)
	})
	t.Run("the next timer is midnight, or the closing of an idle load", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, tick())
		require.Equal(t, start.Truncate(24*time.Hour).Add(24*time.Hour).UnixMicro(), r.p.NextTimer())
		r.send(start, historical("l", usage("1", "a", start)))
		require.Equal(t, start.Add(time.Hour).UnixMicro(), r.p.NextTimer())
	})
}

func TestRoll(t *testing.T) {
	t.Parallel()
	t.Run("midnight writes a row for every account, touched or not, in slices", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		for i := range 7 {
			r.send(start, usage(fmt.Sprint(i), fmt.Sprintf("a%d", i), start))
		}
		r.commit()
		tomorrow := start.Add(24 * time.Hour)
		r.send(tomorrow, usage("x", "a6", tomorrow))
		require.True(t, r.p.Sweeping())
		r.sweep(1)
		r.commit()
		r.reopen() // a crash in the middle of the sweep
		require.True(t, r.p.Sweeping())
		r.sweep(100)
		r.commit()
		for i := range 7 {
			rows := r.rows(fmt.Sprintf("a%d", i))
			require.Len(t, rows, 1, "account %d", i)
			require.Equal(t, health.DayOf(start.UnixMicro()), rows[0].Day)
		}
	})
	t.Run("days without a message are rolled one by one", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start))
		r.send(start.Add(10*24*time.Hour), tick())
		r.sweep(100)
		r.commit()
		rows := r.rows("a")
		require.Len(t, rows, 10)
		require.Greater(t, rows[0].Score.Micros, rows[9].Score.Micros, "silence lowers the score")
	})
	t.Run("history older than its eras is removed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start))
		r.send(start.Add(700*24*time.Hour), tick())
		r.sweep(100)
		r.commit()
		rows := r.rows("a")
		require.GreaterOrEqual(t, len(rows), 400)
		require.Less(t, len(rows), 500)
	})
}

func TestLoads(t *testing.T) {
	t.Parallel()
	past := start.Add(-90 * 24 * time.Hour)
	t.Run("a load rolls its account through the past and to now at its end", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, historical("l", usage("1", "a", past)), historical("l", usage("2", "a", past.Add(72*time.Hour))))
		require.Equal(t, health.DayOf(past.UnixMicro())+3, r.account("a").Day())
		r.send(start, closeLoad("l"))
		r.sweep(100)
		r.commit()
		require.Equal(t, health.DayOf(start.UnixMicro()), r.account("a").Day())
		require.Len(t, r.rows("a"), 90)
		r.send(start, historical("l", usage("3", "a", past)))
		r.commit()
		require.Equal(t, []string{"load_closed"}, codes(r.refused))
	})
	t.Run("an idle hour ends a load", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, historical("l", usage("1", "a", past)))
		r.send(start.Add(time.Hour), tick())
		r.sweep(100)
		require.Equal(t, health.DayOf(start.UnixMicro()), r.account("a").Day())
		require.False(t, r.p.OpenLoad("w", "l"))
	})
	t.Run("ticks skip an account inside a load", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		midnight := start.Add(11*time.Hour + 30*time.Minute)
		r.send(midnight, historical("l", usage("1", "a", past)))
		r.send(midnight.Add(59*time.Minute), tick())
		r.sweep(100)
		require.Equal(t, health.DayOf(past.UnixMicro()), r.account("a").Day())
	})
	t.Run("a live event takes its account out of the load, history does not come back", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, historical("l", usage("1", "a", past)), usage("2", "a", start), historical("l", usage("3", "a", past)))
		r.commit()
		require.Equal(t, health.DayOf(start.UnixMicro()), r.account("a").Day())
		require.Equal(t, []string{"account_live"}, codes(r.refused))
	})
	t.Run("an account belongs to one load", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, historical("l", usage("1", "a", past)), historical("m", usage("2", "a", past)), historical("m", usage("3", "b", past)))
		r.send(start, closeLoad("l"))
		r.sweep(100)
		r.send(start, historical("m", usage("4", "a", past)))
		r.commit()
		require.Equal(t, []string{"account_live", "account_live"}, codes(r.refused))
	})
}

func TestScorecards(t *testing.T) {
	t.Parallel()
	document := scorecard.ShippedDocument()
	t.Run("a new version rescores every account, once, and survives a restart", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), usage("2", "b", start), usage("3", "c", start))
		r.commit()
		r.send(start, scorecards(4, document), usage("4", "a", start))
		r.commit()
		r.reopen()
		r.sweep(100)
		r.commit()
		r.reopen()
		for _, name := range []string{"a", "b", "c"} {
			require.EqualValues(t, 4, r.account(name).Result().SetVersion, name)
		}
		r.send(start, scorecards(3, document))
		require.False(t, r.p.Sweeping(), "an older version changes nothing")
	})
	t.Run("a second change waits for the end of the first sweep, in the same message", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), usage("2", "b", start), usage("3", "c", start))
		r.send(start, scorecards(4, document), scorecards(5, document))
		r.sweep(100)
		require.EqualValues(t, 5, r.account("c").Result().SetVersion)
	})
	t.Run("a document that does not hold is refused", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, scorecards(4, []byte("scorecards: []")))
		r.commit()
		require.Equal(t, []string{"invalid_scorecards"}, codes(r.refused))
	})
}

func TestState(t *testing.T) {
	t.Parallel()
	t.Run("state comes back as it was written", func(t *testing.T) {
		t.Parallel()
		s := fold.State{
			Stream: "s", LogTime: 1, LastTime: 2, LastHash: 1 << 63, Accounts: 3, SweepAt: 1, SweepEnd: 2, FirstHour: 4,
			Counted: 5, Duplicates: 6, Rejected: 7,
			Loads: []fold.Load{{Workspace: "w", ID: "l", Last: 9, Closed: true}},
			Sets:  []fold.SetVersion{{Workspace: "w", Version: 3, Kept: []fold.KeptVersion{{Version: 1, Until: 7}, {Version: 3}}}},
		}
		got, err := fold.DecodeState(s.Encode())
		require.NoError(t, err)
		require.Equal(t, s, got)
	})
	t.Run("a condemned record is refused and the rest goes on", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.p.Condemn(1, 1, 0, "boom")
		r.send(start, usage("1", "a", start), usage("2", "a", start))
		r.commit()
		require.Equal(t, []string{"internal"}, codes(r.refused))
		require.EqualValues(t, 1, r.p.Counted)
	})
}

func TestShun(t *testing.T) {
	t.Parallel()
	t.Run("a sweep passes over a shunned account and brings the others up to date", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, usage("1", "a", start), usage("2", "b", start))
		r.commit()
		r.p.Shun(store.Account("w", "a"))
		r.send(start.Add(24*time.Hour), tick())
		r.sweep(100)
		today := health.DayOf(start.UnixMicro())
		require.Equal(t, today, r.account("a").Day())
		require.Equal(t, today+1, r.account("b").Day())
		require.Equal(t, store.Account("w", "b"), r.p.SweepingAccount())
	})
}

func FuzzDecodeState(f *testing.F) {
	s := fold.State{Stream: "s", Loads: []fold.Load{{ID: "l"}}, Sets: []fold.SetVersion{{Version: 3, Kept: []fold.KeptVersion{{Version: 3}}}}}
	f.Add(s.Encode())
	r := newRig(&testing.T{})
	r.send(start, usage("1", "a", start))
	r.send(start.Add(50*time.Hour), usage("2", "a", start.Add(50*time.Hour)))
	f.Add(r.p.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := fold.DecodeState(b)
		if err != nil || len(b) == 0 {
			return
		}
		again, err := fold.DecodeState(s.Encode())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

func FuzzDecodeChunk(f *testing.F) {
	f.Add([]byte{1, 'a', 2, 'b', 'c'})
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := fold.DecodeChunk(b)
		if err != nil {
			return
		}
		total := 0
		for _, id := range ids {
			total += len(id)
		}
		require.LessOrEqual(t, total, len(b))
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	t.Run("other shipped scorecards are other rules", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 1, fold.Rules)
		require.Equal(t, "36a05585", scorecard.ShippedDigest(),
			"the same log gives other scores now: raise fold.Rules, and write both down here")
	})
	t.Run("a state of before there were rules was folded by the first", func(t *testing.T) {
		t.Parallel()
		s := fold.State{Stream: "log", Rules: 1, LogTime: 7}
		old := s.Encode()
		require.Equal(t, byte(4), old[0])
		old = old[:len(old)-6]  // there were no activities, and nothing of alerts
		at := 2 + len(s.Stream) // version, length, stream, rules
		old = append([]byte{1}, append(old[1:at:at], old[at+1:]...)...)
		got, err := fold.DecodeState(old)
		require.NoError(t, err)
		require.Equal(t, s, got)
	})
}
