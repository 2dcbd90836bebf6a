package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/query/internal/board"
)

// alertPart is how many alerts or transitions one message of a watch has at most.
const alertPart = 200

// WatchAlerts implements AlertService.
func (a *alertServer) WatchAlerts(
	req *alertv1.WatchAlertsRequest, stream grpc.ServerStreamingServer[alertv1.WatchAlertsResponse],
) error {
	ctx, cancel := a.service.untilStopping(stream.Context())
	defer cancel()

	w, err := a.service.newAlertWatch(ctx, req)
	if err != nil {
		return err
	}

	w.send = stream.Send

	return w.ended(causeOf(ctx, w.run(ctx)))
}

// alertWatch is one WatchAlerts under way.
type alertWatch struct {
	service   *Service
	workspace string
	filter    *board.Filter
	identity  alertIdentity
	snapshot  bool
	resumes   bool
	// at is the place up to which the watcher knows everything; begun says that it does.
	at    board.Place
	begun bool
	send  func(*alertv1.WatchAlertsResponse) error
}

// newAlertWatch reads a request.
func (s *Service) newAlertWatch(ctx context.Context, req *alertv1.WatchAlertsRequest) (*alertWatch, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := s.alertsReady(); err != nil {
		return nil, err
	}

	w := &alertWatch{service: s, workspace: ws, snapshot: req.GetSnapshot(), resumes: req.GetResumeToken() != ""}

	if w.filter, err = board.ParseFilter(req.GetFilter()); err != nil {
		return nil, badFilter(err)
	}

	w.identity = newAlertIdentity(s.deps.Log.Layout().ID, ws, strings.TrimSpace(req.GetFilter()))

	if w.resumes {
		if w.at, err = w.identity.parse(req.GetResumeToken()); err != nil {
			return nil, err
		}
	}

	return w, nil
}

// run sends what there is, and what comes, until the watcher goes.
func (w *alertWatch) run(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}

	every := w.service.cfg.Heartbeat
	heartbeat := time.NewTimer(every)

	defer heartbeat.Stop()

	for {
		entries, last, wake, ok := w.service.alerts.board.After(w.workspace, w.at)
		if !ok {
			return w.lost(ctx, last)
		}

		sent, err := w.tell(ctx, entries)
		if err != nil {
			return err
		}

		w.at = last

		if sent {
			heartbeat.Reset(every)
		}

		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wake:
		case <-heartbeat.C:
			if err := w.sendPart(&alertv1.WatchAlertsResponse{}); err != nil {
				return err
			}

			heartbeat.Reset(every)
		}
	}
}

// lost is why the board cannot tell what happened behind the watcher's place.
func (w *alertWatch) lost(ctx context.Context, last board.Place) error {
	if w.at.Stream != last.Stream {
		return errAlertsFilling(errAlerts)
	}

	w.service.metrics.cutOff(ctx)

	return &Error{
		Code: codes.ResourceExhausted, Reason: reasonSlowReader,
		Message: "what happens to alerts is not read as fast as it comes",
	}
}

// tell sends the transitions that the watcher wants, in parts of which each has the token behind it.
func (w *alertWatch) tell(ctx context.Context, entries []board.Entry) (sent bool, err error) {
	part, size := &alertv1.WatchAlertsResponse{}, 0

	flush := func() error {
		if len(part.Transitions) == 0 {
			return nil
		}

		w.service.metrics.told(ctx, len(part.Transitions))
		err := w.sendPart(part)
		part, size, sent = &alertv1.WatchAlertsResponse{}, 0, true

		return err
	}

	for _, e := range entries {
		t := e.Record.GetTransition()
		if e.Record.GetWorkspace() == w.workspace && w.filter.Match(t.GetAlert()) {
			t = w.service.silences.markedTransition(w.workspace, t)
			part.Transitions = append(part.Transitions, t)
			size += proto.Size(t)
		}

		w.at.Sequence, w.at.Time = e.Sequence, e.Time

		if len(part.Transitions) == alertPart || size >= alertBytes {
			if err := flush(); err != nil {
				return sent, err
			}
		}
	}

	return sent, flush()
}

// sendPart sends a part with the token behind it.
func (w *alertWatch) sendPart(part *alertv1.WatchAlertsResponse) error {
	part.ResumeToken = w.identity.format(w.at)

	if err := w.send(part); err != nil {
		return fmt.Errorf("sending what happened to alerts: %w", err)
	}

	return nil
}

// begin sends what comes before that which happens from now on: what was missed, a snapshot, or where the watch begins.
func (w *alertWatch) begin(ctx context.Context) error {
	if w.resumes {
		err := w.resume(ctx)
		if err == nil {
			w.begun = true

			return w.sendPart(&alertv1.WatchAlertsResponse{})
		}

		if !errors.Is(err, alertlog.ErrGone) {
			return err
		}
	}

	if w.snapshot || w.resumes {
		return w.all(ctx)
	}

	if w.at = w.service.alerts.board.Last(); w.at.Stream == 0 {
		return errAlertsFilling(errAlerts)
	}

	w.begun = true

	return w.sendPart(&alertv1.WatchAlertsResponse{})
}

// all sends a snapshot of the open alerts.
func (w *alertWatch) all(ctx context.Context) error {
	s := w.service

	found, last := s.alerts.board.Snapshot(w.workspace, board.Open())
	if last.Stream == 0 { // what there is may not be all
		return errAlertsFilling(errAlerts)
	}

	part := &alertv1.WatchAlertsResponse{Reset_: w.resumes}
	told, size := 0, 0

	for _, a := range found {
		if !w.filter.Match(a) {
			continue
		}

		if len(part.Snapshot) == alertPart || size >= alertBytes { // without a token: there is nothing to go on from yet
			if err := w.send(part); err != nil {
				return fmt.Errorf("sending a part of a snapshot: %w", err)
			}

			part, size = &alertv1.WatchAlertsResponse{}, 0
		}

		a = s.silences.marked(w.workspace, a)
		part.Snapshot = append(part.Snapshot, a)
		size += proto.Size(a)
		told++
	}

	w.at, w.begun = last, true
	part.SnapshotComplete = true
	s.metrics.told(ctx, told)

	return w.sendPart(part)
}

// errCaught ends the reading of the stream where the board goes on.
var errCaught = errors.New("query: caught up with the board")

// resume sends what happened since the token: from the stream, until the board has the rest. Its error is
// alertlog.ErrGone if the stream does not go back so far, or is not the one that the token is of.
func (w *alertWatch) resume(ctx context.Context) error {
	if err := w.reach(ctx); err != nil {
		return err
	}

	for {
		_, last, _, ok := w.service.alerts.board.After(w.workspace, w.at)
		if ok {
			return nil
		}

		if w.at.Stream != last.Stream || w.at.Sequence >= last.Sequence { // the board began anew
			return alertlog.ErrGone
		}

		if err := w.catchUp(ctx, last.Sequence); err != nil {
			return err
		}
	}
}

// catchUp sends what the stream has up to a sequence.
func (w *alertWatch) catchUp(ctx context.Context, last uint64) error {
	w.begun = true // what was told has its token

	var few []board.Entry

	err := w.service.deps.Alerts.Follow(ctx, w.at, func(e alertlog.Entry) error {
		few = append(few, onBoard(e))

		if len(few) < alertPart && e.Sequence < last {
			return nil
		}

		if _, err := w.tell(ctx, few); err != nil {
			return err
		}

		few = few[:0]

		if e.Sequence >= last {
			return errCaught
		}

		return nil
	})

	switch {
	case errors.Is(err, errCaught):
		return nil
	case errors.Is(err, alertlog.ErrGone), ctx.Err() != nil:
		return err
	case errors.Is(err, alertlog.ErrUnavailable):
		return alertsFailed("reading what a watcher missed", err)
	}

	return err
}

// reach returns when the board is as far as the token: another process may have been further ahead.
func (w *alertWatch) reach(ctx context.Context) error {
	waiting, stop := context.WithTimeoutCause(ctx, w.service.cfg.MaxWait, errWaited)
	defer stop()

	err := w.service.deps.Alerts.Check(ctx, w.at)

	switch {
	case errors.Is(err, alertlog.ErrGone):
		return err
	case err != nil:
		return alertsFailed("looking for what a watcher has seen", err)
	}

	err = w.service.alerts.board.Await(waiting, w.at)
	if errors.Is(err, errWaited) {
		return alertsFailed("waiting for what a watcher has seen", err)
	}

	return err
}

// ended puts the token into the error of a watch that the service ends.
func (w *alertWatch) ended(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !w.begun {
		return err
	}

	told := *e
	told.Metadata = map[string]string{metadataResumeToken: w.identity.format(w.at)}

	return &told
}
