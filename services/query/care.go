package query

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"math"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/health"
)

const (
	// originQuery is the origin of records that this service writes.
	originQuery = "query"
	// maxOverrideDays is how far ahead the last day of a score set by hand may be.
	maxOverrideDays = 366
)

// decision is what a person decided about an account, on the way into the log.
type decision struct {
	account, command, author string
}

// decide fills in what the request leaves open: who decides is whoever the credential names, and a command without an
// id is another one each time.
func decide(ctx context.Context, account, command, author string) decision {
	p, _ := access.FromContext(ctx)

	return decision{account: account, command: cmp.Or(command, rand.Text()), author: cmp.Or(author, p.KeyID)}
}

// record is the record of a command.
func (d *decision) record(c *logv1.AccountCommand) *logv1.Record {
	c.AccountId, c.CommandId, c.Author = d.account, d.command, d.author

	return &logv1.Record{Payload: &logv1.Record_AccountCommand{AccountCommand: c}}
}

// carryOut writes a record into the log and returns the account once the fold has decided on it.
func (s *Service) carryOut(ctx context.Context, d *decision, record *logv1.Record) (*view, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	record.Workspace, record.Origin = ws, originQuery
	partition := s.deps.Log.Layout().Partition(ws, d.account)

	token, err := s.writer.Write(ctx, []eventlog.Item{{Partition: partition, Record: record}})
	if err != nil {
		return nil, &Error{
			Code: codes.Unavailable, Reason: reasonLog, cause: err,
			Message: "it is not known whether the log took the command; send it again with the same command_id",
		}
	}

	v, err := s.account(ctx, d.account, token.String())

	var known *Error
	if errors.As(err, &known) && known.Reason == reasonNotYet {
		return nil, notYet(known, token, d.command)
	}

	return v, err
}

// tokenError is an error that tells where in the log the write stands, and its id.
type tokenError struct {
	cause          *Error
	token, command string
}

// Error implements error.
func (e *tokenError) Error() string { return e.cause.Error() }

// Unwrap returns the error without the token.
func (e *tokenError) Unwrap() error { return e.cause }

// notYet is the error of a command that is in the log, and not in the score yet.
func notYet(e *Error, token eventlog.Token, command string) error {
	e.Message = "the command is in the log, and not in the score yet; read with at_least to wait for it"

	return &tokenError{cause: e, token: token.String(), command: command}
}

// GRPCStatus is what grpc answers for this error.
func (e *tokenError) GRPCStatus() *status.Status {
	s := e.cause.GRPCStatus()
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			info.Metadata = map[string]string{"at_least": e.token, "command_id": e.command}

			if with, err := status.New(s.Code(), s.Message()).WithDetails(info); err == nil {
				return with
			}
		}
	}

	return s
}

// SetOverride implements HealthService.
func (h *healthServer) SetOverride(
	ctx context.Context, req *healthv1.SetOverrideRequest,
) (*healthv1.SetOverrideResponse, error) {
	v, err := h.service.account(ctx, req.GetAccountId(), "")
	if err != nil {
		return nil, err
	}

	if v.account.Result().Stage == health.StageChurned {
		return nil, &Error{
			Code: codes.FailedPrecondition, Reason: reasonChurned, Message: "the account has churned, and is not scored",
		}
	}

	last, err := ahead("expire_date", req.GetExpireDate(), v.account.Day(), maxOverrideDays)
	if err != nil {
		return nil, err
	}

	d := decide(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())

	v, err = h.service.carryOut(ctx, &d, d.record(&logv1.AccountCommand{Command: &logv1.AccountCommand_SetOverride{
		SetOverride: &logv1.SetOverride{
			ScoreMicros: micros(req.GetScore()), Reason: req.GetReason(), LastDay: int32(last),
		},
	}}))
	if err != nil {
		return nil, err
	}

	return &healthv1.SetOverrideResponse{Health: h.service.healthOf(ctx, req.GetAccountId(), v)}, nil
}

// ClearOverride implements HealthService.
func (h *healthServer) ClearOverride(
	ctx context.Context, req *healthv1.ClearOverrideRequest,
) (*healthv1.ClearOverrideResponse, error) {
	if _, err := h.service.account(ctx, req.GetAccountId(), ""); err != nil {
		return nil, err
	}

	d := decide(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor())

	v, err := h.service.carryOut(ctx, &d, d.record(&logv1.AccountCommand{
		Command: &logv1.AccountCommand_ClearOverride{ClearOverride: &logv1.ClearOverride{}},
	}))
	if err != nil {
		return nil, err
	}

	return &healthv1.ClearOverrideResponse{Health: h.service.healthOf(ctx, req.GetAccountId(), v)}, nil
}

// SetPulse implements HealthService. A pulse is an event like one that a tool sends.
func (h *healthServer) SetPulse(
	ctx context.Context, req *healthv1.SetPulseRequest,
) (*healthv1.SetPulseResponse, error) {
	if _, err := h.service.account(ctx, req.GetAccountId(), ""); err != nil {
		return nil, err
	}

	d, pulse := decide(ctx, req.GetAccountId(), req.GetCommandId(), req.GetAuthor()), req.GetPulse()

	v, err := h.service.carryOut(ctx, &d, &logv1.Record{Payload: &logv1.Record_Event{Event: &eventv1.Event{
		MessageId: d.command, AccountId: d.account,
		Body: &eventv1.Event_Interaction{Interaction: &eventv1.Interaction{
			Pulse: &pulse, Author: d.author, Note: req.GetNote(),
		}},
	}}})
	if err != nil {
		return nil, err
	}

	return &healthv1.SetPulseResponse{Health: h.service.healthOf(ctx, req.GetAccountId(), v)}, nil
}

// ahead reads a day that has not passed and is at most that many days ahead.
func ahead(field, text string, today health.Day, most health.Day) (health.Day, error) {
	day, ok := health.ParseDay(text)

	switch {
	case !ok:
		return 0, invalid(field, "date.calendar", "is not a day of the calendar")
	case day < today:
		return 0, invalid(field, "date.past", "has passed")
	case day > today+most:
		return 0, invalid(field, "date.far", "is too far ahead")
	}

	return day, nil
}

// micros is the number of micros nearest to a number, half away from zero.
func micros(f float64) int64 { return int64(math.Round(f * microsPerUnit)) }
