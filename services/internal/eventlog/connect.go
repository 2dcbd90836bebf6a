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
	dialWait       = 2 * time.Second
	reconnectPause = 100 * time.Millisecond
	reconnectSpare = 100 * time.Millisecond
	connectionName = "hale"
	// pingPeriod and pingsOut bound how long a server that froze, or a network that swallows all, goes unnoticed:
	// after pingPeriod * (pingsOut + 1) another server is tried.
	pingPeriod = 2 * time.Second
	pingsOut   = 2
	// writeWait bounds how long a full network may hold a write, and with it everybody who uses the connection.
	writeWait = 10 * time.Second
)

// Connect connects to a NATS server (or several, by commas), as the log needs it: the connection comes back by
// itself for ever, soon, to another server if its own does not answer for some seconds, and reports to logger (nil:
// silent). A server that is not there yet is tried until ctx ends. More options, such as credentials and TLS, are added to these.
func Connect(ctx context.Context, servers string, logger *slog.Logger, more ...nats.Option) (*nats.Conn, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}

	options := append([]nats.Option{
		nats.Name(connectionName),
		nats.Timeout(dialWait),
		nats.MaxReconnects(-1),
		nats.PingInterval(pingPeriod),
		nats.MaxPingsOutstanding(pingsOut),
		nats.FlusherTimeout(writeWait),
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

	for told := false; ; {
		conn, err := nats.Connect(servers, options...)
		if err == nil {
			return conn, nil
		}

		if !told {
			logger.WarnContext(ctx, "NATS does not answer yet", "error", err)

			told = true
		}

		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: connecting to NATS: %w", ErrUnavailable, err)
		case <-time.After(dialPause):
		}
	}
}
