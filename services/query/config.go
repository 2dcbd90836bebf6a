package query

import (
	"errors"
	"fmt"
	"net"
	"time"

	"hale.dev/services/internal/listener"
)

const (
	defaultGRPC  = "127.0.0.1:9090"
	defaultHTTP  = "127.0.0.1:9091"
	defaultWait  = 30 * time.Second
	defaultDrain = 10 * time.Second
	// defaultReconcileAfter leaves whoever stored scorecards enough time to publish them.
	defaultReconcileAfter = 5 * time.Second
	defaultHeartbeat      = 15 * time.Second
	defaultWatchRing      = 32768
	defaultAlertRing      = 4096
	defaultTestAccounts   = 20_000
)

// Config of the query service. The zero value works.
type Config struct {
	// GRPC is the address of the gRPC listener; empty: 127.0.0.1:9090.
	GRPC string `koanf:"grpc"`
	// HTTP is the address of the listener for JSON, Connect and gRPC-Web; empty: 127.0.0.1:9091.
	HTTP string `koanf:"http"`
	// TLSCert and TLSKey are PEM files for both listeners; empty: no TLS.
	TLSCert string `koanf:"tls_cert"`
	TLSKey  string `koanf:"tls_key"`
	// TLSClientCA is a PEM file of the authorities whose clients are let in; empty: clients need no certificate.
	TLSClientCA string `koanf:"tls_client_ca"`
	// Insecure lets listeners be reached from other machines without TLS.
	Insecure bool `koanf:"insecure"`
	// CORSOrigins are the origins whose pages may call the HTTP listener from a browser, each spelled as browsers do:
	// https://dash.example.com; empty: none.
	CORSOrigins []string `koanf:"cors_origins"`
	// MaxWait is how long a read with at_least waits at most; 0: 30 s.
	MaxWait time.Duration `koanf:"max_wait"`
	// Drain is how long calls under way have to end when the service stops; 0: 10 s.
	Drain time.Duration `koanf:"drain"`
	// ReconcileAfter is how long whoever stored scorecards has to publish them before others do; 0: 5 s.
	ReconcileAfter time.Duration `koanf:"-"`
	// Heartbeat is after how long a watch without changes says where it is; 0: 15 s.
	Heartbeat time.Duration `koanf:"-"`
	// WatchRing is how many changes of a workspace are kept for its watchers: one who is further behind is cut off; 0:
	// 32,768.
	WatchRing int `koanf:"-"`
	// AlertRing is how many transitions of alerts of a workspace are kept for its watchers at least; 0: 4,096.
	AlertRing int `koanf:"-"`
	// RulesTestAccounts bounds the accounts that a test of rules holds in memory, tens of kilobytes each: those of the
	// workspace in one stream of the log; 0: 20,000.
	RulesTestAccounts int `koanf:"rules_test_accounts"`
}

var (
	// ErrInsecure is returned for a listener that other machines could reach without TLS.
	ErrInsecure = errors.New("query: a listener beyond loopback needs TLS, or insecure set")
	// ErrOrigin is returned for an origin that is not scheme://host[:port], in lower case.
	ErrOrigin = errors.New("query: cors_origins: not an origin such as https://dash.example.com")
	// ErrNegative is returned for a negative duration, or number.
	ErrNegative = errors.New("query: max_wait, drain and rules_test_accounts must not be negative")
)

// Validate reports the first value that cannot be used.
func (c Config) Validate() error {
	if err := c.files().Validate(); err != nil {
		return fmt.Errorf("query: %w", err)
	}

	if c.MaxWait < 0 || c.Drain < 0 || c.ReconcileAfter < 0 || c.Heartbeat < 0 || c.WatchRing < 0 || c.AlertRing < 0 ||
		c.RulesTestAccounts < 0 {
		return ErrNegative
	}

	if err := checkOrigins(c.CORSOrigins); err != nil {
		return err
	}

	c = c.complete()

	for name, address := range map[string]string{"grpc": c.GRPC, "http": c.HTTP} {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("query: %s: %w", name, err)
		}

		if c.TLSCert == "" && !c.Insecure && !loopback(host) {
			return fmt.Errorf("%w: %s is %s", ErrInsecure, name, address)
		}
	}

	return nil
}

// files are what the listeners are secured with.
func (c Config) files() listener.TLS {
	return listener.TLS{Cert: c.TLSCert, Key: c.TLSKey, ClientCA: c.TLSClientCA}
}

// loopback reports whether only this machine can reach a listener on that host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}

	ip := net.ParseIP(host)

	return ip != nil && ip.IsLoopback()
}

// complete fills in the defaults.
func (c Config) complete() Config {
	if c.GRPC == "" {
		c.GRPC = defaultGRPC
	}

	if c.HTTP == "" {
		c.HTTP = defaultHTTP
	}

	if c.MaxWait == 0 {
		c.MaxWait = defaultWait
	}

	if c.Drain == 0 {
		c.Drain = defaultDrain
	}

	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}

	if c.WatchRing == 0 {
		c.WatchRing = defaultWatchRing
	}

	if c.AlertRing == 0 {
		c.AlertRing = defaultAlertRing
	}

	if c.RulesTestAccounts == 0 {
		c.RulesTestAccounts = defaultTestAccounts
	}

	if c.ReconcileAfter == 0 {
		c.ReconcileAfter = defaultReconcileAfter
	}

	return c
}
