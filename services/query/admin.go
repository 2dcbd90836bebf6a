package query

import (
	"context"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
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
	version, document, err := a.service.currentDocument(ctx, scorecards().documentKind)
	if err != nil {
		return nil, err
	}

	return &adminv1.GetScorecardsResponse{Version: version, Document: document}, nil
}

// CheckScorecards implements AdminService.
func (a *adminServer) CheckScorecards(
	_ context.Context, req *adminv1.CheckScorecardsRequest,
) (*adminv1.CheckScorecardsResponse, error) {
	return &adminv1.CheckScorecardsResponse{Problems: problems(scorecards().check(req.GetDocument()))}, nil
}

// ApplyScorecards implements AdminService.
func (a *adminServer) ApplyScorecards(
	ctx context.Context, req *adminv1.ApplyScorecardsRequest,
) (*adminv1.ApplyScorecardsResponse, error) {
	version, token, err := a.service.applyDocument(ctx, scorecards(), req.GetDocument())
	if err != nil {
		return nil, err
	}

	return &adminv1.ApplyScorecardsResponse{Version: version, Token: token}, nil
}

// GetRules implements AdminService.
func (a *adminServer) GetRules(ctx context.Context, _ *adminv1.GetRulesRequest) (*adminv1.GetRulesResponse, error) {
	version, document, err := a.service.currentDocument(ctx, alertRules().documentKind)
	if err != nil {
		return nil, err
	}

	return &adminv1.GetRulesResponse{Version: version, Document: document}, nil
}

// CheckRules implements AdminService.
func (a *adminServer) CheckRules(
	_ context.Context, req *adminv1.CheckRulesRequest,
) (*adminv1.CheckRulesResponse, error) {
	return &adminv1.CheckRulesResponse{Problems: problems(alertRules().check(req.GetDocument()))}, nil
}

// ApplyRules implements AdminService.
func (a *adminServer) ApplyRules(
	ctx context.Context, req *adminv1.ApplyRulesRequest,
) (*adminv1.ApplyRulesResponse, error) {
	version, token, err := a.service.applyDocument(ctx, alertRules(), req.GetDocument())
	if err != nil {
		return nil, err
	}

	return &adminv1.ApplyRulesResponse{Version: version, Token: token}, nil
}
