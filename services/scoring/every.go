package scoring

import (
	"context"
	"time"
)

// every calls f again and again, that long apart, until it fails or ctx ends.
func every(ctx context.Context, apart time.Duration, f func() error) error {
	ticker := time.NewTicker(apart)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if err := f(); err != nil {
			return err
		}
	}
}
