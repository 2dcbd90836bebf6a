package scoring

import (
	"slices"
	"time"
)

// shrinker looks for a shorter history that fails too.
type shrinker struct {
	mutant  simMutant
	until   time.Time
	history []simDecision
}

// shrink returns the shortest history that it finds in so much time.
func shrink(history []simDecision, mutant simMutant, patience time.Duration) []simDecision {
	s := &shrinker{mutant, time.Now().Add(patience), history}
	s.cutEnd()
	s.dropKinds()
	s.cutEnd()
	s.dropPieces()
	return s.history
}

func (s *shrinker) over() bool { return time.Now().After(s.until) }

// try takes a history if it fails and is shorter.
func (s *shrinker) try(history []simDecision) bool {
	if len(history) >= len(s.history) || s.over() {
		return false
	}
	out := replay(history, s.mutant, nil)
	if out.violation == nil {
		return false
	}
	s.history = out.history // without what did nothing
	return true
}

// cutEnd looks for the shortest beginning that fails: what is wrong by then shows after the healing.
func (s *shrinker) cutEnd() {
	for low, high := 0, len(s.history); low < high-1 && !s.over(); {
		middle := (low + high) / 2
		if s.try(slices.Clone(s.history[:min(middle, len(s.history))])) {
			high = min(middle, len(s.history))
		} else {
			low = middle
		}
	}
}

// dropKinds leaves out all steps of a kind, of a process, of a partition.
func (s *shrinker) dropKinds() {
	drop := func(f func(simDecision) bool) { s.try(slices.DeleteFunc(slices.Clone(s.history), f)) }
	for kind := simKinds; kind > 0; kind-- {
		drop(func(d simDecision) bool { return d.kind == kind-1 })
	}
	for n := range uint8(simProcesses) {
		drop(func(d simDecision) bool { return d.who == n && d.kind >= simHear && d.kind < simFallBack })
	}
	for n := range uint8(simStreams) {
		drop(func(d simDecision) bool {
			return d.where%simStreams == n && (d.kind == simAppend || d.kind >= simLifeStep && d.kind <= simTick)
		})
	}
	for n := range uint8(simPartitions) {
		drop(func(d simDecision) bool { return d.where == n && (d.kind == simAppend || d.kind == simWork) })
	}
}

// dropPieces leaves out ever smaller pieces.
func (s *shrinker) dropPieces() {
	for size := len(s.history) / 2; size > 0 && !s.over(); {
		shorter := false
		for to := len(s.history); to > 0 && !s.over(); to -= size {
			to = min(to, len(s.history))
			shorter = s.try(slices.Delete(slices.Clone(s.history), max(0, to-size), to)) || shorter
		}
		switch {
		case size > 1:
			size /= 2
		case !shorter:
			return
		}
	}
}
