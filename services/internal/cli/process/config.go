package process

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"hale.dev/services/ingest"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/access/oidc"
	"hale.dev/services/internal/listener"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/telemetry"
	"hale.dev/services/notify"
	"hale.dev/services/query"
	"hale.dev/services/scoring"
)

// DefaultAdmin is where /metrics, /healthz, /readyz and /debug/pprof are served.
const DefaultAdmin = "127.0.0.1:9099"

// Service is a service that a process can run.
type Service string

// The services.
const (
	Ingest  Service = "ingest"
	Scoring Service = "scoring"
	Query   Service = "query"
	Notify  Service = "notify"
)

// All returns every service, in the order in which they start.
func All() []Service { return []Service{Scoring, Query, Notify, Ingest} }

// Config of a process. Each service owns its part; zero values work.
type Config struct {
	// Data is the folder of the keys, the embedded log and the embedded store; empty: ./data.
	Data string
	// NATS is the URL, or several with commas, of a NATS server with JetStream; empty: embedded.
	NATS string
	// Redis is the URL of a Redis server; empty: the embedded store.
	Redis string
	// Admin is the address of the admin server; empty: DefaultAdmin.
	Admin string
	// AdminAllowPublic lets the admin server be reached from other machines.
	AdminAllowPublic bool
	// AdminTLS secures the admin server.
	AdminTLS listener.TLS
	// Limits bounds the requests of every key that has no limits of its own.
	Limits access.Limits
	// OIDC says whose tokens open something beside keys.
	OIDC oidc.Config
	// Events says how the log is made at the first start.
	Events Events
	// Alerts says how the stream of alerts is kept.
	Alerts Alerts
	// Snapshots says where and how often snapshots are kept.
	Snapshots Snapshots
	// Telemetry says what the process tells about itself.
	Telemetry telemetry.Config
	// Ingest, Scoring, Query and Notify configure the services.
	Ingest  ingest.Config
	Scoring scoring.Config
	Query   query.Config
	Notify  notify.Config
}

// Events is how the log is made at its first start; an existing log keeps its own layout.
type Events struct {
	// Partitions of the log; 0: 16.
	Partitions int
	// Streams that hold the partitions; 0: 1.
	Streams int
	// Replicas of each stream; 0: 1.
	Replicas int
	// MaxBytes is the cap of the whole log; 0: 64 GiB or what the disk allows.
	MaxBytes int64
}

// Alerts is how the ALERTS stream is kept.
type Alerts struct {
	// MaxBytes is its cap; 0: of a new stream 8 GiB or what the disk allows, of an existing one its own.
	MaxBytes int64
}

// SnapshotsOff is the place of no snapshots.
const SnapshotsOff = "off"

// Snapshots is where the durable checkpoints of the state are kept.
type Snapshots struct {
	// Place is "jetstream" or empty (a bucket beside the log), a folder, an s3:// URL, or SnapshotsOff.
	Place string
	// Every is how often each partition is written; 0: 6 h.
	Every time.Duration
	// Keep is how many good ones of each partition stay; 0: 3.
	Keep int
}

// Errors of Validate.
var (
	// ErrLone says that a service of its own needs the log and the store that the others use.
	ErrLone = errors.New("a service of its own needs what the others use")

	errNATS   = errors.New("nats: must be nats://host:port, or several with commas")
	errListen = errors.New("must be host:port")
	errRemote = errors.New("a listener beyond loopback shows profiles and metrics to everyone: " +
		"set --admin-allow-public if that is meant")
	errSnapshots = errors.New("snapshots: every and keep must not be negative")
	errAlerts    = errors.New("alerts: max_bytes must not be negative")
	errEvents    = errors.New("events: partitions, streams, replicas and max_bytes must not be negative")
)

// Validate reports everything that a process of these services cannot use.
func (c Config) Validate(services []Service) error {
	c = c.complete()
	errs := []error{
		c.Telemetry.Validate(), c.Limits.Validate(), c.OIDC.Validate(), c.validateNATS(), c.validateAdmin(),
		c.validateLone(services),
	}

	if e := c.Events; e.Partitions < 0 || e.Streams < 0 || e.Replicas < 0 || e.MaxBytes < 0 {
		errs = append(errs, errEvents)
	}

	if c.Alerts.MaxBytes < 0 {
		errs = append(errs, errAlerts)
	}

	if err := snapshot.Validate(c.Snapshots.Place); err != nil && c.Snapshots.Place != SnapshotsOff {
		errs = append(errs, fmt.Errorf("snapshots: %w", err))
	}

	if c.Snapshots.Every < 0 || c.Snapshots.Keep < 0 {
		errs = append(errs, errSnapshots)
	}

	if c.Redis != "" {
		errs = append(errs, redis.Options{URL: c.Redis}.Validate())
	}

	for _, s := range services {
		switch s {
		case Ingest:
			errs = append(errs, c.Ingest.Validate())
		case Scoring:
			errs = append(errs, c.Scoring.Validate())
		case Query:
			errs = append(errs, c.Query.Validate())
		case Notify:
			errs = append(errs, c.Notify.Validate())
		}
	}

	return errors.Join(errs...)
}

func (c Config) complete() Config {
	if c.Data == "" {
		c.Data = "./data"
	}

	if c.Admin == "" {
		c.Admin = DefaultAdmin
	}

	return c
}

func (c Config) validateNATS() error {
	if c.NATS == "" {
		return nil
	}

	for one := range strings.SplitSeq(c.NATS, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return errNATS // the URL may hold a password, so it is not repeated
		}
	}

	return nil
}

func (c Config) validateAdmin() error {
	host, _, err := net.SplitHostPort(c.Admin)
	if err != nil {
		return fmt.Errorf("admin %q: %w", c.Admin, errListen)
	}

	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !c.AdminAllowPublic {
		return fmt.Errorf("admin %q: %w", c.Admin, errRemote)
	}

	if err := c.AdminTLS.Validate(); err != nil {
		return fmt.Errorf("admin: %w", err)
	}

	return nil
}

// validateLone refuses a service alone on an embedded log or store that nobody else can reach.
func (c Config) validateLone(services []Service) error {
	if len(services) == len(All()) {
		return nil
	}

	var errs []error

	for _, s := range services {
		if c.NATS == "" {
			errs = append(errs, fmt.Errorf("%w: %s needs --nats URL", ErrLone, s))
		}

		if c.Redis == "" && s != Ingest && s != Notify {
			errs = append(errs, fmt.Errorf("%w: %s needs --redis URL", ErrLone, s))
		}
	}

	return errors.Join(errs...)
}
