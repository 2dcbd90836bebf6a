package scoring

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pausePatience bounds how long a stream stands still for something to be put in its place.
const pausePatience = 30 * time.Second

// paused makes the workers stand still, with all that they were given committed, calls f, and ends this try of owning
// the stream with errRenewed: what is live may be another state now. If f says that nothing was put in place, they go on.
func (o *owner) paused(ctx context.Context, f func(ctx context.Context) (renewed bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, pausePatience)
	defer cancel()
	var stand sync.WaitGroup
	end := make(chan struct{})
	var outcome error
	stand.Add(len(o.workers))
	given := 0
	var err error
	for _, w := range o.workers {
		err = w.give(ctx, order{committed: func() error {
			stand.Done()
			<-end
			return outcome
		}})
		if err != nil {
			break
		}
		given++
	}
	for range len(o.workers) - given {
		stand.Done()
	}
	renewed := false
	if err == nil {
		if err = await(ctx, &stand); err == nil {
			renewed, err = f(ctx)
		}
	}
	if renewed {
		outcome = errRenewed
		err = errors.Join(errRenewed, err)
	}
	close(end)
	return err
}

// await waits for a group, or for the end of ctx.
func await(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
