package scoring

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// hushed is partitions on a simulated clock.
type hushed struct {
	t          *testing.T
	now        time.Time
	partitions []*fold.Partition
	accounts   []map[string]*health.Account
	chunks     [][]byte // the ids of accounts, as stored
	sequence   uint64
}

func newHushed(t *testing.T, partitions int) *hushed {
	t.Helper()
	h := &hushed{t: t, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	for p := range partitions {
		one, err := fold.NewPartition(fold.Options{
			Number: p, Shipped: scorecard.Shipped(), Parse: scorecard.Parse, Muted: true,
		}, store.Head{})
		require.NoError(t, err)
		h.partitions, h.accounts = append(h.partitions, one), append(h.accounts, map[string]*health.Account{})
	}
	h.chunks = make([][]byte, partitions)
	return h
}

// memo are the accounts of a partition.
type memo map[string]*health.Account

func (m memo) Get(id string) *health.Account    { return m[id] }
func (m memo) Put(id string, a *health.Account) { m[id] = a }

// give folds a record in a partition, now.
func (h *hushed) give(p int, r *logv1.Record) {
	h.t.Helper()
	h.sequence++
	m := &fold.Message{Sequence: h.sequence, Time: h.now.UnixMicro(), Hash: h.sequence, Records: []*logv1.Record{r}}
	one, accounts := h.partitions[p], memo(h.accounts[p])
	require.NoError(h.t, one.Begin(m))
	for next := one.Apply(m, 0, accounts); next < 1; next = one.Apply(m, next, accounts) {
		h.sweep(p)
	}
	h.flush(p)
	h.sweep(p)
	h.flush(p)
}

func (h *hushed) flush(p int) {
	h.t.Helper()
	c, refused := h.partitions[p].Flush()
	require.Empty(h.t, refused)
	for _, e := range c.Append {
		if e.Key == store.AccountsKey(0) {
			h.chunks[p] = append(h.chunks[p], e.Value...)
		}
	}
	for _, e := range c.Put {
		if e.Key == store.AccountsKey(0) {
			h.chunks[p] = slices.Clone(e.Value)
		}
	}
}

func (h *hushed) sweep(p int) {
	one := h.partitions[p]
	for range 1000 {
		if one.Waking() {
			one.Wake(one.WakeNext(64), memo(h.accounts[p]))
			continue
		}
		if !one.Sweeping() {
			return
		}
		ids, err := fold.DecodeChunk(h.chunks[p])
		require.NoError(h.t, err)
		one.Sweep(one.SweepNext(ids, 64), memo(h.accounts[p]))
	}
	require.Fail(h.t, "a sweep does not end")
}

func (h *hushed) usage(p int) {
	h.t.Helper()
	h.give(p, &logv1.Record{Workspace: "default", Payload: &logv1.Record_Event{Event: &eventv1.Event{
		MessageId: fmt.Sprintf("m%d", h.sequence), AccountId: fmt.Sprintf("a%d", p), UserId: "u",
		OccurredAt: timestamppb.New(h.now), Body: &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "export"}},
	}}})
}

func (h *hushed) tick() {
	h.t.Helper()
	for p := range h.partitions {
		h.give(p, &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}})
	}
}

// hours lets time pass, with an event of a partition in each hour; -1: none.
func (h *hushed) hours(n, p int) {
	h.t.Helper()
	for range n {
		h.now = h.now.Add(time.Hour)
		if p >= 0 {
			h.usage(p)
		}
		h.tick()
	}
}

// look decides, by what the stored states say.
func (h *hushed) look() []eventlog.Item {
	h.t.Helper()
	states := make([]fold.State, len(h.partitions))
	for p, one := range h.partitions {
		var err error
		states[p], err = fold.DecodeState(one.Encode())
		require.NoError(h.t, err)
	}
	return silences(states)
}

func (h *hushed) take(items []eventlog.Item) {
	h.t.Helper()
	for _, one := range items {
		h.give(one.Partition, one.Record)
	}
}

// silent are the partitions that take usage for silent.
func (h *hushed) silent() []int {
	all := []int{}
	for p, one := range h.partitions {
		if one.Workspace("default").Silence[health.SourceUsage].Silent {
			all = append(all, p)
		}
	}
	return all
}

// regular is for how many hours a source has to send until its silence says something: on 7 days.
const regular = 7 * 24

func TestSilence(t *testing.T) {
	t.Parallel()
	t.Run("a source that no partition hears any more is silent in all, until one hears it again", func(t *testing.T) {
		t.Parallel()
		h := newHushed(t, 3)
		h.hours(regular, 1)
		h.hours(6, -1)
		require.Empty(t, h.look(), "6 hours are not yet silence")
		h.hours(1, -1)
		items := h.look()
		require.Len(t, items, 3)
		for _, one := range items {
			c := one.Record.GetSetSource()
			require.Equal(t, "usage", c.GetSource())
			require.True(t, c.GetSilent())
			require.Equal(t, h.now.Add(-7*time.Hour).UnixMicro(), c.GetLastEventMicros())
		}
		h.take(items)
		require.Equal(t, []int{0, 1, 2}, h.silent())
		require.Empty(t, h.look(), "it is said once")
		h.hours(1, 2)
		h.take(h.look())
		require.Empty(t, h.silent())
		require.Empty(t, h.look())
	})
	t.Run("a source that one partition hears is silent in none", func(t *testing.T) {
		t.Parallel()
		h := newHushed(t, 2)
		h.usage(0)
		h.hours(40, 1)
		require.Empty(t, h.look())
	})
	t.Run("what was written to some is mended", func(t *testing.T) {
		t.Parallel()
		h := newHushed(t, 3)
		h.hours(regular, 1)
		h.hours(8, -1)
		h.take(h.look()[:1])
		require.Equal(t, []int{0}, h.silent())
		items := h.look()
		require.Len(t, items, 2)
		h.take(items)
		require.Equal(t, []int{0, 1, 2}, h.silent())
		h.hours(1, 0)
		h.take(h.look()[1:])
		require.Equal(t, []int{0}, h.silent())
		h.take(h.look())
		require.Empty(t, h.silent())
	})
	t.Run("a partition that is behind keeps everybody from saying what it may know better", func(t *testing.T) {
		t.Parallel()
		h := newHushed(t, 2)
		h.hours(regular, 0)
		for range 10 { // partition 1 stands still
			h.now = h.now.Add(time.Hour)
			h.give(0, &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}})
		}
		require.Empty(t, h.look())
		h.tick()
		require.Len(t, h.look(), 2)
	})
	t.Run("nothing was ever sent, so nothing is missing", func(t *testing.T) {
		t.Parallel()
		h := newHushed(t, 2)
		h.hours(50, -1)
		require.Empty(t, h.look())
	})
}

func TestSilenceIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	said := time.Now().Add(-time.Minute).UnixMicro()
	for p := range 3 {
		_, err := w.writer.Write(t.Context(), []eventlog.Item{{Partition: p, Record: &logv1.Record{
			Workspace: "default", Payload: &logv1.Record_SetSource{SetSource: &logv1.SetSource{
				Source: "usage", Silent: true, LastEventMicros: said,
			}},
		}}})
		require.NoError(t, err)
	}
	w.start(Config{silenceEvery: lookTick})
	silent := func() int {
		n := 0
		for p := range 3 {
			head, _, err := w.store.Read(t.Context(), p)
			require.NoError(t, err)
			state, err := fold.DecodeState(head.State)
			require.NoError(t, err)
			if state.Workspace("default").Silence[health.SourceUsage].Silent {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return silent() == 3 }, patience, lookTick)
	w.write("a/1")
	require.Eventually(t, func() bool { return silent() == 0 }, patience, lookTick, "it is back, in every partition")
}
