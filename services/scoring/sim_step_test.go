package scoring

import (
	"time"
)

// do does a step; false: it makes no sense now, and nothing is done.
func (s *simulation) do(d simDecision) bool {
	arg, where := uint64(d.arg), int(d.where)
	switch d.kind { //nolint:exhaustive // others are not of this sort
	case simAppend:
		s.client.write(where, arg)
		return true
	case simPass:
		most := []uint64{20, 100, 700}[arg>>16%3]
		s.pass(time.Duration(1+arg%most) * time.Millisecond)
		return true
	case simLeap:
		s.leap(arg)
		return true
	case simStart:
		return s.start(int(d.who), arg)
	case simFallBack, simFallBackAll, simWipe, simLateCommit:
		return s.storeFault(d.kind, where, arg)
	case simCut, simMend:
		return s.wire(d.kind, int(d.who), arg)
	default:
		p := s.processes[d.who]
		if p == nil {
			return false
		}
		if d.kind >= simCall {
			return p.strikeWith(d.kind, arg)
		}
		return !p.stopped && p.step(d.kind, where, arg)
	}
}

// leap lets much time pass in which nothing happens: as if leases and beats had gone on.
func (s *simulation) leap(arg uint64) {
	hours := []int{1, 1, 2, 5, 7, 24, 30, 7 * 24, 40 * 24}
	d := time.Duration(hours[arg%uint64(len(hours))]) * time.Hour
	if arg>>8%2 == 0 {
		d /= 60
	}
	s.skipped += d
	s.count("leaps")
	s.sayf("it is %s", s.wall().Format("Jan 2 15:04"))
}

// step does a step of a process.
func (p *simProcess) step(kind simKind, where int, arg uint64) bool {
	stream := p.sim.log.layout.Stream(where)
	l := p.lives[stream]
	switch kind { //nolint:exhaustive // others are not of this sort
	case simHear:
		did := false
		for range 1 + arg>>8%4 {
			if b, ok := p.sim.network.take(p.slot, arg); ok {
				p.group.hear(b)
				did = true
			}
		}
		return did
	case simLose:
		_, ok := p.sim.network.take(p.slot, arg)
		return ok
	case simLifeStep:
		return p.resume(l.task)
	case simRead:
		return l.read(1 + int(arg%4))
	case simTick:
		did := false
		p.outside(func() { did = l.tick() })
		return did
	default:
	}
	w := l.worker(where)
	if w == nil {
		return false
	}
	switch kind { //nolint:exhaustive // others are not of this sort
	case simWork:
		w.choice = arg
		return p.resume(w.task)
	case simCommit:
		return p.resume(w.commit)
	case simRenew:
		return p.renew(w)
	default:
		return false
	}
}

// renew renews the lease of a quiet partition, as owner.renew does.
func (p *simProcess) renew(w *simWorker) bool {
	s := p.service
	if !w.life.scores() || !p.group.Connected() || s.uptime()-time.Duration(w.renewed.Load()) < renewAfter {
		return false
	}
	p.outside(func() { w.life.fail(w.renew(w.life.ctx)) })
	return true
}

// strikeWith lets something befall a process.
func (p *simProcess) strikeWith(kind simKind, arg uint64) bool {
	switch kind { //nolint:exhaustive // others are not of this sort
	case simCall:
		if p.fault.kind != faultNone {
			return false
		}
		p.fault = simFault{1 + simFaultKind(arg%uint64(faultKinds-1)), arg>>4%2 == 0, int(arg >> 8 % 6)}
		return true
	case simKill:
		p.sim.sayf("%s is killed", p.group.name)
		p.bury()
	case simStop:
		if p.stopped {
			return false
		}
		p.stopped = true
		p.sim.sayf("%s stands still", p.group.name)
	case simContinue:
		if !p.stopped {
			return false
		}
		p.stopped = false
		p.sim.sayf("%s goes on", p.group.name)
		return true
	case simLeave:
		if p.leaving || p.stopped {
			return false
		}
		p.sim.sayf("%s is asked to end", p.group.name)
		p.leave()
	default:
		return false
	}
	p.sim.count(kind.String())
	return true
}

// wire cuts or mends links of the network: some, or all of a process, that to itself too.
func (s *simulation) wire(kind simKind, who int, arg uint64) bool {
	cut, did := kind == simCut, false
	set := func(from, to int) {
		did = did || s.network.cut[from][to] != cut
		s.network.cut[from][to] = cut
	}
	for other := range simProcesses {
		if arg>>8%2 == 0 || !cut || other == int(arg>>16%simProcesses) {
			set(who, other)
			set(other, who)
		}
	}
	if did && cut {
		s.count("cut")
		s.sayf("links of p%d are cut: %v", who, s.network.cut)
	}
	return did
}

// storeFault lets something befall the store.
func (s *simulation) storeFault(kind simKind, partition int, arg uint64) bool {
	switch kind { //nolint:exhaustive // others are not of this sort
	case simFallBack:
		if !s.store.fallBack(partition, 1+int(arg%uint64([]int{1, 1, 3, 12}[arg>>8%4]))) {
			return false
		}
	case simFallBackAll:
		for n := range simPartitions {
			s.store.fallBack(n, 1+int(arg>>(8*n)%16))
		}
	case simWipe:
		s.store.wipe(partition)
	case simLateCommit:
		if len(s.late) == 0 {
			return false
		}
		i := int(arg % uint64(len(s.late)))
		request := s.late[i]
		s.late = append(s.late[:i], s.late[i+1:]...)
		if arg>>16%4 > 0 {
			s.sayf("a commit of %s arrives late", request.owner)
			_ = s.store.commit(request.commit, request.owner) // nobody waits for the answer
		}
	default:
		return false
	}
	s.count(kind.String())
	return true
}
