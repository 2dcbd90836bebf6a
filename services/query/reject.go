package query

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
)

// rejectToken begins every page token of rejects; a sequence follows.
const rejectToken = 1

// ListRejects implements HealthService.
func (h *healthServer) ListRejects(
	ctx context.Context, req *healthv1.ListRejectsRequest,
) (*healthv1.ListRejectsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	before, err := parseRejectToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}

	found, next, err := h.service.deps.Rejects.List(ctx, ws, req.GetCode(), before, pageSize(req.GetPageSize()))
	if err != nil {
		return nil, rejectsFailed("listing rejects", err)
	}

	answer := &healthv1.ListRejectsResponse{NextPageToken: formatRejectToken(next)}
	for i := range found {
		answer.Rejects = append(answer.Rejects, rejected(&found[i]))
	}

	return answer, nil
}

// rejected is a refused event in answers.
func rejected(r *reject.Stored) *healthv1.Reject {
	return &healthv1.Reject{
		Id: r.Sequence, RejectedAt: timestamppb.New(r.At), Code: r.Code, Field: r.Field, Message: r.Message,
		MessageId: r.MessageID, AccountId: r.AccountID, Origin: r.Origin, Body: r.Body,
	}
}

func formatRejectToken(before uint64) string {
	if before == 0 {
		return ""
	}

	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint([]byte{rejectToken}, before))
}

func parseRejectToken(text string) (before uint64, err error) {
	if text == "" {
		return 0, nil
	}

	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 2 || b[0] != rejectToken {
		return 0, errPageToken("it is not one of this list")
	}

	before, n := binary.Uvarint(b[1:])
	if n != len(b)-1 || before == 0 {
		return 0, errPageToken("it is not one of this list")
	}

	return before, nil
}

// rejectsFailed says that the stream of rejects could not be used.
func rejectsFailed(doing string, err error) error {
	if _, ok := errors.AsType[*reject.Error](err); ok {
		return fmt.Errorf("%s: %w", doing, err)
	}

	return unavailable(reasonRejects, "the rejects cannot be read now", fmt.Errorf("%s: %w", doing, err))
}

// ResendRejects implements AdminService. Events are sent oldest first, since later ones may build on earlier ones.
// If it ends early, those sent are gone from the rejects, and calling again goes on with the others.
func (a *adminServer) ResendRejects(
	ctx context.Context, req *adminv1.ResendRejectsRequest,
) (*adminv1.ResendRejectsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	s := a.service
	if s.deps.Resender == nil {
		return nil, &Error{
			Code: codes.Unimplemented, Reason: reasonResend, Message: "this process cannot send events again",
		}
	}

	ids := slices.Clone(req.GetIds())
	if len(ids) == 0 {
		if ids, err = s.rejectIDs(ctx, ws, req.GetCode()); err != nil {
			return nil, err
		}
	}

	slices.Sort(ids)

	var (
		answer = &adminv1.ResendRejectsResponse{}
		token  eventlog.Token
	)

	for _, id := range slices.Compact(ids) {
		place, outcome, err := s.resend(ctx, ws, req.GetCode(), id)
		if err != nil {
			return nil, err
		}

		switch outcome {
		case resendAccepted:
			answer.Accepted++
			token.Merge(place)
		case resendRefused:
			answer.Refused++
		case resendPassed:
		}
	}

	answer.Token = token.String()

	return answer, nil
}

// rejectIDs returns the ids of all refused events with a code.
func (s *Service) rejectIDs(ctx context.Context, ws, code string) ([]uint64, error) {
	const page = 1000

	var ids []uint64

	for before := uint64(0); ; {
		found, next, err := s.deps.Rejects.List(ctx, ws, code, before, page)
		if err != nil {
			return nil, rejectsFailed("listing rejects to send again", err)
		}

		for i := range found {
			ids = append(ids, found[i].Sequence)
		}

		if next == 0 {
			return ids, nil
		}

		before = next
	}
}

// resendOutcome is what became of a refused event.
type resendOutcome uint8

const (
	// resendPassed: it has another code than the one asked for.
	resendPassed resendOutcome = iota
	resendAccepted
	resendRefused
)

// resend sends one refused event again. Its error says that it could not be tried.
func (s *Service) resend(
	ctx context.Context, ws, code string, id uint64,
) (eventlog.Token, resendOutcome, error) {
	stored, err := s.deps.Rejects.Get(ctx, ws, id)

	switch {
	case errors.Is(err, reject.ErrNotFound):
		return eventlog.Token{}, resendRefused, nil // also: sent again by somebody else meanwhile
	case err != nil:
		return eventlog.Token{}, 0, rejectsFailed("reading a reject", err)
	case code != "" && stored.Code != code:
		return eventlog.Token{}, resendPassed, nil
	}

	token, err := s.deps.Resender.Resend(ctx, stored)

	switch {
	case err == nil:
	case transient(ctx, err):
		return token, 0, fmt.Errorf("sending reject %d again: %w", id, err)
	default:
		return token, resendRefused, nil
	}

	// Sent twice counts once, so a crash before this only leaves an entry too many.
	if err := s.deps.Rejects.Delete(ctx, id); err != nil && !errors.Is(err, reject.ErrNotFound) {
		return token, 0, rejectsFailed("removing a reject that was sent again", err)
	}

	return token, resendAccepted, nil
}

// transient reports whether trying again later may help.
func transient(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}

	var known answered
	if !errors.As(err, &known) {
		return status.Code(err) == codes.Unknown
	}

	switch known.GRPCStatus().Code() {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled, codes.Aborted,
		codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	default:
		return false
	}
}
