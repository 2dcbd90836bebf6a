package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// result is what became of a job.
type result struct {
	job dispatch.Job
	err error
}

var (
	errTimeout  = errors.New("no answer in time")
	errStopping = errors.New("stopping")
)

// senders keeps what sends to a receiver as long as its settings stay.
type senders struct {
	make func(*receiver.Receiver) (sender.Sender, error)
	made map[*receiver.Receiver]sender.Sender
}

func (s *senders) get(r *receiver.Receiver) (sender.Sender, error) {
	if found := s.made[r]; found != nil {
		return found, nil
	}

	made, err := s.make(r)
	if err != nil {
		return nil, fmt.Errorf("making the sender of %s: %w", r.Name, err)
	}

	for old := range s.made { // of an earlier document
		if old.Name == r.Name && len(s.made) > maxSenders {
			delete(s.made, old)
		}
	}

	if s.made == nil {
		s.made = map[*receiver.Receiver]sender.Sender{}
	}

	s.made[r] = made

	return made, nil
}

// maxSenders bounds what is kept for documents that are no longer in force.
const maxSenders = 1000

// run makes a try in a goroutine of its own, so that a receiver that hangs delays no other.
func (w *session) run(j dispatch.Job) {
	to, err := w.senders.get(j.Receiver)
	w.running++

	w.jobs.Go(func() {
		if err == nil {
			err = w.try(j, to)
		}

		select {
		case w.results <- result{job: j, err: err}:
		case <-w.life.Done():
		}
	})
}

// try sends what a job holds. The context ends after the receiver's timeout, by the service's clock.
func (w *session) try(j dispatch.Job, to sender.Sender) error {
	for _, n := range j.Notifications {
		n.Links = sender.Links{Console: w.service.config.ConsoleURL}

		ctx, cancel := context.WithCancelCause(w.life)
		stop := w.service.deps.Clock.AfterFunc(j.Receiver.Timeout, func() { cancel(errTimeout) })
		err := to.Send(ctx, n)
		cause := context.Cause(ctx)

		stop()
		cancel(nil)

		if err != nil && errors.Is(cause, errTimeout) {
			return fmt.Errorf("%w (%s)", errTimeout, j.Receiver.Timeout)
		}

		if err != nil {
			return err
		}
	}

	return nil
}

// record writes down what became of jobs, of all that are done.
func (w *session) record(ctx context.Context, r result) error {
	writes, err := w.take(r)
	if err != nil {
		return err
	}

	for {
		select {
		case more := <-w.results:
			next, err := w.take(more)
			if err != nil {
				return err
			}

			writes = append(writes, next...)

			continue
		default:
		}

		return w.put(ctx, writes)
	}
}

// take tells the state what became of a job.
func (w *session) take(r result) ([]delivery.Write, error) {
	w.running--

	if r.job.Refresh && r.err != nil {
		w.service.metrics.failed(r.job.Workspace, r.job.Receiver.Name)
		w.service.deps.Logger.Warn("active alerts could not be sent again; they are, after the interval",
			slog.String("workspace", r.job.Workspace), slog.String("receiver", r.job.Receiver.Name), slog.Any("error", r.err))
	}

	return w.state.Result(r.job, r.err, w.service.deps.Clock.Now())
}

// drain waits for the jobs under way, and writes down what became of them.
func (w *session) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), w.service.config.Drain, errStopping)
	defer cancel()

	for w.running > 0 {
		select {
		case <-ctx.Done():
			return nil // they are tried again, with the same ids
		case r := <-w.results:
			if err := w.record(ctx, r); err != nil {
				return err
			}
		}
	}

	return nil
}

// forget waits for jobs whose results nobody takes any more.
func (w *session) forget() { w.jobs.Wait() }
