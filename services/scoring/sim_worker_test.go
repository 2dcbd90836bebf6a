package scoring

import "time"

// simWorker is what worker.run is in a running service: the same calls, with the choice that a select makes made by the
// history.
type simWorker struct {
	*worker

	life   *simLife
	task   *simTask
	commit *simTask // the thread of the last commit
	// advancing: the worker is in advance, where it does not wait for the commit that it begins.
	advancing bool
	// careful: what it was given may have to wait for the commit under way in the middle of takeIn.
	careful bool
	choice  uint64
}

// What a worker may do next.
const (
	choiceEnd = 1 << iota
	choiceTake
	choiceDone
	choiceTimer
)

func (w *simWorker) thread(t *simTask) {
	defer w.giveBack()
	err := w.run(t)
	if w.committing && t.until(func() bool { return len(w.done) > 0 }) {
		<-w.done //nolint:errcheck // the try has failed already, or ends
	}
	w.life.fail(err)
}

func (w *simWorker) run(t *simTask) error {
	ctx := w.life.ctx
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w.advancing = true
		err := w.advance(ctx, timer)
		w.advancing = false
		if err != nil {
			return err
		}
		if !t.until(func() bool { return w.choices() != 0 }) {
			return errDead
		}
		switch w.choose() {
		case choiceEnd:
			if w.committing && !t.until(func() bool { return len(w.done) > 0 }) {
				return errDead
			}
			return w.stop(ctx)
		case choiceTake:
			if err := w.takeIn(ctx, <-w.in); err != nil {
				return err
			}
			w.careful = w.careful && len(w.in) > 0
		case choiceDone:
			if err := w.committed(<-w.done); err != nil {
				return err
			}
		}
	}
}

// choices returns what can be done now.
func (w *simWorker) choices() int {
	can := 0
	if w.life.ctx.Err() != nil {
		can |= choiceEnd
	}
	if len(w.in) > 0 && w.partition.Dirty() < maxDirty && (!w.careful || !w.committing) {
		can |= choiceTake
	}
	if len(w.done) > 0 {
		can |= choiceDone
	}
	sweep := w.behind() && len(w.service.sweeps) < cap(w.service.sweeps)
	if !w.committing && (sweep || w.partition.Pending()) && w.pause() == 0 {
		can |= choiceTimer
	}
	return can
}

// choose picks one of them.
func (w *simWorker) choose() int {
	can := w.choices()
	for skip := w.choice % 4; ; {
		for c := choiceEnd; c <= choiceTimer; c <<= 1 {
			if can&c == 0 {
				continue
			}
			if skip == 0 {
				return c
			}
			skip--
		}
	}
}
