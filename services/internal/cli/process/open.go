package process

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/pressure"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/settings"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/task"
	"hale.dev/services/internal/watermark"
)

// Folders inside the data folder.
const (
	natsFolder  = "nats"
	storeFolder = "store"
)

// base is what services stand on.
type base struct {
	log       *eventlog.Log
	rejects   *reject.Stream
	alerts    *alertlog.Log
	delivered *delivery.Stream
	directory *directory.Directory // nil where no service needs it
	pressure  *pressure.Board
	marks     *watermark.Book
	archive   *snapshot.Archive // nil: snapshots are off, or no service needs them
	settings  *settings.Settings
	keyring   *access.Keyring
	store     store.Store // nil where no service needs it
	tasks     *task.Board // nil where no service needs it
}

// open opens everything that the services share, from the bottom up.
func (s *session) open(ctx context.Context) (*base, error) {
	nc, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}

	b := &base{}
	if err := s.openStreams(ctx, nc, b); err != nil {
		return nil, err
	}

	js, replicas := b.log.JetStream(), b.log.Layout().Replicas

	if b.settings, err = settings.Open(ctx, js, replicas); err != nil {
		return nil, fmt.Errorf("opening the settings: %w", err)
	}

	if _, err = access.Bootstrap(ctx, b.settings, s.config.Data); err != nil {
		return nil, fmt.Errorf("making the first keys: %w", err)
	}

	if err := s.openKeyring(ctx, b); err != nil {
		return nil, err
	}

	if err := s.openDirectory(ctx, b, replicas); err != nil {
		return nil, err
	}

	if err := s.openPressure(ctx, b, replicas); err != nil {
		return nil, err
	}

	if err := s.openTasks(ctx, b, replicas); err != nil {
		return nil, err
	}

	if b.marks, err = watermark.Open(ctx, js, replicas); err != nil {
		return nil, fmt.Errorf("opening the watermarks: %w", err)
	}

	if err := s.openArchive(ctx, b, replicas); err != nil {
		return nil, err
	}

	return b, s.openStore(ctx, b)
}

// openStreams opens the streams that have a cap. At the first start each takes of the disk what it finds, so that the
// later ones have room, too.
func (s *session) openStreams(ctx context.Context, nc *nats.Conn, b *base) (err error) {
	events := s.config.Events

	b.log, err = eventlog.Open(ctx, nc, eventlog.Options{
		Partitions: events.Partitions, Streams: events.Streams, Replicas: events.Replicas, MaxBytes: events.MaxBytes,
		Logger: s.logger, Meter: s.telemetry.Meter,
	})
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}

	js, replicas := b.log.JetStream(), b.log.Layout().Replicas

	if b.rejects, err = reject.Open(ctx, js, reject.Options{Replicas: replicas}); err != nil {
		return fmt.Errorf("opening REJECTS: %w", err)
	}

	b.alerts, err = alertlog.Open(ctx, js, alertlog.Options{
		Replicas: replicas, MaxBytes: s.config.Alerts.MaxBytes, Logger: s.logger,
	})
	if err != nil {
		return fmt.Errorf("opening ALERTS: %w", err)
	}

	b.delivered, err = delivery.Open(ctx, js, delivery.Options{Replicas: replicas, MaxBytes: s.config.Notify.MaxBytes})
	if err != nil {
		return fmt.Errorf("opening NOTIFY: %w", err)
	}

	return nil
}

// openTasks opens the board on which operators ask the owners of streams for work.
func (s *session) openTasks(ctx context.Context, b *base, replicas int) (err error) {
	if !s.runs(Scoring) && !s.runs(Query) {
		return nil
	}

	if b.tasks, err = task.Open(ctx, b.log.JetStream(), replicas); err != nil {
		return fmt.Errorf("opening the board of tasks: %w", err)
	}

	return nil
}

func (s *session) runs(name Service) bool { return slices.Contains(s.options.Services, name) }

func (s *session) openDirectory(ctx context.Context, b *base, replicas int) error {
	if !s.runs(Ingest) && !s.runs(Query) {
		return nil
	}

	var err error

	b.directory, err = directory.Open(ctx, b.log.JetStream(), directory.Options{Replicas: replicas, Logger: s.logger})
	if err != nil {
		return fmt.Errorf("opening the directory of users: %w", err)
	}

	s.later("closing the directory of users", func() error { b.directory.Close(); return nil })

	return nil
}

// openArchive opens the place where snapshots are kept.
func (s *session) openArchive(ctx context.Context, b *base, replicas int) error {
	if (!s.runs(Scoring) && !s.runs(Query)) || s.config.Snapshots.Place == SnapshotsOff {
		return nil
	}

	vault, err := snapshot.Open(ctx, s.config.Snapshots.Place, snapshot.OpenOptions{
		JetStream: b.log.JetStream(), Replicas: replicas,
	})
	if err != nil {
		return fmt.Errorf("opening the place of snapshots (--snapshots): %w", err)
	}

	s.later("closing the place of snapshots", vault.Close)

	b.archive, err = snapshot.NewArchive(vault, snapshot.ArchiveOptions{
		Layout: b.log.Layout().ID, Logger: s.logger, Meter: s.telemetry.Meter.Meter("hale.dev/services/internal/snapshot"),
	})
	if err != nil {
		return fmt.Errorf("opening the snapshots: %w", err)
	}

	return nil
}

// openPressure opens the board on which scoring tells ingest to take no more, and follows it until the end of the
// session.
func (s *session) openPressure(ctx context.Context, b *base, replicas int) error {
	var err error
	if b.pressure, err = pressure.Open(ctx, b.log.JetStream(), replicas); err != nil {
		return fmt.Errorf("opening the board of pressure: %w", err)
	}

	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})

	go func() {
		defer close(done)

		if err := b.pressure.Follow(following); following.Err() == nil {
			s.logger.ErrorContext(ctx, "following the board of pressure", slog.Any("error", err))
		}
	}()

	s.later("forgetting the pressure", func() error {
		stop()
		<-done

		return nil
	})

	return nil
}

// openKeyring opens the keys, and has them watched until the end of the session.
func (s *session) openKeyring(ctx context.Context, b *base) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.later("forgetting the keys", func() error { stop(); return nil })

	options := []access.Option{access.WithLogger(s.logger), access.WithLimits(s.config.Limits)}

	if s.config.OIDC.On() {
		issuer, err := oidc.New(s.config.OIDC, oidc.Options{Logger: s.logger})
		if err != nil {
			return fmt.Errorf("preparing for tokens: %w", err)
		}

		options = append(options, access.WithTokens(issuer))
	}

	var err error
	if b.keyring, err = access.Open(watching, b.settings, options...); err != nil {
		return fmt.Errorf("reading the keys: %w", err)
	}

	return nil
}

// natsWait is how long NATS may take to be there at the start. Then whoever starts the process is told.
const natsWait = 10 * time.Second

// connect connects to the NATS servers that the user named, waiting for them for a moment, or to an embedded one.
func (s *session) connect(ctx context.Context) (*nats.Conn, error) {
	if s.config.NATS == "" {
		return s.embed()
	}

	waiting, cancel := context.WithTimeout(ctx, natsWait)
	defer cancel()

	nc, err := eventlog.Connect(waiting, s.config.NATS, s.logger,
		nats.Name(s.config.Telemetry.Service),
		nats.NoCallbacksAfterClientClose(), // closing at the end is no loss
	)
	if err != nil {
		return nil, fmt.Errorf("connecting to NATS (--nats): %w", err)
	}

	s.later("closing the connection to NATS", func() error { nc.Close(); return nil })

	return nc, nil
}

// embed starts a NATS server in this process. It writes to the disk before it acknowledges.
func (s *session) embed() (*nats.Conn, error) {
	server, err := natsserver.Start(natsserver.Options{
		Dir: filepath.Join(s.config.Data, natsFolder), SyncAlways: true, Logger: s.logger,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the embedded NATS server: %w", err)
	}

	s.later("stopping the embedded NATS server", func() error { server.Shutdown(); return nil })

	nc, err := server.Conn()
	if err != nil {
		return nil, fmt.Errorf("connecting to the embedded NATS server: %w", err)
	}

	s.later("closing the connection to NATS", func() error { nc.Close(); return nil })

	return nc, nil
}

func (s *session) openRedis(ctx context.Context) (store.Store, error) {
	return redis.Open(ctx, redis.Options{
		URL: s.config.Redis, Logger: s.logger, Tracer: s.telemetry.Tracer, Meter: s.telemetry.Meter,
	})
}

func (s *session) openStore(ctx context.Context, b *base) error {
	if !s.runs(Scoring) && !s.runs(Query) {
		return nil
	}

	var err error

	if s.config.Redis != "" {
		b.store, err = s.openRedis(ctx)
	} else {
		b.store, err = memory.Open(memory.Options{
			Dir: filepath.Join(s.config.Data, storeFolder), Logger: s.logger, Meter: s.telemetry.Meter,
		})
	}

	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}

	s.later("closing the store", b.store.Close)

	return nil
}
