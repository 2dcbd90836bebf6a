package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	defaultReadyWait = 30 * time.Second
	// maxPayload of a message: well above a batch of the log (1 MiB) and a refused event with its body.
	maxPayload  = 8 << 20
	maxPending  = 64 << 20
	directory   = 0o700
	reconnect   = 50 * time.Millisecond
	loopback    = "127.0.0.1"
	randomPort  = -1
	pingPeriod  = 20 * time.Second
	clientsName = "hale"
)

// Options says how to run the server. Dir is needed; the other zero values work.
type Options struct {
	// Dir holds the streams. It is made if absent, and used again at the next start.
	Dir string
	// SyncAlways makes the server write to the disk (fsync) before it acknowledges.
	SyncAlways bool
	// Listen opens a TCP listener for clients at Host and Port; else there are only in-process connections.
	Listen bool
	// Host of the listener; empty: 127.0.0.1.
	Host string
	// Port of the listener; 0: any free one.
	Port int
	// MaxStore bounds all streams together, bytes; 0: three quarters of the free disk, plus what the streams hold.
	MaxStore int64
	// ReadyWait bounds the start, recovery of the streams included; 0: 30 s.
	ReadyWait time.Duration
	// Logger; nil: silent.
	Logger *slog.Logger
}

// ErrNotReady says that the server did not start in time.
var ErrNotReady = errors.New("nats server: not ready in time")

// ErrNoDirectory says that Options.Dir is empty.
var ErrNoDirectory = errors.New("nats server: no directory given")

// Server is a running server.
type Server struct {
	server   *server.Server
	logger   *slog.Logger
	listen   bool
	shutdown sync.Once
}

// Start starts a server and returns when it is ready: streams recovered, connections possible.
func Start(o Options) (*Server, error) {
	if o.Dir == "" {
		return nil, ErrNoDirectory
	}

	if err := os.MkdirAll(o.Dir, directory); err != nil {
		return nil, fmt.Errorf("making the server's directory: %w", err)
	}

	srv, err := server.NewServer(o.server())
	if err != nil {
		return nil, fmt.Errorf("configuring the nats server: %w", err)
	}

	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	srv.SetLoggerV2(logger{slog: o.Logger}, false, false, false)

	srv.Start()

	wait := o.ReadyWait
	if wait == 0 {
		wait = defaultReadyWait
	}

	if !srv.ReadyForConnections(wait) || !srv.JetStreamEnabled() {
		srv.Shutdown()
		srv.WaitForShutdown()

		return nil, fmt.Errorf("%w: waited %s in %s", ErrNotReady, wait, o.Dir)
	}

	return &Server{server: srv, logger: o.Logger, listen: o.Listen}, nil
}

// server translates the options.
func (o Options) server() *server.Options {
	options := &server.Options{
		ServerName:             "hale-embedded",
		DontListen:             !o.Listen,
		Host:                   o.Host,
		Port:                   o.Port,
		JetStream:              true,
		StoreDir:               o.Dir,
		SyncAlways:             o.SyncAlways,
		JetStreamMaxStore:      o.MaxStore,
		MaxPayload:             maxPayload,
		MaxPending:             maxPending,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
		PingInterval:           pingPeriod,
	}
	if options.Host == "" {
		options.Host = loopback
	}

	if options.Port == 0 {
		options.Port = randomPort
	}

	return options
}

// Conn makes a connection inside the process. It comes back by itself as long as the server runs, and is the
// caller's to close.
func (s *Server) Conn() (*nats.Conn, error) {
	conn, err := nats.Connect("", nats.InProcessServer(s.server), nats.Name(clientsName),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnect), nats.ReconnectJitter(0, 0),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			s.logger.Warn("the embedded NATS server reports an error", "error", err)
		}))
	if err != nil {
		return nil, fmt.Errorf("connecting to the embedded nats server: %w", err)
	}

	return conn, nil
}

// ClientURL is the address of the listener; empty without one.
func (s *Server) ClientURL() string {
	if !s.listen {
		return ""
	}

	return s.server.ClientURL()
}

// Shutdown closes all connections, writes what is pending, and returns when the server has ended. Close what uses
// its connections first.
func (s *Server) Shutdown() {
	s.shutdown.Do(func() {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	})
}
