package query

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// newValidator compiles the rules of all requests at the start, so that no call pays for it.
func newValidator() (protovalidate.Validator, error) {
	v, err := protovalidate.New(protovalidate.WithMessages(
		&healthv1.GetHealthRequest{}, &healthv1.GetHistoryRequest{}, &healthv1.ListAccountsRequest{},
		&healthv1.WatchHealthRequest{}, &healthv1.SetSegmentRequest{}, &healthv1.GetSegmentRequest{},
		&healthv1.DeleteSegmentRequest{}, &healthv1.ListRejectsRequest{},
		&adminv1.GetScorecardsRequest{}, &adminv1.CheckScorecardsRequest{},
		&adminv1.ApplyScorecardsRequest{}, &adminv1.ResendRejectsRequest{}, &adminv1.TailEventsRequest{},
		&adminv1.ListPartitionsRequest{}, &adminv1.ListSnapshotsRequest{}, &adminv1.CreateSnapshotRequest{},
		&adminv1.RestoreSnapshotRequest{}, &adminv1.StartRebuildRequest{}, &adminv1.AbortTaskRequest{},
		&adminv1.ListTasksRequest{}, &adminv1.WatchTasksRequest{},
		&healthv1.SetOverrideRequest{}, &healthv1.ClearOverrideRequest{}, &healthv1.SetPulseRequest{},
		&healthv1.SetGoalRequest{}, &healthv1.DeleteGoalRequest{}, &healthv1.ListGoalsRequest{},
		&alertv1.ListAlertsRequest{}, &alertv1.GetAlertRequest{}, &alertv1.WatchAlertsRequest{},
		&alertv1.AcknowledgeAlertRequest{}, &alertv1.SnoozeAlertRequest{}, &alertv1.ResolveAlertRequest{},
		&alertv1.AssignAlertRequest{}, &alertv1.CommentAlertRequest{}, &alertv1.CreateSilenceRequest{},
		&alertv1.ListSilencesRequest{}, &alertv1.ExpireSilenceRequest{},
	))
	if err != nil {
		return nil, fmt.Errorf("compiling the rules of requests: %w", err)
	}

	return v, nil
}

// check validates a request.
func check(v protovalidate.Validator, req any) error {
	m, ok := req.(proto.Message)
	if !ok {
		return nil
	}

	err := v.Validate(m)
	if err == nil {
		return nil
	}

	var bad *protovalidate.ValidationError
	if !errors.As(err, &bad) || len(bad.Violations) == 0 {
		return fmt.Errorf("validating a request: %w", err)
	}

	e := &Error{Code: codes.InvalidArgument, Reason: reasonRequest}
	for _, b := range bad.Violations {
		e.Violations = append(e.Violations, Violation{
			Field:   protovalidate.FieldPathString(b.Proto.GetField()),
			Code:    b.Proto.GetRuleId(),
			Message: b.Proto.GetMessage(),
		})
	}

	e.Message = e.Violations[0].Field + ": " + e.Violations[0].Message

	return e
}

// validateUnary refuses requests that break their rules.
func validateUnary(v protovalidate.Validator) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if err := check(v, req); err != nil {
			return nil, err
		}

		return handler(ctx, req)
	}
}

// validateStream is validateUnary for streams.
func validateStream(v protovalidate.Validator) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return handler(srv, &validated{ServerStream: ss, validator: v})
	}
}

// validated is a stream whose requests are checked.
type validated struct {
	grpc.ServerStream

	validator protovalidate.Validator
}

// RecvMsg implements grpc.ServerStream.
func (s *validated) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err //nolint:wrapcheck // io.EOF has to stay as it is
	}

	return check(s.validator, m)
}

// outcomes is the outermost interceptor: it counts requests, logs what is Hale's own fault, and lets no panic or
// untyped error out.
type outcomes struct {
	metrics *metrics
	logger  *slog.Logger
}

// errPanic stands for a panic of a handler.
var errPanic = errors.New("panic")

func (o outcomes) unary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (resp any, err error) {
	begun := time.Now()
	ctx = traced(ctx)

	defer func() {
		if r := recover(); r != nil {
			resp, err = nil, fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}

		err = o.settle(ctx, info.FullMethod, begun, err)
	}()

	return handler(ctx, req)
}

func (o outcomes) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	begun := time.Now()

	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}

		err = o.settle(ss.Context(), info.FullMethod, begun, err)
	}()

	return handler(srv, ss)
}

// stopping says whether a call ended because the service does.
func stopping(err error) bool {
	var known *Error

	return errors.As(err, &known) && known.Reason == reasonStopping
}

// traceHeader is the metadata by which a caller says what trace a call is part of.
const traceHeader = "traceparent"

// traced puts the caller's trace into the context, so that what is written for it into the log carries it, whether
// or not this process records spans.
func traced(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() { // a span of this process
		return ctx
	}

	found := metadata.ValueFromIncomingContext(ctx, traceHeader)
	if len(found) == 0 {
		return ctx
	}

	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceHeader: found[0]})
}

// settle counts a request and types its error.
func (o outcomes) settle(ctx context.Context, method string, begun time.Time, err error) error {
	if err == nil {
		o.metrics.answered(ctx, method, codes.OK, begun)

		return nil
	}

	known := answer(err)
	st := known.GRPCStatus()
	o.metrics.answered(ctx, method, st.Code(), begun)

	switch st.Code() {
	case codes.Internal, codes.DataLoss, codes.Unknown:
		o.logger.ErrorContext(ctx, "a request that could not be answered", "method", method, "error", err)
	case codes.Unavailable:
		if stopping(known) {
			break // of every watch, at every stop
		}

		o.logger.WarnContext(ctx, "a request that cannot be answered now", "method", method, "error", err)
	}

	return st.Err() //nolint:wrapcheck // a status with details, as clients get it
}
