package scoring

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
)

// simOutcome is what came of a run.
type simOutcome struct {
	history   []simDecision
	steps     int
	violation error
	counts    map[string]int
	broken    int
}

// draws bounds how often a step is drawn that makes no sense.
const draws = 64

// simulate runs a seed: so many steps that it draws, then the healing.
func simulate(seed uint64, steps int, mutant simMutant) simOutcome {
	r := rand.New(rand.NewPCG(seed, 2))
	plan := newSimPlan(r)
	drawn := 0
	return play(mutant, nil, func(_ *simulation, done int) (simDecision, bool) {
		drawn++
		if drawn <= simProcesses {
			return simDecision{kind: simStart, who: uint8(drawn - 1), arg: r.Uint32()}, true
		}
		return plan.draw(r), done < steps && drawn < draws*steps
	})
}

// replay runs a history again.
func replay(history []simDecision, mutant simMutant, tell func(string)) simOutcome {
	at := 0
	return play(mutant, tell, func(*simulation, int) (simDecision, bool) {
		if at == len(history) {
			return simDecision{}, false
		}
		at++
		return history[at-1], true
	})
}

// play runs a world through the steps that next names, and heals it.
func play(mutant simMutant, tell func(string), next func(s *simulation, done int) (simDecision, bool)) (out simOutcome) {
	s := newSimulation(mutant)
	s.tell = tell
	defer s.end()
	defer func() {
		if r := recover(); r != nil {
			s.violatedf("a panic: %v\n%s", r, debug.Stack())
		}
		out.violation, out.counts, out.broken = s.violation, s.counts, s.store.broken
	}()
	for s.violation == nil {
		d, more := next(s, out.steps)
		if !more {
			break
		}
		if tell != nil {
			s.sayf("· %s", d)
		}
		if s.do(d) {
			out.steps++
			out.history = append(out.history, d)
		}
	}
	if s.violation == nil {
		out.steps += s.heal()
	}
	return out
}

// describe replays a history and tells what happens in it, a step a line.
func describe(history []simDecision, mutant simMutant) (lines []string) {
	replay(history, mutant, func(line string) {
		if len(lines) < 2000 {
			lines = append(lines, fmt.Sprintf("%4d  %s", len(lines)+1, line))
		}
	})
	return lines
}
