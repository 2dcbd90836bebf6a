package fold

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

func (p *Partition) event(m *Message, index int, ev *eventv1.Event, accounts Accounts) {
	workspace := m.Records[index].GetWorkspace()
	id := store.Account(workspace, ev.GetAccountId())
	f := fingerprintOf(id, ev.GetMessageId())
	if p.dedupe.known(f, p.LogTime) {
		p.Duplicates++
		return
	}
	occurred := p.LogTime
	if t := ev.GetOccurredAt(); t != nil {
		occurred = t.GetSeconds()*1_000_000 + int64(t.GetNanos())/1000
	}
	account := accounts.Get(id)
	if code, why := p.admit(workspace, ev, occurred, account); code != "" {
		p.refuse(m, index, code, "occurred_at", why)
		return
	}
	at := min(occurred, p.LogTime)
	fresh := account == nil
	if fresh {
		account = health.New()
	}
	if refusal := p.examine(ev, at, account); refusal != nil {
		p.refuse(m, index, refusal.Code, refusal.Field, refusal.Message)
		return
	}
	set := p.set(workspace)
	p.enter(id, workspace, ev, at, account, set)
	account.Add(ev, at)
	if fresh {
		accounts.Put(id, account)
		p.addAccount(id)
	}
	p.dedupe.seen[f] = p.LogTime
	p.ids = append(p.ids, f)
	p.Counted++
	if ev.GetHistorical() == "" {
		p.noteSource(workspace, ev)
	}
	p.await(p.changed.touch(id, account), m, workspace, set)
}

// await lets an account be evaluated at the end of the message.
func (p *Partition) await(t *touch, m *Message, workspace string, set *scorecard.Set) {
	t.workspace, t.set = workspace, set
	if t.message != m.Sequence {
		t.message = m.Sequence
		p.evaluate = append(p.evaluate, t)
	}
}

// admit decides whether an event may be counted at its time; code is empty if so.
func (p *Partition) admit(workspace string, ev *eventv1.Event, occurred int64, account *health.Account) (code, why string) {
	if occurred > p.LogTime+ahead {
		return "in_future", "occurred more than 1 h after the time of arrival"
	}
	load := ev.GetHistorical()
	switch {
	case load == "" && occurred < p.LogTime-Horizon:
		return "too_old", "occurred more than 7 days before it arrived"
	case load == "":
		return "", ""
	}
	if l := p.load(workspace, load); l != nil && l.Closed {
		return "load_closed", "the historical load has ended"
	}
	if account != nil && (account.Live() || account.Load() != load) {
		return "account_live", "the account has live events, or belongs to another historical load"
	}
	return "", ""
}

// examine decides whether the account can take the event, before anything is changed: what is refused
// leaves no trace, and the outcome does not depend on whether a sweep has rolled the account already.
func (p *Partition) examine(ev *eventv1.Event, at int64, a *health.Account) *health.Refusal {
	if refusal := health.Check(ev); refusal != nil {
		return refusal
	}
	today := p.LogTime
	if ev.GetHistorical() != "" {
		today = at
	}
	return a.Room(ev, at, max(a.Day(), health.DayOf(today)))
}
