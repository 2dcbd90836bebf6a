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
		p.Loads = append(p.Loads, Load{Workspace: workspace, ID: id, Last: p.LogTime, Closed: true})
	case !l.Closed:
		l.Closed = true
		p.startSweep()
	}
}

func (p *Partition) closeIdleLoads() {
	for i := range p.Loads {
		if l := &p.Loads[i]; !l.Closed && p.LogTime-l.Last >= hour {
			l.Closed = true
			p.startSweep()
		}
	}
}

// NextTimer returns the log time at which something is due though no message comes: midnight, or the
// closing of an idle load.
func (p *Partition) NextTimer() int64 {
	const day = 24 * hour
	due := (p.LogTime/day + 1) * day
	open := slices.Values(p.Loads)
	for l := range open {
		if !l.Closed {
			due = min(due, l.Last+hour)
		}
	}
	return due
}
