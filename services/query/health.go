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
	v, err := h.service.account(ctx, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	return &healthv1.GetHealthResponse{Health: h.service.healthOf(ctx, req.GetAccountId(), v)}, nil
}

// healthOf explains an account.
func (s *Service) healthOf(ctx context.Context, account string, v *view) *healthv1.AccountHealth {
	x, p := v.account.Explain(v.set), v.account.Profile()
	answer := explained(account, &x, &p, v.logTime)
	answer.Children = s.children(ctx, account)
	override(answer, v.account)

	return answer
}

// retryRead is the pause before an account is read again whose partition is said to be there, and is not: the
// store has just fallen back, and will be caught up with.
const retryRead = 20 * time.Millisecond

// account reads an account of the caller, once what at_least names is in it.
func (s *Service) account(ctx context.Context, account, atLeast string) (*view, error) {
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

	v, err := s.accounts.read(ctx, partition, ws, id)
	if err != nil {
		return nil, err
	}

	if waits {
		if v, err = s.accountAt(ctx, v, ws, sequenceIn(token, partition)); err != nil {
			return nil, err
		}
	}

	if v.account == nil {
		return nil, errNoAccount()
	}

	return v, nil
}

func errNoAccount() *Error {
	return &Error{Code: codes.NotFound, Reason: reasonAccount, Message: "no such account"}
}

// accountAt reads an account again until a write is in it.
func (s *Service) accountAt(ctx context.Context, v *view, ws string, sequence uint64) (*view, error) {
	if v.cursor >= sequence {
		return v, nil
	}

	err := s.patiently(ctx, func(waiting context.Context) error {
		for {
			err := s.feed.stored.wait(waiting, v.partition, sequence)
			if err != nil {
				return err
			}

			next, err := s.accounts.read(waiting, v.partition, ws, v.id)
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
