package chain

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/alert"
)

// desk is where people sit who take up alerts, while what they talk to is killed.
type desk struct {
	client alertv1.AlertServiceClient
	seed   uint64
	busy   sync.WaitGroup

	mu sync.Mutex
	// begun are the commands that were sent, outcomes what was answered; tries without an answer are unknown.
	begun, unknown int
	outcomes       []outcome
}

// outcome is what a command was answered.
type outcome struct {
	deed deed
	// code for which it was refused; empty: it left the alert so.
	code  string
	alert *alertv1.Alert
}

// take has somebody decide about each of the alerts, all of them at the same time.
func (d *desk) take(ctx context.Context, alerts []*alertv1.Alert) {
	for _, a := range alerts {
		d.busy.Go(func() {
			for _, one := range script(d.seed, a) {
				d.carryOut(ctx, one)
			}
		})
	}
}

// carryOut sends a command until it is answered.
func (d *desk) carryOut(ctx context.Context, one deed) {
	d.mu.Lock()
	d.begun++
	d.mu.Unlock()
	times := 1
	if one.twice {
		times++
	}
	for range times {
		o, answered := d.insist(ctx, one)
		if !answered {
			return
		}
		d.mu.Lock()
		d.outcomes = append(d.outcomes, o)
		d.mu.Unlock()
		if o.code != "" {
			return // what is refused does not count, so a second one may be taken
		}
	}
}

// insist tries until there is an answer; there is none if ctx ends before.
func (d *desk) insist(ctx context.Context, one deed) (o outcome, answered bool) {
	const patience, pause = 2 * time.Second, 20 * time.Millisecond
	for {
		trying, cancel := context.WithTimeout(ctx, patience)
		a, err := one.send(trying, d.client)
		cancel()
		if code, final := verdict(err); final {
			return outcome{deed: one, code: code, alert: a}, true
		}
		d.mu.Lock()
		d.unknown++
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return outcome{}, false
		case <-time.After(pause):
		}
	}
}

// wait waits until everything is answered, for so long at most.
func (d *desk) wait(ctx context.Context, patience time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.busy.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	case <-time.After(patience):
	}
}

// judge compares the answers with what the log decides.
func (d *desk) judge(want *decided, p *Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made, over := want.commanded()
	p.Commands, p.Unknown, p.Rewritten = d.begun, d.unknown, want.rewritten()
	p.Applied, p.Again, p.Disagreed, p.Doubled, p.Refused = 0, 0, 0, 0, map[string]int{}
	answered := map[string]bool{}
	for _, o := range d.outcomes {
		id := o.deed.id
		if !o.agrees(made[id], want.refused[id], over[o.deed.alert]) {
			p.Disagreed++
		}
		switch {
		case answered[id]:
			p.Again++
		case o.code == "":
			p.Applied++
		default:
			p.Refused[o.code]++
		}
		answered[id] = true
	}
	p.Unanswered = d.begun - len(answered)
	for id, all := range made {
		if len(all) > 1 {
			p.Doubled++
		}
		if !answered[id] {
			p.Disagreed++ // nobody here sent it, or it has no answer
		}
	}
}

// agrees says whether the answer is what the log makes of the command: transitions, codes of refusals. over says that the
// alert ends.
func (o *outcome) agrees(made []*alertv1.Transition, refused []string, over bool) bool {
	if o.code != "" {
		// A command about an alert that is over may be refused before it comes into the log.
		return len(made) == 0 && (slices.Contains(refused, o.code) || (over && o.code == alert.CodeNotOpen))
	}
	if len(made) == 0 {
		return false
	}
	t := made[0]
	return t.GetKind() == o.deed.kind && t.GetAuthor() == o.deed.author && t.GetNote() == o.deed.note &&
		proto.Equal(t.GetAlert(), o.alert)
}
