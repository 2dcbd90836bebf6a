package fold

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"slices"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// Accounts ask to be woken at a log time: when a rule has been pending for long enough, a snooze ends, an alert is
// escalated. What they asked for lies in chunks, one for each hour in which something is due, and in memory as a heap. An
// account may have asked for another time since; then waking it does nothing.

// timer is an account that asked to be woken at a time.
type timer struct {
	at int64
	id string
}

// timerHeap has the earliest timer first.
type timerHeap []timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].at, h[j].at), cmp.Compare(h[i].id, h[j].id)) < 0
}

func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) { *h = append(*h, x.(timer)) } //nolint:forcetypeassert // only timers are pushed

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = timer{}
	*h = (*h)[:last]
	return t
}

// setTimer keeps what an account asked for, if it is not what it asked for before.
func (p *Partition) setTimer(id string, a *health.Account, before int64) {
	at := a.Timer()
	if at == 0 || at == before {
		return
	}
	heap.Push(&p.timers, timer{at, id})
	h := at / hour
	key := store.TimerKey(h)
	p.changed.appends[key] = wire.Append(binary.AppendVarint(p.changed.appends[key], at), id)
	if i, ok := slices.BinarySearch(p.timerHours, h); !ok {
		p.timerHours = slices.Insert(p.timerHours, i, h)
	}
}

// loadTimers takes in a stored chunk.
func (p *Partition) loadTimers(b []byte) error {
	r := wire.NewReader(b)
	for r.Len() > 0 {
		t := timer{at: r.Varint(), id: r.Text()}
		p.timers = append(p.timers, t)
	}
	if r.Bad() {
		return ErrState
	}
	return nil
}

// ring takes the timers that are due.
func (p *Partition) ring() {
	for len(p.timers) > 0 && p.timers[0].at <= p.LogTime {
		t := heap.Pop(&p.timers).(timer) //nolint:forcetypeassert // only timers are there
		p.waking = append(p.waking, t.id)
	}
	p.forgetTimers()
}

// forgetTimers drops the chunks of hours of which all timers have rung and were seen to.
func (p *Partition) forgetTimers() {
	if p.Waking() {
		return
	}
	now := p.LogTime / hour
	for len(p.timerHours) > 0 && p.timerHours[0] < now {
		p.changed.delete(store.TimerKey(p.timerHours[0]))
		p.timerHours = p.timerHours[1:]
	}
}

// Waking reports whether accounts are to be woken: like a sweep, slice by slice between messages.
func (p *Partition) Waking() bool { return len(p.waking) > 0 }

// WakeNext returns the next accounts to wake, at most limit.
func (p *Partition) WakeNext(limit int) []string {
	return slices.Clone(p.waking[:min(limit, len(p.waking))])
}

// Wake brings the accounts that WakeNext named up to date.
func (p *Partition) Wake(ids []string, accounts Accounts) {
	p.bringAll(ids, accounts)
	p.waking = p.waking[len(ids):]
	p.changed.swept = true
	p.forgetTimers()
}
