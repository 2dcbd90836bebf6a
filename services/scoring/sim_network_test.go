package scoring

import (
	"context"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/member"
)

// simInbox is how many beats wait for a process at most; older ones are lost.
const simInbox = 32

// simNetwork carries the beats of processes to each other, and to themselves. Beats are lost where a link is cut, and
// wait, in any order, until the history delivers them.
type simNetwork struct {
	cut   [simProcesses][simProcesses]bool
	inbox [simProcesses][]member.Beat
}

func (n *simNetwork) send(from int, b member.Beat) {
	for to := range simProcesses {
		if n.cut[from][to] {
			continue
		}
		if len(n.inbox[to]) == simInbox {
			n.inbox[to] = append(n.inbox[to][:0], n.inbox[to][1:]...)
		}
		n.inbox[to] = append(n.inbox[to], b)
	}
}

// take removes one of the next beats for a process.
func (n *simNetwork) take(to int, which uint64) (member.Beat, bool) {
	in := n.inbox[to]
	if len(in) == 0 {
		return member.Beat{}, false
	}
	i := int(which % uint64(min(len(in), 3)))
	b := in[i]
	n.inbox[to] = append(in[:i], in[i+1:]...)
	return b, true
}

// cutOff reports whether a process cannot even hear itself: it is cut from the log too.
func (n *simNetwork) cutOff(slot int) bool { return n.cut[slot][slot] }

// simGroup is a member.Group over the simulated network.
type simGroup struct {
	process *simProcess
	name    string
	table   *member.Table
	leaving bool
}

func newSimGroup(p *simProcess, name string) *simGroup {
	return &simGroup{process: p, name: name, table: member.NewTable(name)}
}

// Name implements Group.
func (g *simGroup) Name() string { return g.name }

// Run implements Group. The simulation beats by itself.
func (*simGroup) Run(context.Context) error { return nil }

// Changed implements Group.
func (*simGroup) Changed() <-chan struct{} { return nil }

// Assigned implements Group.
func (g *simGroup) Assigned(streams int) (owners []string, known bool) {
	now := g.process.sim.now
	if !g.table.Warm(now) {
		return nil, false
	}
	return member.Assign(g.table.Live(now), streams), true
}

// Live implements Group.
func (g *simGroup) Live() []member.Beat { return g.table.Live(g.process.sim.now) }

// Connected implements Group.
func (g *simGroup) Connected() bool { return g.table.Up(g.process.sim.now) > 0 }

// Leave implements Group.
func (g *simGroup) Leave() {
	g.leaving = true
	g.Tell()
}

// Tell implements Group.
func (g *simGroup) Tell() {
	if g.process.dead {
		return
	}
	s := g.process.sim
	s.beaten[g.process.slot] = s.now
	s.network.send(g.process.slot, member.Beat{
		Name: g.name, Up: g.table.Up(s.now), Leaving: g.leaving, Rules: fold.Rules, Version: "simulated",
	})
}

// hear takes a beat in, and decides anew.
func (g *simGroup) hear(b member.Beat) {
	g.table.Hear(b, g.process.sim.now)
	g.process.follow()
}
