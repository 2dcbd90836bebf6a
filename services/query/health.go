package query

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/store"
)

// healthServer implements HealthService.
type healthServer struct {
	healthv1.UnimplementedHealthServiceServer

	service *Service
}

// workspace is the workspace of the caller's key.
func workspace(ctx context.Context) (string, error) {
	p, ok := access.FromContext(ctx)
	if !ok {
		return "", access.ErrMissingKey
	}

	return p.Workspace, nil
}

// GetHealth implements HealthService.
func (h *healthServer) GetHealth(
	ctx context.Context, req *healthv1.GetHealthRequest,
) (*healthv1.GetHealthResponse, error) {
	v, err := h.service.find(ctx, h.service.accounts.explain, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	if v.answer != nil {
		return encodedHealth(v.answer, v.logTime, h.service.children(ctx, req.GetAccountId())), nil
	}

	return &healthv1.GetHealthResponse{Health: h.service.healthOf(ctx, req.GetAccountId(), v)}, nil
}

// healthOf explains an account.
func (s *Service) healthOf(ctx context.Context, account string, v *view) *healthv1.AccountHealth {
	answer := v.health(account)
	answer.Children = s.children(ctx, account)

	return answer
}

// retryRead is the pause before an account is read again whose partition is said to be there, and is not: the
// store has just fallen back, and will be caught up with.
const retryRead = 20 * time.Millisecond

// account reads an account of the caller, once what at_least names is in it.
func (s *Service) account(ctx context.Context, account, atLeast string) (*view, error) {
	return s.find(ctx, s.accounts.read, account, atLeast)
}

// reader reads an account: one of the ways in which accounts does.
type reader func(ctx context.Context, partition int, workspace, id string, extra ...string) (*view, error)

// find is account with a reader of one's own.
func (s *Service) find(ctx context.Context, read reader, account, atLeast string) (*view, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	token, waits, err := s.token(atLeast)
	if err != nil {
		return nil, err
	}

	var (
		id        = store.Account(ws, account)
		partition = s.deps.Log.Layout().Partition(ws, account)
	)

	v, err := read(ctx, partition, ws, id)
	if err != nil {
		return nil, err
	}

	if waits {
		if v, err = s.accountAt(ctx, read, v, ws, sequenceIn(token, partition)); err != nil {
			return nil, err
		}
	}

	if !v.exists() {
		return nil, errNoAccount()
	}

	return v, nil
}

func errNoAccount() *Error {
	return &Error{Code: codes.NotFound, Reason: reasonAccount, Message: "no such account"}
}

// accountAt reads an account again until a write is in it.
func (s *Service) accountAt(ctx context.Context, read reader, v *view, ws string, sequence uint64) (*view, error) {
	if v.cursor >= sequence {
		return v, nil
	}

	err := s.patiently(ctx, func(waiting context.Context) error {
		for {
			err := s.feed.stored.wait(waiting, v.partition, sequence)
			if err != nil {
				return err
			}

			next, err := read(waiting, v.partition, ws, v.id)
			if err != nil {
				return err
			}

			if v = next; v.cursor >= sequence {
				return nil
			}

			if err := sleep(waiting, retryRead); err != nil {
				return err
			}
		}
	})

	return v, err
}
