package query

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
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

	return &healthv1.GetHealthResponse{Health: v.explained()}, nil
}

// explained is the account in answers.
func (v *view) explained() *healthv1.AccountHealth {
	_, account, _ := store.SplitAccount(v.id)
	x, p := v.account.Explain(v.set), v.account.Profile()

	return explained(account, &x, &p, v.logTime)
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

// GetHistory implements HealthService.
func (h *healthServer) GetHistory(
	ctx context.Context, req *healthv1.GetHistoryRequest,
) (*healthv1.GetHistoryResponse, error) {
	from, to, err := days(req)
	if err != nil {
		return nil, err
	}

	v, err := h.service.account(ctx, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	if v, err = h.service.accounts.withHistory(ctx, v); err != nil {
		return nil, err
	}

	rows, err := v.history()
	if err != nil {
		return nil, err
	}

	answer := &healthv1.GetHistoryResponse{AsOf: timestamp(v.logTime)}

	for i := range rows {
		if r := &rows[i]; r.Day >= from && r.Day <= to {
			answer.Rows = append(answer.Rows, historyRow(r))
		}
	}

	return answer, nil
}

// eraCount is how many eras of history are read: the 400 days that are kept reach into five, and one more, should a
// new one begin between two reads.
const eraCount = 6

// withHistory reads an account again, together with its history. Which eras there are follows from the account's
// day, so it takes a second read.
func (a *accounts) withHistory(ctx context.Context, v *view) (*view, error) {
	ws, _, _ := store.SplitAccount(v.id)
	last := fold.EraOf(v.account.Day()) + 1
	keys := make([]string, 0, eraCount)

	for era := last - eraCount + 1; era <= last; era++ {
		keys = append(keys, store.HistoryKey(v.id, era))
	}

	v, err := a.read(ctx, v.partition, ws, v.id, keys...)
	if err != nil {
		return nil, err
	}

	if v.account == nil { // the store fell back
		return nil, errNoAccount()
	}

	return v, nil
}

// keptDays is for how many days rows are kept.
const keptDays = 400

// history returns the rows of an account, oldest first, with that of today, which is not final yet.
func (v *view) history() ([]health.Row, error) {
	var rows []health.Row

	for _, value := range v.extra {
		some, err := health.DecodeRows(value)
		if err != nil {
			return nil, unusable("the history of an account", err)
		}

		rows = append(rows, some...)
	}

	rows = append(rows, v.rows...)

	today := v.account.Day()
	if r := v.account.Result(); r.Card != "" && r.Stage != health.StageChurned {
		rows = append(rows, health.Row{
			Day: today, Score: r.Score, Band: r.Band, Coverage: r.Coverage, Stage: r.Stage,
			Card: r.Card, SetVersion: r.SetVersion, Dimensions: r.Dimensions,
		})
	}

	for len(rows) > 0 && rows[0].Day < today-keptDays {
		rows = rows[1:]
	}

	return rows, nil
}

// days reads the range of days of a request.
func days(req *healthv1.GetHistoryRequest) (from, to health.Day, err error) {
	var ok bool

	from, to = -1<<31, 1<<31-1

	if text := req.GetFromDate(); text != "" {
		if from, ok = health.ParseDay(text); !ok {
			return 0, 0, invalid("from_date", "date.calendar", "is not a day of the calendar")
		}
	}

	if text := req.GetToDate(); text != "" {
		if to, ok = health.ParseDay(text); !ok {
			return 0, 0, invalid("to_date", "date.calendar", "is not a day of the calendar")
		}
	}

	if from > to {
		return 0, 0, invalid("to_date", "date.order", "is before from_date")
	}

	return from, to, nil
}
