package scoring

import (
	"fmt"
	"math/rand/v2"
)

// simKind is a kind of step.
type simKind uint8

const (
	simAppend simKind = iota
	simPass
	simLeap
	simHear
	simLose
	simLifeStep
	simRead
	simWork
	simCommit
	simRenew
	simTick
	simStart
	// From here on: faults.
	simCall
	simKill
	simStop
	simContinue
	simLeave
	simCut
	simMend
	simFallBack
	simFallBackAll
	simWipe
	simLateCommit
	simKinds
)

func (k simKind) String() string {
	return [...]string{
		"append", "pass", "leap", "hear", "lose", "stream", "read", "work", "commit", "renew", "tick", "start",
		"strike", "kill", "stop", "continue", "leave", "cut", "mend", "fall back", "fall back all", "wipe", "late commit",
	}[k]
}

// simDecision is one step: a history is a list of them. One that makes no sense where it stands does nothing, so steps
// can be left out of a history.
type simDecision struct {
	kind  simKind
	who   uint8 // process
	where uint8 // partition or stream
	arg   uint32
}

// String implements fmt.Stringer.
func (d simDecision) String() string {
	return fmt.Sprintf("%-13s p%d/%d %08x", d.kind, d.who, d.where, d.arg)
}

// simPlan says how often what happens in a run.
type simPlan struct {
	weights [simKinds]int
	total   int
}

// newSimPlan draws a plan: which faults there are, and how many, differs from seed to seed.
func newSimPlan(r *rand.Rand) *simPlan {
	p := &simPlan{weights: [simKinds]int{
		simAppend: 400, simPass: 700, simLeap: 60, simHear: 900, simLose: 20, simLifeStep: 1500, simRead: 1500, simWork: 4000,
		simCommit: 3000, simRenew: 300, simTick: 40, simStart: 300,
		simCall: 300, simKill: 15, simStop: 40, simContinue: 40, simLeave: 10, simCut: 15, simMend: 60, simFallBack: 80,
		simFallBackAll: 8, simWipe: 3, simLateCommit: 600,
	}}
	for kind := simCall; kind < simKinds; kind++ {
		if kind != simContinue && kind != simMend && kind != simLateCommit {
			p.weights[kind] = p.weights[kind] * []int{0, 1, 1, 4}[r.IntN(4)] / 2
		}
	}
	p.weights[simLeap] = p.weights[simLeap] * []int{0, 1, 4, 12}[r.IntN(4)] / 2
	p.weights[simAppend] = p.weights[simAppend] * []int{1, 3, 10}[r.IntN(3)] / 10
	p.weights[simTick] *= []int{1, 10}[r.IntN(2)]
	for _, w := range p.weights {
		p.total += w
	}
	return p
}

// draw draws a step.
func (p *simPlan) draw(r *rand.Rand) simDecision {
	n := r.IntN(p.total)
	kind := simKind(0)
	for n >= p.weights[kind] {
		n -= p.weights[kind]
		kind++
	}
	bits := r.Uint64()
	return simDecision{
		kind: kind, who: uint8(bits % simProcesses), where: uint8(bits >> 8 % simPartitions), arg: uint32(bits >> 32),
	}
}
