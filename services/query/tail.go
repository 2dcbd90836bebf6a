package query

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/eventlog"
)

// errTailEnd ends the reading of a stream that is not to be followed.
var errTailEnd = errors.New("query: the end of the stream")

// TailEvents implements AdminService. Records of one partition come in order.
func (a *adminServer) TailEvents(
	req *adminv1.TailEventsRequest, stream grpc.ServerStreamingServer[adminv1.TailEventsResponse],
) error {
	ws, err := workspace(stream.Context())
	if err != nil {
		return err
	}

	ctx, cancel := a.service.untilStopping(stream.Context())
	defer cancel()

	t := &tail{log: a.service.deps.Log, workspace: ws, request: req, send: stream.Send}
	g, gctx := errgroup.WithContext(ctx)

	for n := range a.service.deps.Log.Layout().Streams {
		g.Go(func() error { return t.stream(gctx, n) })
	}

	return causeOf(ctx, g.Wait())
}

// tail is one TailEvents under way.
type tail struct {
	log       *eventlog.Log
	workspace string
	request   *adminv1.TailEventsRequest

	mu   sync.Mutex // one at a time may send
	send func(*adminv1.TailEventsResponse) error
}

// stream sends what one stream of the log holds and gets.
func (t *tail) stream(ctx context.Context, n int) error {
	info, err := t.log.Info(ctx, n)
	if err != nil {
		return fmt.Errorf("looking at stream %d of the log: %w", n, err)
	}

	var (
		last = uint64(t.request.GetLast()) //nolint:gosec // validated: not negative
		from = info.Last + 1 - min(last, info.Last)
	)

	if from = max(from, info.First, 1); t.request.GetNoFollow() && from > info.Last {
		return nil
	}

	err = t.log.Read(ctx, n, from, func(m *eventlog.Message) error {
		if err := t.message(m); err != nil {
			return err
		}

		if t.request.GetNoFollow() && m.Sequence >= info.Last {
			return errTailEnd
		}

		return nil
	})
	if errors.Is(err, errTailEnd) {
		return nil
	}

	return err
}

// message sends the records of a message that belong to the workspace.
func (t *tail) message(m *eventlog.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()

	for _, r := range m.Records {
		if r.GetWorkspace() != t.workspace {
			continue
		}

		if err := t.send(&adminv1.TailEventsResponse{
			Partition: int32(m.Partition), Sequence: m.Sequence, //nolint:gosec // a handful of partitions
			LoggedAt: timestamp(m.Time), Record: r,
		}); err != nil {
			return fmt.Errorf("sending a record: %w", err)
		}
	}

	return nil
}
