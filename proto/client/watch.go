package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// minPause and maxPause bound the wait before a watch connects again; it doubles while no part arrives.
const minPause, maxPause = 100 * time.Millisecond, 5 * time.Second

// Watch yields the parts of a watch, and connects again where it broke, so that no change is missed. A part
// that says reset means: forget everything, a snapshot follows; that is so, too, when the watch breaks inside its
// first snapshot, which then begins anew. The sequence ends when ctx does, or with an error that coming again does not
// mend; that one it yields.
func (c *Client) Watch(
	ctx context.Context, req *healthv1.WatchHealthRequest,
) iter.Seq2[*healthv1.WatchHealthResponse, error] {
	return func(yield func(*healthv1.WatchHealthResponse, error) bool) {
		w := watch{client: c, yield: yield}

		w.request, _ = proto.Clone(req).(*healthv1.WatchHealthRequest)
		if w.request == nil {
			w.request = &healthv1.WatchHealthRequest{}
		}

		for pause := minPause; ; pause = min(2*pause, maxPause) {
			got, err := w.once(ctx)
			if err == nil || ctx.Err() != nil {
				return
			}

			if !passing(err) {
				yield(nil, fmt.Errorf("client: watching: %w", err))

				return
			}

			if got {
				pause = minPause
			}

			select {
			case <-ctx.Done():
				return
			case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // spreads clients; no secret
			}
		}
	}
}

// watch is one sequence of Watch.
type watch struct {
	client  *Client
	request *healthv1.WatchHealthRequest
	yield   func(*healthv1.WatchHealthResponse, error) bool
	partial bool // parts of a snapshot were yielded that is not complete
}

// once streams until the stream ends, and reports whether anything came. No error: the caller has enough.
func (w *watch) once(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the stream when the caller stops early
	defer cancel()

	stream, err := w.client.Health.WatchHealth(ctx, w.request)
	if err != nil {
		return false, err
	}

	for got := false; ; got = true {
		part, err := stream.Recv()
		if err != nil {
			return got, err //nolint:wrapcheck // Watch wraps it
		}

		if w.partial && !got { // the snapshot begins anew
			part.Reset_ = true
		}

		if token := part.GetResumeToken(); token != "" {
			w.request.ResumeToken = token
		}

		w.partial = part.GetResumeToken() == ""

		if !w.yield(part, nil) {
			return true, nil
		}
	}
}

// passing reports whether coming again may help: the service stopped, or the way to it broke.
func passing(err error) bool {
	return errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable
}
