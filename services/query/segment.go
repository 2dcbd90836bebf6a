package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/settings"
	"hale.dev/services/query/internal/column"
)

const (
	// maxSegments is how many segments a workspace has at most.
	maxSegments = 200
	// segmentPatience is how long a writer waits for this process to know of what it wrote.
	segmentPatience = 5 * time.Second
)

// SetSegment implements HealthService. Lists of this process know of the segment when it returns, those of others a
// moment later.
func (h *healthServer) SetSegment(
	ctx context.Context, req *healthv1.SetSegmentRequest,
) (*healthv1.SetSegmentResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	s, wanted := h.service, req.GetSegment()
	if err := s.storable(ws, wanted); err != nil {
		return nil, err
	}

	one := settings.Segment{
		Workspace: ws, Name: wanted.GetName(), Filter: wanted.GetFilter(), Description: wanted.GetDescription(),
		Revision: wanted.GetRevision(),
	}

	revision, err := s.deps.Settings.PutSegment(ctx, one)
	if errors.Is(err, settings.ErrSegmentRevision) {
		return nil, &Error{
			Code: codes.Aborted, Reason: reasonRevision, cause: err,
			Message: fmt.Sprintf("segment %q is not of revision %d any more: read it again", one.Name, one.Revision),
		}
	}

	if err != nil {
		return nil, unavailable(reasonSettings, "the segment cannot be stored now", err)
	}

	if err := s.knowing(ctx, ws, func() bool { return s.segments.revision(ws) >= revision }); err != nil {
		return nil, err
	}

	found, err := h.GetSegment(ctx, &healthv1.GetSegmentRequest{Name: one.Name})
	if err != nil {
		return nil, err
	}

	return &healthv1.SetSegmentResponse{Segment: found.GetSegment()}, nil
}

// storable refuses a segment that nobody could use.
func (s *Service) storable(ws string, one *healthv1.Segment) error {
	filter, err := column.ParseFilter(one.GetFilter(), nil)
	if err != nil {
		if bad, ok := errors.AsType[*column.FilterError](err); ok {
			return invalid("segment.filter", bad.Code, bad.Error())
		}

		return err
	}

	if filter == nil {
		return invalid("segment.filter", "filter.empty", "says nothing: all accounts would be in the segment")
	}

	if _, known := s.segments.get(ws, one.GetName()); !known && len(s.segments.list(ws)) >= maxSegments {
		return &Error{
			Code: codes.ResourceExhausted, Reason: reasonSegmentsFull,
			Message: fmt.Sprintf("a workspace has at most %d segments", maxSegments),
		}
	}

	return nil
}

// knowing waits until a change of segments is known in this process.
func (s *Service) knowing(ctx context.Context, ws string, known func() bool) error {
	waiting, cancel := context.WithTimeoutCause(ctx, segmentPatience, errWaited)
	defer cancel()

	err := s.segments.until(waiting, ws, known)
	if errors.Is(err, errWaited) { // it is stored all the same
		s.deps.Logger.WarnContext(ctx, "a segment was stored, and lists do not know of it yet", "workspace", ws)

		return nil
	}

	return err
}

// GetSegment implements HealthService.
func (h *healthServer) GetSegment(
	ctx context.Context, req *healthv1.GetSegmentRequest,
) (*healthv1.GetSegmentResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := h.service.listsAt(ctx, ""); err != nil {
		return nil, err
	}

	one, ok := h.service.segments.get(ws, req.GetName())
	if !ok {
		return nil, errNoSegment(req.GetName())
	}

	return &healthv1.GetSegmentResponse{Segment: h.service.counted(ws, []*segment{one})[0]}, nil
}

func errNoSegment(name string) *Error {
	return &Error{
		Code: codes.NotFound, Reason: reasonSegment, Message: fmt.Sprintf("there is no segment %q", name),
	}
}

// ListSegments implements HealthService.
func (h *healthServer) ListSegments(
	ctx context.Context, _ *healthv1.ListSegmentsRequest,
) (*healthv1.ListSegmentsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := h.service.listsAt(ctx, ""); err != nil {
		return nil, err
	}

	all := h.service.segments.list(ws)
	slices.SortFunc(all, func(a, b *segment) int { return strings.Compare(a.Name, b.Name) })

	return &healthv1.ListSegmentsResponse{Segments: h.service.counted(ws, all)}, nil
}

// DeleteSegment implements HealthService.
func (h *healthServer) DeleteSegment(
	ctx context.Context, req *healthv1.DeleteSegmentRequest,
) (*healthv1.DeleteSegmentResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	s := h.service
	before, known := s.segments.get(ws, req.GetName())

	err = s.deps.Settings.DeleteSegment(ctx, ws, req.GetName())

	switch {
	case errors.Is(err, settings.ErrNoSegment), errors.Is(err, settings.ErrSegmentName):
		return nil, errNoSegment(req.GetName())
	case err != nil:
		return nil, unavailable(reasonSettings, "the segment cannot be removed now", err)
	case !known:
		return &healthv1.DeleteSegmentResponse{}, nil
	}

	return &healthv1.DeleteSegmentResponse{}, s.knowing(ctx, ws, func() bool {
		found, ok := s.segments.get(ws, req.GetName())

		return !ok || found.Revision > before.Revision
	})
}

// counted are segments in answers, with what is in them now. It looks at every account once.
func (s *Service) counted(ws string, all []*segment) []*healthv1.Segment {
	out, sums := make([]*healthv1.Segment, len(all)), make([]map[string]*sum, len(all))

	for i, one := range all {
		out[i] = &healthv1.Segment{
			Name: one.Name, Filter: one.Filter, Description: one.Description, Revision: one.Revision,
			Arr: map[string]float64{},
		}
		sums[i] = map[string]*sum{}
	}

	if len(all) == 0 {
		return out
	}

	for r := range s.feed.book.Table(ws).All() {
		for i, one := range all {
			if !one.filter.Match(r) {
				continue
			}

			out[i].Accounts++

			if r.ARRKnown {
				if sums[i][r.Currency] == nil {
					sums[i][r.Currency] = new(sum)
				}

				sums[i][r.Currency].add(r.ARR)
			}
		}
	}

	for i := range out {
		for currency, total := range sums[i] {
			out[i].Arr[currency] = total.float()
		}
	}

	return out
}

// sum adds micros up without running over.
type sum struct{ units, micros int64 }

func (s *sum) add(micros int64) {
	s.units += micros / microsPerUnit
	s.micros += micros % microsPerUnit
}

func (s *sum) float() float64 {
	return float64(s.units+s.micros/microsPerUnit) + float(s.micros%microsPerUnit)
}
