package redis

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// SetDriverLogger sends what the redis driver says of its connections to l, at level debug. The driver has one
// logger for the whole process, by default one that writes to stderr, so main calls this once, before Open.
func SetDriverLogger(l *slog.Logger) { redis.SetLogger(driverLogger{l}) }

type driverLogger struct{ l *slog.Logger }

// Printf implements the driver's logging interface.
func (d driverLogger) Printf(ctx context.Context, format string, args ...any) {
	if d.l.Enabled(ctx, slog.LevelDebug) {
		d.l.DebugContext(ctx, "redis driver", slog.String("message", fmt.Sprintf(format, args...)))
	}
}
