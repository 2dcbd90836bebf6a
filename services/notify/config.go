package notify

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"hale.dev/services/internal/egress"
)

const (
	defaultDrain     = 10 * time.Second
	defaultRetention = 30 * 24 * time.Hour
)

// Config of the service. The zero value works.
type Config struct {
	// EgressAllow lists what may be called although it is not public: networks, addresses, hosts.
	EgressAllow []string
	// ConsoleURL is where links in notifications lead; empty: there are none.
	ConsoleURL string
	// Secrets is the folder with the files that receivers name as file:NAME; empty: there are none.
	Secrets string
	// Drain is how long tries under way have to end when the service stops; 0: 10 s.
	Drain time.Duration
	// Retention is how long is kept what became of notifications; 0: 30 days.
	Retention time.Duration
	// MaxBytes is the cap of the stream NOTIFY; 0: of a new stream 1 GiB or what the disk allows, of an existing one its own.
	MaxBytes int64
	// Lease is how long others wait for a leader that says nothing; 0: 6 s.
	Lease time.Duration
	// Pause is how long nothing is tried after the stream of deliveries could not be written; 0: 1 s.
	Pause time.Duration
}

// Errors of Validate.
var (
	// ErrNegative is returned for a negative duration.
	ErrNegative = errors.New("notify: drain, retention and lease must not be negative")
	// ErrMaxBytes is returned for a negative cap.
	ErrMaxBytes = errors.New("notify: max_bytes must not be negative")
	// ErrConsole is returned for a URL that links cannot begin with.
	ErrConsole = errors.New("notify: console_url: must be http:// or https:// with a host")
)

// Validate reports everything that the service cannot use.
func (c Config) Validate() error {
	var errs []error

	if err := (egress.Config{Allow: c.EgressAllow}).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("notify: egress_%w", err))
	}

	if c.ConsoleURL != "" {
		u, err := url.Parse(c.ConsoleURL)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			errs = append(errs, ErrConsole)
		}
	}

	if c.MaxBytes < 0 {
		errs = append(errs, ErrMaxBytes)
	}

	if c.Drain < 0 || c.Retention < 0 || c.Lease < 0 || c.Pause < 0 {
		errs = append(errs, ErrNegative)
	}

	return errors.Join(errs...)
}

func (c Config) complete() Config {
	if c.Drain == 0 {
		c.Drain = defaultDrain
	}

	if c.Retention == 0 {
		c.Retention = defaultRetention
	}

	if c.Pause == 0 {
		c.Pause = time.Second
	}

	return c
}
