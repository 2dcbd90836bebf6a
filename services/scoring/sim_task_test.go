package scoring

import (
	"errors"
	"iter"
)

// errDead is what every call of a process that was killed returns, having done nothing: so its threads end, and
// nothing of what they still do can be seen.
var errDead = errors.New("simulation: the process is dead")

// simTask is a thread of a simulated process. It stands still at every call to the outside, before what was asked for is
// done and where it matters before the answer is there, until somebody resumes it. Only one task of all runs at a time.
type simTask struct {
	process *simProcess
	name    string
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	// ready says that what the task waits for is there; nil: it can go on.
	ready func() bool
	over  bool
	// worker whose thread this is; nil: another kind.
	worker *simWorker
	// sent is the commit that is on its way to the store.
	sent *simRequest
}

func (p *simProcess) task(name string, f func(t *simTask)) *simTask {
	t := &simTask{process: p, name: name}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		f(t)
	})
	p.tasks = append(p.tasks, t)
	return t
}

// pause stands still until somebody resumes the task.
func (t *simTask) pause() {
	if !t.process.dead && !t.yield(struct{}{}) {
		t.process.dead = true
	}
}

// until stands still until something is true; false: the process is dead.
func (t *simTask) until(ready func() bool) bool {
	for !t.process.dead && !ready() {
		t.ready = ready
		t.pause()
	}
	return !t.process.dead
}

// can reports whether the task can go on.
func (t *simTask) can() bool {
	return t != nil && !t.over && !t.process.stopped && !t.process.dead && (t.ready == nil || t.ready())
}

// resume lets a task go on to where it stands still next; false: it cannot.
func (p *simProcess) resume(t *simTask) bool {
	if !t.can() {
		return false
	}
	t.ready = nil
	p.current = t
	_, more := t.next()
	p.current = nil
	if !more {
		t.over = true
		p.forget(t)
	}
	p.ended()
	return true
}

func (p *simProcess) forget(t *simTask) {
	for i := range p.tasks {
		if p.tasks[i] == t {
			p.tasks = append(p.tasks[:i], p.tasks[i+1:]...)
			return
		}
	}
}

// bury ends the threads of a process that was killed. What they sent may arrive yet.
func (p *simProcess) bury() {
	p.dead = true
	for _, t := range p.tasks {
		if t.sent != nil {
			p.sim.late = append(p.sim.late, t.sent.clone())
		}
	}
	p.current = nil
	for _, t := range p.tasks {
		if !t.over {
			t.stop()
			t.over = true
		}
	}
	p.tasks = nil
	p.cancel(errDead)
	p.sim.processes[p.slot] = nil
}
