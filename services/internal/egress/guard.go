package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// ErrRefused is wrapped by the error for an address that may not be reached.
var ErrRefused = errors.New("the address is not public, and not allowed by the configuration")

// Guard dials, if the address may be reached.
type Guard struct {
	allowed allowed
	client  *http.Client
	timeout time.Duration
	roots   *x509.CertPool
}

// New returns a guard.
func New(c Config) (*Guard, error) {
	list, err := c.allowed()
	if err != nil {
		return nil, err
	}

	g := &Guard{allowed: list, timeout: defaultTimeout, roots: c.RootCAs}
	if c.Timeout > 0 {
		g.timeout = c.Timeout
	}

	maxBody := int64(defaultMaxBody)
	if c.MaxBody > 0 {
		maxBody = c.MaxBody
	}

	transport := &http.Transport{
		Proxy: nil, DialContext: g.DialContext, ForceAttemptHTTP2: true, TLSClientConfig: g.TLS(""),
		TLSHandshakeTimeout: g.timeout, ResponseHeaderTimeout: g.timeout, IdleConnTimeout: time.Minute,
		MaxIdleConns: 100, MaxIdleConnsPerHost: 2, MaxResponseHeaderBytes: maxHeader,
	}
	g.client = &http.Client{
		Transport:     bounded{transport, maxBody},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       g.timeout,
	}

	return g, nil
}

// Client returns the HTTP client; an answer that redirects is an answer like any other.
func (g *Guard) Client() *http.Client { return g.client }

// Timeout is how long a call may take.
func (g *Guard) Timeout() time.Duration { return g.timeout }

// TLS is how servers are talked to in TLS by other ways than HTTP.
func (g *Guard) TLS(host string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: g.roots}
}

// Close lets go of idle connections.
func (g *Guard) Close() { g.client.CloseIdleConnections() }

// DialContext connects to host:port, if each address that the host resolves to, and that is tried, may be reached.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: g.timeout}
	if !g.allowed.host(address) {
		dialer.ControlContext = func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			return g.check(resolved)
		}
	}

	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}

	return conn, nil
}

// check judges an address and port that are about to be connected to.
func (g *Guard) check(resolved string) error {
	target, err := netip.ParseAddrPort(resolved)
	if err != nil { // a socket of the file system, and whatever else is no address
		return ErrRefused
	}

	address := target.Addr().WithZone("").Unmap()
	if Public(address) || g.allowed.address(address) {
		return nil
	}

	return ErrRefused
}

// host tells whether a host is allowed by name, with the port or with any.
func (a allowed) host(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}

	host = strings.ToLower(strings.TrimSuffix(host, "."))

	return a.hosts[host] || a.hosts[net.JoinHostPort(host, port)]
}

func (a allowed) address(address netip.Addr) bool {
	for _, network := range a.networks {
		if network.Contains(address) {
			return true
		}
	}

	return false
}

// bounded cuts bodies of answers off.
type bounded struct {
	next    *http.Transport
	maxBody int64
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // the client says what was called
	}

	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, b.maxBody), response.Body}

	return response, nil
}

// CloseIdleConnections lets go of idle connections; http.Client asks for it.
func (b bounded) CloseIdleConnections() { b.next.CloseIdleConnections() }
