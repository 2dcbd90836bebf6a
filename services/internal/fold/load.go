package fold

import "slices"

// enterLoad notes that the load has taken an event now.
func (p *Partition) enterLoad(workspace, id string) {
	l := p.load(workspace, id)
	if l == nil {
		p.Loads = append(p.Loads, Load{Workspace: workspace, ID: id})
		l = &p.Loads[len(p.Loads)-1]
	}
	l.Last = p.LogTime
}

// closeLoad ends a load, known or not, for ever. Its accounts roll to now in a sweep, or when touched.
func (p *Partition) closeLoad(workspace, id string) {
	l := p.load(workspace, id)
	switch {
	case l == nil:
		p.Loads = append(p.Loads, Load{Workspace: workspace, ID: id, Last: p.LogTime, Closed: true, ClosedAt: p.LogTime})
	case !l.Closed:
		l.Closed, l.ClosedAt = true, p.LogTime
		p.startSweep()
	}
}

// closedAt is when a load was closed; of one that is not known, now.
func (p *Partition) closedAt(workspace, id string) int64 {
	if l := p.load(workspace, id); l != nil && l.ClosedAt != 0 {
		return l.ClosedAt
	}
	return p.LogTime
}

func (p *Partition) closeIdleLoads() {
	for i := range p.Loads {
		if l := &p.Loads[i]; !l.Closed && p.LogTime-l.Last >= hour {
			l.Closed, l.ClosedAt = true, p.LogTime
			p.startSweep()
		}
	}
}

// NextTimer returns the log time at which something is due though no message comes: midnight, the closing of an idle
// load, a timer of an alert.
func (p *Partition) NextTimer() int64 {
	const day = 24 * hour
	due := (p.LogTime/day + 1) * day
	open := slices.Values(p.Loads)
	for l := range open {
		if !l.Closed {
			due = min(due, l.Last+hour)
		}
	}
	if len(p.timers) > 0 {
		due = min(due, p.timers[0].at)
	}
	if at := p.nextSourceTimer(); at != 0 {
		due = min(due, at)
	}
	return due
}
