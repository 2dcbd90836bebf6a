package query

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/matcher"
	"hale.dev/services/internal/settings"
)

const (
	// maxSilences is how many silences a workspace has at most.
	maxSilences = 500
	// maxSilenceBytes is how large they are together: one answer lists them all.
	maxSilenceBytes = 2 << 20
	// silenceStays is how long a silence is shown that has ended.
	silenceStays = 7 * 24 * time.Hour
)

// CreateSilence implements AlertService. Answers of this process tell of it when it returns, those of others a moment
// later.
func (a *alertServer) CreateSilence(
	ctx context.Context, req *alertv1.CreateSilenceRequest,
) (*alertv1.CreateSilenceResponse, error) {
	s := a.service

	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := s.alertsReady(); err != nil {
		return nil, err
	}

	now := s.deps.now()

	made, err := silenceOf(ctx, req.GetSilence(), now)
	if err != nil {
		return nil, err
	}

	if err := s.roomForSilence(ctx, ws, made, now); err != nil {
		return nil, err
	}

	return &alertv1.CreateSilenceResponse{Silence: made}, s.storeSilence(ctx, settings.Silence{Workspace: ws, Silence: made})
}

// silenceOf is the silence that a request asks for.
func silenceOf(ctx context.Context, wanted *alertv1.Silence, now time.Time) (*alertv1.Silence, error) {
	made := &alertv1.Silence{
		SilenceId: strings.ToLower(rand.Text()), Matchers: wanted.GetMatchers(), StartTime: wanted.GetStartTime(),
		EndTime: wanted.GetEndTime(), Author: wanted.GetAuthor(), Comment: wanted.GetComment(),
		CreateTime: timestamppb.New(now),
	}

	if made.StartTime == nil {
		made.StartTime = timestamppb.New(now)
	}

	if p, ok := access.FromContext(ctx); ok && made.Author == "" {
		made.Author = p.KeyID
	}

	var wrong violations

	for i, m := range made.Matchers {
		if _, err := matcher.New(m); err != nil {
			wrong.add(fmt.Sprintf("silence.matchers[%d]", i), "matcher", err.Error())
		}
	}

	end := made.GetEndTime().AsTime()

	switch {
	case !end.After(made.StartTime.AsTime()):
		wrong.add("silence.end_time", "silence.end", "is not after its start")
	case !end.After(now):
		wrong.add("silence.end_time", "silence.past", "has passed")
	}

	return made, wrong.err()
}

// roomForSilence refuses one too many. Those that are not shown any more are removed first.
func (s *Service) roomForSilence(ctx context.Context, ws string, made *alertv1.Silence, now time.Time) error {
	left, size := 0, proto.Size(made)

	for _, one := range s.silences.list(ws) {
		if now.Sub(one.Silence.GetEndTime().AsTime()) < silenceStays {
			left++
			size += proto.Size(one.Silence)

			continue
		}

		if err := s.deps.Settings.DeleteSilence(ctx, ws, one.ID()); err != nil {
			return unavailable(reasonSettings, "silences cannot be stored now", err)
		}
	}

	if left >= maxSilences || size > maxSilenceBytes {
		return &Error{
			Code: codes.ResourceExhausted, Reason: reasonSilencesFull,
			Message: fmt.Sprintf("the workspace has %d silences, those of the last 7 days included: with this one they are more than "+
				"the %d, or the %d bytes together, that it may have", left, maxSilences, maxSilenceBytes),
		}
	}

	return nil
}

// storeSilence stores a silence and waits until this process knows of it.
func (s *Service) storeSilence(ctx context.Context, one settings.Silence) error {
	revision, err := s.deps.Settings.PutSilence(ctx, one)
	if errors.Is(err, settings.ErrSilenceRevision) {
		return err
	}

	if err != nil {
		return unavailable(reasonSettings, "the silence cannot be stored now", err)
	}

	waiting, cancel := context.WithTimeout(ctx, segmentPatience)
	defer cancel()

	for s.silences.revision(one.Workspace) < revision {
		if sleep(waiting, retryRead) != nil {
			return nil // it is stored, and will be known here in a moment
		}
	}

	return nil
}

// ListSilences implements AlertService.
func (a *alertServer) ListSilences(
	ctx context.Context, req *alertv1.ListSilencesRequest,
) (*alertv1.ListSilencesResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	if err := a.service.alertsReady(); err != nil {
		return nil, err
	}

	answer := &alertv1.ListSilencesResponse{}
	now := a.service.deps.now()

	for _, one := range a.service.silences.list(ws) {
		ended := now.Sub(one.Silence.GetEndTime().AsTime())
		if ended < 0 || req.GetShowExpired() && ended < silenceStays {
			answer.Silences = append(answer.Silences, one.Silence)
		}
	}

	slices.SortFunc(answer.Silences, func(a, b *alertv1.Silence) int {
		return cmp.Or(a.GetEndTime().AsTime().Compare(b.GetEndTime().AsTime()), strings.Compare(a.GetSilenceId(), b.GetSilenceId()))
	})

	return answer, nil
}

// ExpireSilence implements AlertService. One that has ended stays as it is.
func (a *alertServer) ExpireSilence(
	ctx context.Context, req *alertv1.ExpireSilenceRequest,
) (*alertv1.ExpireSilenceResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	for {
		one, err := a.service.deps.Settings.Silence(ctx, ws, req.GetSilenceId())

		switch {
		case errors.Is(err, settings.ErrNoSilence), errors.Is(err, settings.ErrSilenceID):
			return nil, &Error{
				Code: codes.NotFound, Reason: reasonSilence, Message: fmt.Sprintf("there is no silence %q", req.GetSilenceId()),
			}
		case err != nil:
			return nil, unavailable(reasonSettings, "the silence cannot be read now", err)
		}

		now := a.service.deps.now()
		if !one.Silence.GetEndTime().AsTime().After(now) {
			return &alertv1.ExpireSilenceResponse{Silence: one.Silence}, nil
		}

		one.Silence.EndTime = timestamppb.New(now)
		if one.Silence.GetStartTime().AsTime().After(now) {
			one.Silence.StartTime = one.Silence.GetEndTime()
		}

		err = a.service.storeSilence(ctx, one)
		if errors.Is(err, settings.ErrSilenceRevision) {
			continue // somebody changed it meanwhile
		}

		return &alertv1.ExpireSilenceResponse{Silence: one.Silence}, err
	}
}
