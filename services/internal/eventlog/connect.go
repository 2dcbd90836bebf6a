package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	dialPause      = 200 * time.Millisecond
	reconnectPause = 100 * time.Millisecond
	reconnectSpare = 100 * time.Millisecond
	connectionName = "hale"
)

// Connect connects to a NATS server (or several, by commas), as the log needs it: the connection comes back by
// itself for ever, soon, and reports to logger (nil: silent). A server that is not there yet is tried until ctx
// ends. More options, such as credentials and TLS, are added to these.
func Connect(ctx context.Context, servers string, logger *slog.Logger, more ...nats.Option) (*nats.Conn, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}

	options := append([]nats.Option{
		nats.Name(connectionName),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectPause),
		nats.ReconnectJitter(reconnectSpare, reconnectSpare),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			logger.Warn("the connection to NATS is lost", "error", err)
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			logger.Info("the connection to NATS is back", "server", conn.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			logger.Warn("NATS reports an error", "error", err)
		}),
	}, more...)

	for {
		conn, err := nats.Connect(servers, options...)
		if err == nil {
			return conn, nil
		}

		logger.DebugContext(ctx, "NATS does not answer yet", "error", err)

		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: connecting to NATS: %w", ErrUnavailable, err)
		case <-time.After(dialPause):
		}
	}
}
