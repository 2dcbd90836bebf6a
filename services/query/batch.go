package query

import (
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/store"
)

// BatchGetHealth implements HealthService.
func (h *healthServer) BatchGetHealth(
	ctx context.Context, req *healthv1.BatchGetHealthRequest,
) (*healthv1.BatchGetHealthResponse, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	token, _, err := h.service.token(req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	found, err := h.service.batch(ctx, ws, req.GetAccountIds(), token)
	if err != nil {
		return nil, err
	}

	answer := &healthv1.BatchGetHealthResponse{Healths: make([]*healthv1.AccountHealth, 0, len(found))}

	for i, health := range found {
		if health == nil {
			answer.MissingAccountIds = append(answer.MissingAccountIds, req.GetAccountIds()[i])

			continue
		}

		answer.Healths = append(answer.Healths, health)
	}

	return answer, nil
}

// batch reads accounts, once the writes that the token names are in them; nil: there is no such account. Each partition
// is read by itself.
func (s *Service) batch(
	ctx context.Context, ws string, accounts []string, token eventlog.Token,
) ([]*healthv1.AccountHealth, error) {
	var (
		found  = make([]*healthv1.AccountHealth, len(accounts))
		places = make(map[int][]int) // by partition
	)

	for i, account := range accounts {
		partition := s.deps.Log.Layout().Partition(ws, account)
		places[partition] = append(places[partition], i)
	}

	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0)) // half of them wait for the store

	for partition, mine := range places {
		g.Go(func() error {
			ids := make([]string, len(mine))
			for i, place := range mine {
				ids[i] = store.Account(ws, accounts[place])
			}

			views, err := s.manyAt(gctx, partition, ws, ids, sequenceIn(token, partition))
			if err != nil {
				return err
			}

			for i, v := range views {
				if v.account != nil {
					found[mine[i]] = v.explained()
				}
			}

			return nil
		})
	}

	return found, g.Wait() //nolint:wrapcheck // the errors of this file
}

// manyAt reads accounts of a partition, once a write is in them.
func (s *Service) manyAt(ctx context.Context, partition int, ws string, ids []string, sequence uint64) ([]*view, error) {
	views, err := s.accounts.readMany(ctx, partition, ws, ids)
	if err != nil || reached(views, sequence) {
		return views, err
	}

	err = s.patiently(ctx, func(waiting context.Context) error {
		for !reached(views, sequence) {
			if err := s.feed.stored.wait(waiting, partition, sequence); err != nil {
				return err
			}

			if views, err = s.accounts.readMany(waiting, partition, ws, ids); err != nil {
				return err
			}

			if reached(views, sequence) {
				break
			}

			if err := sleep(waiting, retryRead); err != nil {
				return err
			}
		}

		return nil
	})

	return views, err
}

// reached says whether all views are as of a write or later.
func reached(views []*view, sequence uint64) bool {
	return !slices.ContainsFunc(views, func(v *view) bool { return v.cursor < sequence })
}

// readMany reads accounts of a partition, in one read for readBatch of them where all are of the common kind.
func (a *accounts) readMany(ctx context.Context, partition int, ws string, ids []string) ([]*view, error) {
	views := make([]*view, 0, len(ids))

	for some := range slices.Chunk(ids, readBatch) {
		keys := make([]string, len(some))
		for i, id := range some {
			keys[i] = store.AccountKey(id)
		}

		at, values, err := a.look(ctx, partition, keys)
		if err != nil {
			return nil, err
		}

		for i, id := range some {
			v, err := a.oneOfMany(ctx, at, ws, id, values[i])
			if err != nil {
				return nil, err
			}

			views = append(views, v)
		}
	}

	return views, nil
}

// oneOfMany makes a view of an account's value. An account in parts, and scorecards not met before, take reads of their
// own.
func (a *accounts) oneOfMany(ctx context.Context, at *instant, ws, id string, main []byte) (*view, error) {
	v := at.view(id)
	if main == nil {
		return v, nil
	}

	parts, err := partsOf(main)
	if err != nil {
		return nil, err
	}

	v.set = a.sets.get(ws, at.state.Version(ws))
	if v.set == nil || len(parts) > 0 {
		return a.read(ctx, at.partition, ws, id)
	}

	return v, v.decode(main, nil, nil, &at.state, ws)
}
