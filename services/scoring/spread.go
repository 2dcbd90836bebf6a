package scoring

import (
	"context"
	"time"
)

// spreadEvery is how often it is looked whether the streams' leaders lie evenly on the servers.
const spreadEvery = time.Minute

// spread keeps the leaders of the streams spread over the servers of a cluster: after a server was away they lie where
// they fell. One process does it for all streams, the owner of the first.
func (o *owner) spread(ctx context.Context) error {
	s := o.service
	if o.stream != 0 || s.deps.Log.Layout().Replicas == 1 {
		<-ctx.Done()
		return ctx.Err()
	}
	return every(ctx, s.cfg.spreadEvery, func() error {
		moved, err := s.deps.Log.Spread(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.deps.Logger.WarnContext(ctx, "spreading the leaders of the streams", "error", err)
		case moved > 0:
			s.deps.Logger.InfoContext(ctx, "leaders of streams were spread over the servers", "moved", moved)
		}
		return nil
	})
}
