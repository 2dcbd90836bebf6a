package ingest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	securing "hale.dev/services/internal/listener"
)

// Off as an address switches a listener off.
const Off = "off"

const (
	defaultHTTP     = "127.0.0.1:8080"
	defaultGRPC     = "127.0.0.1:8081"
	defaultInFlight = 256
	defaultQueue    = 64
	defaultDrain    = 10 * time.Second
	maxInFlight     = 1 << 20
)

// Config of the ingest service. The zero value works.
type Config struct {
	// HTTP is the address of Segment's API and of /v1/events; empty: 127.0.0.1:8080; off: none.
	HTTP string `koanf:"http"`
	// GRPC is the address of hale.ingest.v1; empty: 127.0.0.1:8081; off: none.
	GRPC string `koanf:"grpc"`
	// Sources are the kinds of events that are taken, of those that Sources lists; empty: all.
	Sources []string `koanf:"sources"`
	// Mapping is the path of a file that says which track calls are no usage; empty: the shipped mapping.
	Mapping string `koanf:"mapping"`
	// TLSCert and TLSKey are the paths of a certificate chain and its key, PEM; both or none.
	TLSCert string `koanf:"tls_cert"`
	TLSKey  string `koanf:"tls_key"`
	// TLSClientCA is the path of the authorities whose clients are let in, PEM; empty: clients need no certificate.
	TLSClientCA string `koanf:"tls_client_ca"`
	// AllowPublic lets the service listen without TLS on addresses that other machines reach: behind a proxy that
	// speaks TLS, say.
	AllowPublic bool `koanf:"allow_public"`
	// InFlightMiB bounds the requests held in memory at once; beyond it clients get 429. 0: 256.
	InFlightMiB int `koanf:"in_flight_mib"`
	// QueueMiB bounds the encoded events that wait for the log to take them; beyond it clients get 429. 0: 64.
	QueueMiB int `koanf:"queue_mib"`
	// Drain is how long requests may still run when the service ends; 0: 10 s.
	Drain time.Duration `koanf:"drain"`
	// Now is the clock; nil: time.Now.
	Now func() time.Time `koanf:"-"`
}

// Validate reports the first value that cannot be used.
func (c Config) Validate() error {
	c = c.complete()

	for _, s := range c.Sources {
		if parseKind(s) == kindNone {
			return fmt.Errorf("ingest: sources: %q is none of %s", s, kindList())
		}
	}

	switch {
	case c.HTTP == Off && c.GRPC == Off:
		return errors.New("ingest: http and grpc are both off: nothing would be served")
	case c.InFlightMiB < 8 || c.InFlightMiB > maxInFlight:
		return fmt.Errorf("ingest: in_flight_mib must be from 8 to %d", maxInFlight)
	case c.QueueMiB < 1 || c.QueueMiB > maxInFlight:
		return fmt.Errorf("ingest: queue_mib must be from 1 to %d", maxInFlight)
	case c.Drain < 0:
		return errors.New("ingest: drain must not be negative")
	}

	for name, addr := range map[string]string{"http": c.HTTP, "grpc": c.GRPC} {
		if err := c.checkAddress(addr); err != nil {
			return fmt.Errorf("ingest: %s: %w", name, err)
		}
	}

	if err := c.files().Validate(); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}

	_, err := loadMapping(c.Mapping)

	return err
}

// checkAddress refuses addresses that other machines reach, unless there is TLS or the operator allows it.
func (c Config) checkAddress(addr string) error {
	if addr == Off {
		return nil
	}

	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address: %w", addr, err)
	}

	if c.TLSCert != "" || c.AllowPublic || host == "localhost" {
		return nil
	}

	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return nil
	}

	return fmt.Errorf("%q can be reached from other machines: set tls_cert and tls_key, or allow_public", addr)
}

// files are what the listeners are secured with.
func (c Config) files() securing.TLS {
	return securing.TLS{Cert: c.TLSCert, Key: c.TLSKey, ClientCA: c.TLSClientCA}
}

// tls loads the certificate; nil without one.
func (c Config) tls(logger *slog.Logger) (*tls.Config, error) {
	config, err := c.files().Config(logger)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}

	return config, nil
}

// complete fills what is zero.
func (c Config) complete() Config {
	if c.HTTP == "" {
		c.HTTP = defaultHTTP
	}

	if c.GRPC == "" {
		c.GRPC = defaultGRPC
	}

	if len(c.Sources) == 0 {
		c.Sources = Sources()
	}

	c.Sources = slices.Clone(c.Sources)

	if c.InFlightMiB == 0 {
		c.InFlightMiB = defaultInFlight
	}

	if c.QueueMiB == 0 {
		c.QueueMiB = defaultQueue
	}

	if c.Drain == 0 {
		c.Drain = defaultDrain
	}

	c.Now = clock(c.Now)

	return c
}

// clock is the given clock, or the machine's.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}

	return now
}
