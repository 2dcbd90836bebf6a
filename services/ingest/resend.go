package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reason"
	"hale.dev/services/internal/reject"
)

// RefusedError says that an event that was sent again is refused again. It stays in REJECTS.
type RefusedError struct {
	// Code and Field say what is wrong now, which may be something else than before.
	Code  Code
	Field string
	// Message is for a person.
	Message string

	waits string // the user for whom the event waits now
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the event is refused again: %s: %s: %s", e.Code, e.Field, e.Message)
}

// GRPCStatus is what grpc answers for this error.
func (e *RefusedError) GRPCStatus() *status.Status {
	return reason.Status(codes.FailedPrecondition, strings.ToUpper(string(e.Code)), e.Error(),
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: e.Field, Description: e.Message},
		}},
	)
}

// ResenderDeps is what a Resender needs.
type ResenderDeps struct {
	// Log gives the layout.
	Log *eventlog.Log
	// Writer of the log. The caller closes it.
	Writer *eventlog.Writer
	// Rejects holds the events.
	Rejects *reject.Stream
	// Directory knows the accounts of users.
	Directory *directory.Directory
	// Mapping is the path of a mapping file; empty: the shipped one.
	Mapping string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Logger; nil: silent.
	Logger *slog.Logger
	// Meter; nil: no metrics.
	Meter metric.MeterProvider
}

// Resender sends events of REJECTS again, as if they came for the first time. It is safe for concurrent use.
type Resender struct {
	publisher *publisher
	mapping   *mapping
	now       func() time.Time
}

// NewResender makes a Resender for a process that is no ingest service.
func NewResender(d ResenderDeps) (*Resender, error) {
	m, err := loadMapping(d.Mapping)
	if err != nil {
		return nil, err
	}

	p, err := newPublisher(Deps{
		Log: d.Log, Rejects: d.Rejects, Directory: d.Directory, Logger: d.Logger, Meter: d.Meter,
	}, d.Writer, Sources())
	if err != nil {
		return nil, err
	}

	return &Resender{publisher: p, mapping: m, now: clock(d.Now)}, nil
}

// Resend checks an event again and writes it to the log; then it takes it out of REJECTS. An event that is refused
// again is a *RefusedError and stays. Other errors are *Problem: try again.
func (r *Resender) Resend(ctx context.Context, s reject.Stored) (eventlog.Token, error) {
	req, err := r.request(s)
	if err != nil {
		return eventlog.Token{}, err
	}

	res, err := r.publisher.publish(ctx, req)
	if err != nil {
		return eventlog.Token{}, err
	}

	for _, bad := range res.rejected {
		return eventlog.Token{}, &RefusedError{
			Code: bad.code, Field: bad.field, Message: bad.message, waits: req.entries[bad.index].waits,
		}
	}

	// If this fails the event is sent again some time, and its message id counts once.
	if err := r.publisher.rejects.Delete(ctx, s.Sequence); err != nil && !errors.Is(err, reject.ErrNotFound) {
		return res.place, rejectProblem(err)
	}

	return res.place, nil
}

// moveOn lets an event of a user who was merged into another wait for that one.
func (r *Resender) moveOn(ctx context.Context, s reject.Stored, user string) error {
	key := directory.Key(s.Workspace, user)
	if key == s.Key {
		return nil
	}

	moved := s.Reject
	moved.Key = key

	if err := r.publisher.rejects.Put(ctx, moved); err != nil {
		return rejectProblem(err)
	}

	if err := r.publisher.rejects.Delete(ctx, s.Sequence); err != nil && !errors.Is(err, reject.ErrNotFound) {
		return rejectProblem(err)
	}

	// The other may have become known meanwhile.
	return r.publisher.recheck(ctx, s.Workspace, map[string]struct{}{user: {}})
}

// request makes a request of a stored event: of its record if it could be decoded then, else of its body.
func (r *Resender) request(s reject.Stored) (*request, error) {
	req := &request{
		workspace: s.Workspace, origin: s.Origin, admin: true, arrival: r.now().UnixMicro(), resent: true,
	}

	if len(s.Record) > 0 {
		record := &logv1.Record{}
		if err := proto.Unmarshal(s.Record, record); err != nil {
			return nil, fmt.Errorf("decoding a refused event: %w", err)
		}

		if e := record.GetEvent(); e.GetBody() != nil {
			req.entries = []entry{{event: e, messageID: e.GetMessageId(), at: ownTime(s, e), raw: s.Body}}

			return req, nil
		}
	}

	return req, r.decode(s, req)
}

// decode reads an event that could not be decoded when it came: this version may know better.
func (r *Resender) decode(s reject.Stored, req *request) error {
	arrived := s.At.UnixMicro()

	switch s.Origin {
	case originSegment:
		cs, p := parseCall(s.Body, "")
		if p != nil {
			return &RefusedError{Code: p.Code, Message: p.Message}
		}

		sg := segment{mapping: r.mapping, arrival: arrived}
		req.entries = sg.entries(cs)
	case originNative:
		n := native{arrival: arrived}
		if p := n.parse(s.Body); p != nil {
			return &RefusedError{Code: p.Code, Message: p.Message}
		}

		if len(n.entries) != 1 {
			return &RefusedError{Code: CodeTooManyEvents, Message: "the body holds more than one event"}
		}

		req.entries = n.entries
	default:
		return &RefusedError{Code: CodeMalformedJSON, Message: "the event was kept without anything that can be decoded"}
	}

	return nil
}

// ownTime returns the uncorrected time of a stored event: the record of one of Segment's holds the corrected one, its
// body the one that decided where it goes.
func ownTime(s reject.Stored, e *eventv1.Event) int64 {
	if s.Origin == originSegment {
		if cs, p := parseCall(s.Body, ""); p == nil {
			sg := segment{arrival: e.GetOccurredAt().AsTime().UnixMicro()}
			if at, _, bad := sg.times(&cs.calls[0], ""); bad == nil {
				return at
			}
		}
	}

	return e.GetOccurredAt().AsTime().UnixMicro()
}
