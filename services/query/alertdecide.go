package query

import (
	"context"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// AcknowledgeAlert implements AlertService.
func (a *alertServer) AcknowledgeAlert(
	ctx context.Context, req *alertv1.AcknowledgeAlertRequest,
) (*alertv1.AcknowledgeAlertResponse, error) {
	alert, err := a.decide(ctx, req, func(c *logv1.AlertCommand) {
		c.Revision, c.Note = req.GetRevision(), req.GetNote()
		c.Command = &logv1.AlertCommand_Acknowledge{Acknowledge: &logv1.Acknowledge{}}
	})
	if err != nil {
		return nil, err
	}

	return &alertv1.AcknowledgeAlertResponse{Alert: alert}, nil
}

// SnoozeAlert implements AlertService.
func (a *alertServer) SnoozeAlert(
	ctx context.Context, req *alertv1.SnoozeAlertRequest,
) (*alertv1.SnoozeAlertResponse, error) {
	until := a.service.deps.now().Add(req.GetDuration().AsDuration()).UnixMicro()

	alert, err := a.decide(ctx, req, func(c *logv1.AlertCommand) {
		c.Revision, c.Note = req.GetRevision(), req.GetNote()
		c.Command = &logv1.AlertCommand_Snooze{Snooze: &logv1.Snooze{UntilMicros: until, UntilWorse: req.GetUntilWorse()}}
	})
	if err != nil {
		return nil, err
	}

	return &alertv1.SnoozeAlertResponse{Alert: alert}, nil
}

// ResolveAlert implements AlertService.
func (a *alertServer) ResolveAlert(
	ctx context.Context, req *alertv1.ResolveAlertRequest,
) (*alertv1.ResolveAlertResponse, error) {
	alert, err := a.decide(ctx, req, func(c *logv1.AlertCommand) {
		c.Revision, c.Note = req.GetRevision(), req.GetNote()
		c.Command = &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}}
	})
	if err != nil {
		return nil, err
	}

	return &alertv1.ResolveAlertResponse{Alert: alert}, nil
}

// AssignAlert implements AlertService.
func (a *alertServer) AssignAlert(
	ctx context.Context, req *alertv1.AssignAlertRequest,
) (*alertv1.AssignAlertResponse, error) {
	alert, err := a.decide(ctx, req, func(c *logv1.AlertCommand) {
		c.Revision, c.Note = req.GetRevision(), req.GetNote()
		c.Command = &logv1.AlertCommand_Assign{Assign: &logv1.Assign{Assignee: req.GetAssignee()}}
	})
	if err != nil {
		return nil, err
	}

	return &alertv1.AssignAlertResponse{Alert: alert}, nil
}

// CommentAlert implements AlertService.
func (a *alertServer) CommentAlert(
	ctx context.Context, req *alertv1.CommentAlertRequest,
) (*alertv1.CommentAlertResponse, error) {
	alert, err := a.decide(ctx, req, func(c *logv1.AlertCommand) {
		c.Note = req.GetComment()
		c.Command = &logv1.AlertCommand_Comment{Comment: &logv1.Comment{}}
	})
	if err != nil {
		return nil, err
	}

	return &alertv1.CommentAlertResponse{Alert: alert}, nil
}

// changeName is the word for a transition.
func changeName(k alertv1.Transition_Kind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "KIND_"))
}
