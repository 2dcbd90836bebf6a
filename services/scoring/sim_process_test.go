package scoring

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"hale.dev/services/internal/store"
)

// simProcess is one simulated scoring process: a real Service whose threads the simulation holds.
type simProcess struct {
	sim     *simulation
	slot    int
	service *Service
	group   *simGroup
	ctx     context.Context //nolint:containedctx // the life of the process
	cancel  context.CancelCauseFunc
	lives   []*simLife // by stream
	tasks   []*simTask
	current *simTask
	fault   simFault
	// dead: it was killed. stopped: it does nothing now, and does not know. leaving: it was asked to end.
	dead, stopped, leaving bool
}

// tinyCache makes the share of each worker less than any account: nothing stays in memory that need not.
const tinyCache = 1 << 40

// start starts a process in a slot.
func (s *simulation) start(slot int, arg uint64) bool {
	if s.processes[slot] != nil {
		return false
	}
	s.started++
	p := &simProcess{sim: s, slot: slot}
	p.group = newSimGroup(p, fmt.Sprintf("p%d.%d", slot, s.started))
	deps := Deps{
		Log: &simLogHandle{p}, Store: &simStoreHandle{process: p}, Rejects: &simRejectsHandle{p}, Pressure: simBoard{},
		Writer: &simWriterHandle{p}, Group: p.group, Logger: slog.New(slog.DiscardHandler),
		Tracer: tracenoop.NewTracerProvider(), Meter: metricnoop.NewMeterProvider(),
	}
	service, err := New(Config{
		Now: s.wall, steady: func() time.Time { return s.now }, claimsAtOnce: 1, slice: 1 + int(arg>>1)%3,
		parse: s.parse, CacheMiB: 1,
	}, deps)
	if err != nil {
		s.violatedf("starting %s: %v", p.group.name, err)
		return true
	}
	if arg%2 == 0 {
		service.open.Add(tinyCache)
	}
	service.spawn = p.spawn
	p.service = service
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	s.processes[slot] = p
	for stream := range s.log.layout.Streams {
		l := &simLife{process: p, stream: stream}
		p.lives = append(p.lives, l)
		l.task = p.task(fmt.Sprintf("stream %d", stream), l.run)
	}
	s.sayf("%s starts, slice %d", p.group.name, service.cfg.slice)
	p.group.Tell()
	return true
}

// spawn makes what a worker wants to be done beside it a thread of its own. Where the worker will wait for the outcome,
// it waits here.
func (p *simProcess) spawn(f func()) {
	if p.dead {
		f()
		return
	}
	t := p.current
	w := t.worker
	w.commit = p.task(fmt.Sprintf("commit %d", w.number), func(*simTask) { f() })
	commit := w.commit
	if w.advancing {
		return
	}
	if !t.until(func() bool { return commit.over }) && !commit.over && len(w.done) == 0 {
		f()
	}
}

// leave asks a process to end in order.
func (p *simProcess) leave() {
	p.leaving = true
	p.group.Leave()
	p.cancel(context.Canceled)
}

// ended buries a process that is dead, or has ended in order.
func (p *simProcess) ended() {
	if p.sim.processes[p.slot] != p {
		return
	}
	if p.dead {
		p.sim.sayf("%s is dead", p.group.name)
		p.bury()
		return
	}
	if !p.leaving {
		return
	}
	for _, l := range p.lives {
		if !l.task.over {
			return
		}
	}
	p.sim.sayf("%s has ended", p.group.name)
	p.bury()
}

// outside runs a call that no thread of the process makes.
func (p *simProcess) outside(f func()) {
	f()
	p.ended()
}

// follow keeps what the process wants current with what it hears.
func (p *simProcess) follow() {
	owners, known := p.group.Assigned(p.sim.log.layout.Streams)
	if !known || p.dead {
		return
	}
	wanted := make([]bool, len(owners))
	for i, owner := range owners {
		wanted[i] = owner == p.group.name
	}
	p.service.desires.set(wanted)
	for i, l := range p.lives {
		if !wanted[i] && l.giveUp != nil {
			l.giveUp(errUnwanted)
		}
	}
}

// call makes a call to the outside: the request may be lost, or refused, the answer too, or the process be killed before
// or after. what names it in histories.
func (p *simProcess) call(ctx context.Context, request *simRequest, answered bool, effect func() error) error {
	t := p.current
	if t != nil && !p.dead {
		t.sent = request
		t.pause()
		t.sent = nil
	}
	if p.dead {
		return errDead
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	fault := p.strike(request)
	switch fault {
	case faultRefused:
		return &store.Error{Reason: store.ReasonUnreachable, Message: "simulated"}
	case faultLost:
		if request != nil {
			p.sim.store.torn(request.commit)
		}
		return fmt.Errorf("%w: the request was lost", store.ErrUnknown)
	case faultLate:
		if request != nil {
			p.sim.late = append(p.sim.late, request.clone())
		}
		return fmt.Errorf("%w: the request is late", store.ErrUnknown)
	case faultKilledBefore:
		p.dead = true
		return errDead
	case faultNone, faultUnanswered, faultKilledAfter, faultKinds:
	}
	err := effect()
	switch {
	case fault == faultKilledAfter:
		p.dead = true
	case fault == faultUnanswered && err == nil:
		return fmt.Errorf("%w: the answer was lost", store.ErrUnknown)
	case answered && t != nil:
		t.pause()
	}
	if p.dead {
		return errDead
	}
	return err
}
