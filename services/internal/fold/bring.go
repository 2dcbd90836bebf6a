package fold

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// enter brings the account to the day on which the event is applied.
func (p *Partition) enter(id, workspace string, ev *eventv1.Event, at int64, a *health.Account, set *scorecard.Set) {
	load := ev.GetHistorical()
	if load == "" {
		a.SetLive()
		if !a.Begun() {
			a.Begin(health.DayOf(p.LogTime))
			return
		}
		if p.OpenLoad(workspace, a.Load()) {
			p.leave(id, a, set, p.LogTime)
		}
		p.bring(id, workspace, a, set)
		return
	}
	p.enterLoad(workspace, load)
	if !a.Begun() {
		a.SetLoad(load)
		a.SetLoadTime(at)
		a.Begin(health.DayOf(at))
		return
	}
	p.bring(id, workspace, a, set)
	if at > a.LoadTime() {
		a.SetLoadTime(at)
		p.roll(id, a, health.DayOf(at), set)
	}
}

// leave takes the account out of the load it is in, and on to a time. What fires on the way is quiet: it is the past.
func (p *Partition) leave(id string, a *health.Account, set *scorecard.Set, at int64) {
	if a.Load() == "" {
		return
	}
	if !p.awaits(id, set) && a.Stale(set) {
		a.Evaluate(set)
	}
	a.SetLoad("")
	a.SetLive()
	p.pass(id, a, set, at, true)
	if w := p.findWorkspace(workspaceOf(id)); w != nil {
		a.SetSilent(w.silent(), set)
	}
	r := p.review(id, at, set)
	r.Quiet = true
	p.watched(id, a, a.Timer(), a.EvaluateAndReview(r))
}

func workspaceOf(id string) string {
	workspace, _, _ := store.SplitAccount(id)
	return workspace
}

// bring makes the account current: out of a closed load, evaluated with the scorecards in force, its alerts reviewed by
// the rules in force, on today.
func (p *Partition) bring(id, workspace string, a *health.Account, set *scorecard.Set) {
	changed := false
	if a.Load() != "" && !p.OpenLoad(workspace, a.Load()) {
		p.leave(id, a, set, p.closedAt(workspace, a.Load()))
		changed = true
	}
	switch {
	case a.Load() == "":
		changed = p.settleAccount(id, workspace, a, set) || changed
		changed = p.pass(id, a, set, p.LogTime, false) || changed
	case !p.awaits(id, set) && a.Stale(set):
		a.Evaluate(set)
		changed = true
	}
	if changed {
		p.changed.touch(id, a)
	}
}

// awaits reports whether the message under way has touched the account since these scorecards are in
// force: then it is evaluated once, at the end of the message, and not before.
func (p *Partition) awaits(id string, set *scorecard.Set) bool {
	t := p.changed.touched[id]
	return t != nil && t.message > p.head.Cursor && t.set == set
}

func (p *Partition) roll(id string, a *health.Account, to health.Day, set *scorecard.Set) {
	if a.Day() >= to {
		return
	}
	a.Roll(to, set, func(r health.Row) { p.changed.row(id, r) })
}
