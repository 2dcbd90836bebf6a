package access

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// lookEvery is how often is looked whether streams may go on. One that may not ends within that time.
const lookEvery = time.Second

// admitted is a stream that somebody was let in to.
type admitted struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // this is how grpc hands a context to a stream's handler
	who *known
	now func() time.Time
	// counted says that the message which opened the stream has come: the stream was counted for it.
	counted bool
}

// Context implements grpc.ServerStream.
func (s *admitted) Context() context.Context { return s.ctx }

// RecvMsg implements grpc.ServerStream. It holds every message to the limits of who sends it.
func (s *admitted) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err //nolint:wrapcheck // io.EOF has to stay as it is
	}

	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}

	size := sizeOf(m)
	if !s.counted {
		s.counted = true

		return s.who.meter.fits(size)
	}

	return s.who.meter.take(s.now(), size)
}

// SendMsg implements grpc.ServerStream. Who was slow to read gets nothing more after the end.
func (s *admitted) SendMsg(m any) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}

	return s.ServerStream.SendMsg(m) //nolint:wrapcheck // grpc's own
}

// holds are the streams that are open.
type holds struct {
	mu   sync.Mutex
	open map[*hold]struct{}
}

// hold is an open stream, and how it is ended.
type hold struct {
	who *known
	end context.CancelCauseFunc
}

// add returns a context that is ended when look finds that who opened the stream may not have it any more. The stream's
// end releases it.
func (h *holds) add(ctx context.Context, who *known) (_ context.Context, release func()) {
	ctx, end := context.WithCancelCause(ctx)
	one := &hold{who: who, end: end}

	h.mu.Lock()
	defer h.mu.Unlock()

	if h.open == nil {
		h.open = make(map[*hold]struct{})
	}

	h.open[one] = struct{}{}

	return ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()

		delete(h.open, one)
		end(nil)
	}
}

// look ends the streams for which stands returns an error.
func (h *holds) look(stands func(*known) error) {
	h.mu.Lock()
	defer h.mu.Unlock()

	for one := range h.open {
		if err := stands(one.who); err != nil {
			one.end(err)
		}
	}
}

// guard looks after open streams, and forgets who came with a token and was not here for a while, until ctx ends.
func (k *Keyring) guard(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.holds.look(k.stands)
			k.subjects.tidy(k.now())
		}
	}
}
