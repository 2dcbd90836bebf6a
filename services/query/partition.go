package query

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
)

// asksAtOnce bounds how many questions about partitions are under way.
const asksAtOnce = 16

// ListPartitions implements AdminService. The store is asked before the log, so that what is folded meanwhile makes no
// partition look as if it were ahead of its log.
func (a *adminServer) ListPartitions(
	ctx context.Context, _ *adminv1.ListPartitionsRequest,
) (*adminv1.ListPartitionsResponse, error) {
	d, layout := a.service.deps, a.service.deps.Log.Layout()
	seen := make([]store.Status, layout.Partitions)

	err := each(ctx, layout.Partitions, func(ctx context.Context, p int) error {
		status, err := d.Store.Inspect(ctx, p)
		if err != nil {
			return unavailable(reasonStore, "the store does not answer", fmt.Errorf("looking at partition %d: %w", p, err))
		}

		seen[p] = status

		return nil
	})
	if err != nil {
		return nil, err
	}

	streams := make([]eventlog.StreamInfo, layout.Streams)

	err = each(ctx, layout.Streams, func(ctx context.Context, n int) (err error) {
		streams[n], err = d.Log.Info(ctx, n)

		return err
	})
	if err != nil {
		return nil, err
	}

	answer := &adminv1.ListPartitionsResponse{Partitions: make([]*adminv1.Partition, layout.Partitions)}

	err = each(ctx, layout.Partitions, func(ctx context.Context, p int) error {
		lag, err := d.Log.Behind(ctx, p, seen[p].Cursor)
		if err != nil {
			return err
		}

		answer.Partitions[p] = viewed(layout, p, &seen[p], streams[layout.Stream(p)], lag)

		return nil
	})
	if err != nil {
		return nil, err
	}

	return answer, nil
}

// each calls f for 0 to n-1, some at a time, and returns the first error.
func each(ctx context.Context, n int, f func(context.Context, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(asksAtOnce)

	for i := range n {
		g.Go(func() error { return f(ctx, i) })
	}

	return g.Wait() //nolint:wrapcheck // the errors of f
}

// viewed is a partition in answers. A state that cannot be read is a problem of the partition, not of the answer.
func viewed(
	layout eventlog.Layout, partition int, s *store.Status, stream eventlog.StreamInfo, lag eventlog.Lag,
) *adminv1.Partition {
	state, err := fold.DecodeState(s.State)
	out := &adminv1.Partition{
		Partition: int32(partition), Stream: int32(layout.Stream(partition)), //nolint:gosec // a handful
		Owner: s.Lease.Owner, Epoch: s.Epoch, Generation: s.Generation, Cursor: s.Cursor,
		LogEnd: lag.Last, LagMessages: lag.Messages, Lag: durationpb.New(0),
		AsOf: timestamp(state.LogTime), Accounts: uint64(state.Accounts),
		Counted: state.Counted, Duplicates: state.Duplicates, Rejected: state.Rejected,
		Problems: problemsIn(layout, s, &state, err, stream),
	}

	if s.Lease.Owner != "" {
		out.LeaseLeft = durationpb.New(s.Lease.TTL)
	}

	if !lag.Since.IsZero() {
		out.Lag = durationpb.New(max(0, time.Since(lag.Since)))
	}

	if s.Draft != nil {
		out.Draft = &adminv1.Draft{Generation: s.Draft.Generation, Cursor: s.Draft.Cursor}
	}

	return out
}

// problemsIn says what is wrong with a partition, as far as store and log show it. The codes are those of scoring's
// alarms where it raises one for the same.
func problemsIn(
	layout eventlog.Layout, s *store.Status, state *fold.State, unreadable error, stream eventlog.StreamInfo,
) []*adminv1.Problem {
	var all []*adminv1.Problem

	add := func(code, format string, args ...any) {
		all = append(all, &adminv1.Problem{Code: code, Message: fmt.Sprintf(format, args...)})
	}

	if unreadable != nil {
		add("state_unreadable", "this version cannot read the state in the store: %v", unreadable)
	}

	if other := s.Lease.Deployment; other != "" && other != layout.ID {
		add("foreign_owner", "%s, which owns it, reads another log (%s): two deployments share one store",
			s.Lease.Owner, other)
	}

	switch {
	case state.Stream != "" && !strings.HasPrefix(state.Stream, layout.ID+"/"):
		add("log_replaced", "the state was folded from another log, %s", state.Stream)
	case s.Cursor > stream.Last:
		add("log_lost_tail", "it is folded up to %d, and its stream ends at %d", s.Cursor, stream.Last)
	case stream.First > s.Cursor+1:
		add("log_trimmed", "it is folded up to %d, and its stream begins at %d", s.Cursor, stream.First)
	}

	return all
}

// known refuses a partition that the log has not got.
func (s *Service) known(partition int32) error {
	if n := s.deps.Log.Layout().Partitions; int(partition) >= n {
		return &Error{
			Code: codes.NotFound, Reason: reasonPartition,
			Message: fmt.Sprintf("there is no partition %d, only 0 to %d", partition, n-1),
		}
	}

	return nil
}
