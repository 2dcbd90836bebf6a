package query

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"

	logv1 "hale.dev/proto/gen/hale/log/v1"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/scorecard"
)

// adminServer implements AdminService.
type adminServer struct {
	adminv1.UnimplementedAdminServiceServer

	service *Service
}

// GetScorecards implements AdminService.
func (a *adminServer) GetScorecards(
	ctx context.Context, _ *adminv1.GetScorecardsRequest,
) (*adminv1.GetScorecardsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	version, document, err := a.service.deps.Settings.Scorecards(ctx, ws)
	if err != nil {
		return nil, unavailable(reasonSettings, "the settings cannot be read now", err)
	}

	if version == 0 {
		document = scorecard.ShippedDocument()
	}

	return &adminv1.GetScorecardsResponse{Version: version, Document: string(document)}, nil
}

// CheckScorecards implements AdminService.
func (a *adminServer) CheckScorecards(
	_ context.Context, req *adminv1.CheckScorecardsRequest,
) (*adminv1.CheckScorecardsResponse, error) {
	problems, err := problemsOf(req.GetDocument())
	if err != nil {
		return nil, err
	}

	answer := &adminv1.CheckScorecardsResponse{}
	for _, p := range problems {
		answer.Problems = append(answer.Problems, &adminv1.Problem{Field: p.Field, Code: p.Code, Message: p.Message})
	}

	return answer, nil
}

// problemsOf returns what is wrong with a document.
func problemsOf(document string) (scorecard.Problems, error) {
	_, err := scorecard.Parse([]byte(document))
	if err == nil {
		return nil, nil
	}

	var problems scorecard.Problems
	if !errors.As(err, &problems) {
		return nil, fmt.Errorf("checking scorecards: %w", err)
	}

	return problems, nil
}

// ApplyScorecards implements AdminService. The document is stored first: should publishing it fail, it is made up
// for by reconcile.
func (a *adminServer) ApplyScorecards(
	ctx context.Context, req *adminv1.ApplyScorecardsRequest,
) (*adminv1.ApplyScorecardsResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	problems, err := problemsOf(req.GetDocument())
	if err != nil {
		return nil, err
	}

	if len(problems) > 0 {
		return nil, errScorecards(problems)
	}

	version, err := a.service.deps.Settings.PutScorecards(ctx, ws, []byte(req.GetDocument()))
	if err != nil {
		return nil, unavailable(reasonSettings, "the settings cannot be written now", err)
	}

	token, err := a.service.publish(ctx, ws, version, []byte(req.GetDocument()))
	if err != nil {
		return nil, &Error{
			Code: codes.Unavailable, Reason: reasonPublishing, cause: err,
			Message: fmt.Sprintf("the scorecards are stored as version %d and take effect as soon as the log can be "+
				"written; there is no need to apply them again", version),
		}
	}

	return &adminv1.ApplyScorecardsResponse{Version: version, Token: token.String()}, nil
}

// errScorecards lists what is wrong with a document.
func errScorecards(problems scorecard.Problems) *Error {
	e := &Error{Code: codes.InvalidArgument, Reason: reasonScorecards, Message: problems.Error()}

	for _, p := range problems {
		field := "document"
		if p.Field != "" {
			field += "." + p.Field
		}

		e.Violations = append(e.Violations, Violation{Field: field, Code: p.Code, Message: p.Message})
	}

	return e
}

// publish writes a version of a workspace's scorecards into every partition's log and marks it as published. Doing so
// twice is harmless: the fold passes over a version that is not newer.
func (s *Service) publish(ctx context.Context, ws string, version uint64, document []byte) (eventlog.Token, error) {
	layout := s.deps.Log.Layout()
	record := &logv1.Record{
		Workspace: ws,
		Payload: &logv1.Record_SetScorecards{
			SetScorecards: &logv1.SetScorecards{Version: version, Document: document},
		},
	}

	items := make([]eventlog.Item, layout.Partitions)
	for p := range items {
		items[p] = eventlog.Item{Partition: p, Record: record}
	}

	token, err := s.writer.Write(ctx, items)
	if err != nil {
		return token, fmt.Errorf("publishing scorecards %d of %q: %w", version, ws, err)
	}

	if err := s.deps.Settings.MarkPublished(ctx, ws, layout.ID, version); err != nil {
		s.deps.Logger.WarnContext(ctx, "scorecards will be published again", "workspace", ws, "error", err)
	}

	return token, nil
}
