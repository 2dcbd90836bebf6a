package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

// WatchHealth implements HealthService.
func (h *healthServer) WatchHealth(
	req *healthv1.WatchHealthRequest, stream grpc.ServerStreamingServer[healthv1.WatchHealthResponse],
) error {
	s, ctx := h.service, stream.Context()

	ws, err := workspace(ctx)
	if err != nil {
		return err
	}

	if err := s.listsAt(ctx, ""); err != nil {
		return err
	}

	w, err := s.newWatch(ws, req)
	if err != nil {
		return err
	}

	defer s.audiences.leave(w.audience)

	w.send = stream.Send

	return w.run(ctx)
}

// watch is one WatchHealth under way.
type watch struct {
	service  *Service
	audience *audience
	rules    *rules
	snapshot bool
	resume   *hub.Token // nil: none
	send     func(*healthv1.WatchHealthResponse) error
	// point is how far the watcher is; nil: it cannot go on from anywhere.
	point *hub.Point
}

// newWatch reads a request.
func (s *Service) newWatch(ws string, req *healthv1.WatchHealthRequest) (*watch, error) {
	key, wanted, by, err := s.wanted(ws, req)
	if err != nil {
		return nil, err
	}

	w := &watch{service: s, snapshot: req.GetSnapshot(), rules: by}

	if text := req.GetResumeToken(); text != "" {
		if w.resume, err = hub.ParseToken(wanted.identity, text); err != nil {
			return nil, &Error{
				Code: codes.InvalidArgument, Reason: reasonToken, cause: err,
				Message: "resume_token: it is malformed, or of a watch with another filter, workspace or installation",
			}
		}
	}

	w.audience = s.audiences.join(key, wanted)

	return w, nil
}

// run sends what there is, and what comes, until the watcher goes.
func (w *watch) run(ctx context.Context) error {
	reader, err := w.begin(ctx)
	if err != nil {
		return err
	}

	defer reader.Close()

	heartbeat := time.NewTimer(w.service.cfg.Heartbeat)
	defer heartbeat.Stop()

	for {
		beat := false

		select {
		case <-ctx.Done():
			return w.gone(context.Cause(ctx))
		case <-w.service.stopping:
			return w.ended(codes.Unavailable, reasonStopping, "the service is stopping")
		case <-w.rules.changed:
			if !w.rules.stand() {
				return w.errSegmentChanged()
			}

			continue
		case <-heartbeat.C:
			beat = true
		case <-reader.Ready():
		}

		sent, err := w.next(ctx, reader.Next(), beat)
		if err != nil {
			return err
		}

		if sent {
			heartbeat.Reset(w.service.cfg.Heartbeat)
		}
	}
}

// next sends what a span comes to; if that is nothing, and a heartbeat is due, that.
func (w *watch) next(ctx context.Context, s hub.Span, beat bool) (sent bool, err error) {
	b := w.audience.batch(s)

	switch {
	case errors.Is(b.err, hub.ErrBehind):
		w.service.metrics.cutOff(ctx)

		return false, w.ended(codes.ResourceExhausted, reasonSlowReader, "the changes are not read as fast as they come")
	case b.err != nil:
		return false, b.err
	case len(b.parts) == 0 && beat:
		s.From = s.To

		return w.next(ctx, s, beat)
	}

	for _, part := range b.parts {
		if err := w.send(part); err != nil {
			return false, fmt.Errorf("sending changes: %w", err)
		}
	}

	w.point = b.span.Point
	w.service.metrics.told(ctx, b.changes)

	return len(b.parts) > 0, nil
}

// gone is the error of a watch whose context has ended. Who may not watch any more can go on with another key.
func (w *watch) gone(cause error) error {
	if refusal, ok := errors.AsType[*access.Error](cause); ok {
		return w.ended(refusal.Code, refusal.Reason, refusal.Message)
	}

	return cause
}

// ended is the error of a watch that the service ends.
func (w *watch) ended(code codes.Code, reason, message string) *Error {
	e := &Error{Code: code, Reason: reason, Message: message}
	if w.point != nil {
		e.Metadata = map[string]string{metadataResumeToken: w.point.Token(w.audience.identity)}
	}

	return e
}

// begin joins, and sends what comes before changes: what was missed, a snapshot, or a heartbeat.
func (w *watch) begin(ctx context.Context) (*hub.Reader, error) {
	caughtUp, err := w.await(ctx)
	if err != nil {
		return nil, err
	}

	j := w.service.feed.hub.Join(w.audience.workspace, w.snapshot || w.resume != nil)

	switch {
	case caughtUp && j.Resumes(w.resume):
		err = w.first(ctx, j, &healthv1.WatchHealthResponse{}, w.missed(j))
	case w.snapshot || w.resume != nil:
		err = w.first(ctx, j, &healthv1.WatchHealthResponse{Reset_: w.resume != nil, SnapshotComplete: true}, w.all)
	default:
		err = w.first(ctx, j, &healthv1.WatchHealthResponse{}, nil)
	}

	if err != nil {
		j.Close()

		return nil, err
	}

	return j.Reader, nil
}

// all says that an account is part of the snapshot.
func (w *watch) all(r *column.Row) *healthv1.AccountChange {
	if !w.audience.wants(r) {
		return nil
	}

	return &healthv1.AccountChange{
		Kind: healthv1.AccountChange_KIND_SNAPSHOT, Account: w.audience.summarize(r)[0],
	}
}

// missed says what became of an account since the token.
func (w *watch) missed(j *hub.Joined) func(*column.Row) *healthv1.AccountChange {
	return func(r *column.Row) *healthv1.AccountChange {
		switch {
		case !j.Missed(w.resume, r):
			return nil
		case !w.audience.wants(r):
			return left(r)
		default:
			return &healthv1.AccountChange{
				Kind: healthv1.AccountChange_KIND_UPDATED, Account: w.audience.summarize(r)[0],
			}
		}
	}
}

// first sends what rows come to, in parts. The last one is as the pattern says and carries the token; the first one has
// its reset.
func (w *watch) first(
	ctx context.Context, j *hub.Joined, pattern *healthv1.WatchHealthResponse,
	of func(*column.Row) *healthv1.AccountChange,
) error {
	part, told := &healthv1.WatchHealthResponse{Reset_: pattern.GetReset_(), AsOf: timestamp(j.Point.AsOf)}, 0

	if of != nil {
		for r := range j.Rows {
			c := of(r)
			if c == nil {
				continue
			}

			if len(part.Changes) == partSize {
				if err := w.send(part); err != nil {
					return fmt.Errorf("sending a part of a snapshot: %w", err)
				}

				part = &healthv1.WatchHealthResponse{AsOf: part.GetAsOf()}
			}

			part.Changes = append(part.Changes, c)
			told++
		}
	}

	part.SnapshotComplete = pattern.GetSnapshotComplete()
	part.ResumeToken = j.Point.Token(w.audience.identity)

	if err := w.send(part); err != nil {
		return fmt.Errorf("sending the end of a snapshot: %w", err)
	}

	w.point = j.Point
	w.service.metrics.told(ctx, told)

	return nil
}

// await returns once the columns are as far as the token, and false if there is none or that takes too long: another
// process was further ahead, or the store has fallen back.
func (w *watch) await(ctx context.Context) (bool, error) {
	if w.resume == nil {
		return false, nil
	}

	ctx, cancel := w.service.untilStopping(ctx)
	defer cancel()

	waiting, stop := context.WithTimeoutCause(ctx, w.service.cfg.MaxWait, errWaited)
	defer stop()

	err := w.service.feed.await(waiting, w.resume)

	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errWaited):
		return false, nil
	default:
		return false, causeOf(ctx, err)
	}
}
