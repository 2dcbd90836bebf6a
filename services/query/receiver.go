package query

import (
	"context"
	"encoding/base64"
	"encoding/binary"

	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/delivery"
)

// Letters are the notifications that were given up.
type Letters interface {
	// DeadLetters returns those before a place (0: all), the newest first, and the place to go on with; 0: none.
	DeadLetters(ctx context.Context, workspace string, before uint64, limit int) ([]delivery.Letter, uint64, error)
	// AskResend asks for one to be tried again.
	AskResend(ctx context.Context, workspace, id string) error
}

// GetReceivers implements AdminService.
func (a *adminServer) GetReceivers(
	ctx context.Context, _ *adminv1.GetReceiversRequest,
) (*adminv1.GetReceiversResponse, error) {
	version, document, err := a.service.currentDocument(ctx, receivers())
	if err != nil {
		return nil, err
	}

	return &adminv1.GetReceiversResponse{Version: version, Document: document}, nil
}

// CheckReceivers implements AdminService.
func (a *adminServer) CheckReceivers(
	_ context.Context, req *adminv1.CheckReceiversRequest,
) (*adminv1.CheckReceiversResponse, error) {
	return &adminv1.CheckReceiversResponse{Problems: problems(receivers().check(req.GetDocument()))}, nil
}

// ApplyReceivers implements AdminService.
func (a *adminServer) ApplyReceivers(
	ctx context.Context, req *adminv1.ApplyReceiversRequest,
) (*adminv1.ApplyReceiversResponse, error) {
	_, version, err := a.service.storeDocument(ctx, receivers(), req.GetDocument())
	if err != nil {
		return nil, err
	}

	return &adminv1.ApplyReceiversResponse{Version: version}, nil
}

// letterToken begins every page token of dead letters; a sequence follows.
const letterToken = 2

// ListDeadLetters implements AdminService.
func (a *adminServer) ListDeadLetters(
	ctx context.Context, req *adminv1.ListDeadLettersRequest,
) (*adminv1.ListDeadLettersResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	before, err := parseLetterToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}

	letters, next, err := a.service.letters(ctx, ws, before, pageSize(req.GetPageSize()))
	if err != nil {
		return nil, err
	}

	answer := &adminv1.ListDeadLettersResponse{}
	if next > 0 {
		answer.NextPageToken = base64.RawURLEncoding.EncodeToString(binary.AppendUvarint([]byte{letterToken}, next))
	}

	for _, l := range letters {
		answer.Letters = append(answer.Letters, &adminv1.DeadLetter{
			LetterId: l.ID, Receiver: l.Receiver, AlertIds: l.Alerts(), At: timestamppb.New(l.At), Attempts: l.Attempts,
			Reason: l.Reason,
		})
	}

	return answer, nil
}

func parseLetterToken(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}

	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 2 || b[0] != letterToken {
		return 0, errPageToken("it is not one of this list")
	}

	before, n := binary.Uvarint(b[1:])
	if n != len(b)-1 || before == 0 {
		return 0, errPageToken("it is not one of this list")
	}

	return before, nil
}

// letters lists dead letters.
func (s *Service) letters(ctx context.Context, ws string, before uint64, limit int) ([]delivery.Letter, uint64, error) {
	if s.deps.Letters == nil {
		return nil, 0, nil
	}

	letters, next, err := s.deps.Letters.DeadLetters(ctx, ws, before, limit)
	if err != nil {
		return nil, 0, unavailable(reasonLetters, "the dead letters cannot be read now", err)
	}

	return letters, next, nil
}

// ResendDeadLetters implements AdminService. Whoever leads notify is asked to try them again; those that it does not
// know it passes over.
func (a *adminServer) ResendDeadLetters(
	ctx context.Context, req *adminv1.ResendDeadLettersRequest,
) (*adminv1.ResendDeadLettersResponse, error) {
	const all = 1 << 20

	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	letters, _, err := a.service.letters(ctx, ws, 0, all)
	if err != nil {
		return nil, err
	}

	wanted := map[string]bool{}
	for _, id := range req.GetLetterIds() {
		wanted[id] = true
	}

	answer := &adminv1.ResendDeadLettersResponse{}

	for _, l := range letters {
		if (len(wanted) > 0 && !wanted[l.ID]) || (req.GetReceiver() != "" && l.Receiver != req.GetReceiver()) {
			continue
		}

		if err := a.service.deps.Letters.AskResend(ctx, ws, l.ID); err != nil {
			return nil, unavailable(reasonLetters, "the dead letters cannot be sent again now", err)
		}

		answer.Resent++
	}

	return answer, nil
}
