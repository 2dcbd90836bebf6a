package scoring

import "time"

const (
	// healRounds bounds how long a world may take to catch up once nothing is wrong any more, healPass is the time
	// between two rounds.
	healRounds = 600
	healPass   = 50 * time.Millisecond
	// healSteps bounds what one thread does in a round.
	healSteps = 10_000
)

// heal ends all that is wrong, lets the world catch up, and holds what is stored against the log. It returns how many
// steps it took.
func (s *simulation) heal() (steps int) {
	s.sayf("all is well from here on")
	s.network.cut = [simProcesses][simProcesses]bool{}
	s.late = nil
	why := ""
	for range healRounds {
		for slot := range simProcesses {
			s.start(slot, uint64(slot))
			p := s.processes[slot]
			p.stopped, p.fault = false, simFault{}
			steps += p.settle()
			if s.violation != nil {
				return steps
			}
		}
		if why = s.settled(); why == "" {
			break
		}
		s.pass(healPass)
	}
	if why != "" {
		s.violatedf("after %s without any fault: %s", healRounds*healPass, why)
		return steps
	}
	for n, p := range s.store.parts {
		if err := s.references[n].compare(p); err != nil {
			s.violatedf("%v", err)
		}
	}
	return steps
}

// settle does all that a process can do now.
func (p *simProcess) settle() (steps int) {
	for did := true; did && steps < healSteps && p.sim.processes[p.slot] == p; {
		did = false
		for partition := range simPartitions {
			for _, kind := range []simKind{simHear, simLifeStep, simRead, simWork, simCommit, simRenew, simTick} {
				if p.sim.processes[p.slot] == p && p.step(kind, partition, 0) {
					did = true
					steps++
				}
			}
		}
	}
	return steps
}
