package listener

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
)

// TLS names the PEM files of a listener. The zero value is no TLS.
type TLS struct {
	// Cert and Key are a certificate chain and its key; both or none.
	Cert, Key string
	// ClientCA holds the authorities whose clients are let in; empty: clients need no certificate.
	ClientCA string
}

var (
	// ErrPair is returned when only one of certificate and key is given.
	ErrPair = errors.New("tls_cert and tls_key need each other")
	// ErrClientCA is returned when certificates are asked of clients that would see none.
	ErrClientCA = errors.New("tls_client_ca needs tls_cert and tls_key")
	// ErrNoAuthority is returned for a file of authorities that holds none.
	ErrNoAuthority = errors.New("the file holds no certificate in PEM")
)

// On tells whether there is TLS.
func (t TLS) On() bool { return t.Cert != "" }

// Validate reports what is missing, or a file that cannot be used.
func (t TLS) Validate() error {
	switch {
	case (t.Cert == "") != (t.Key == ""):
		return ErrPair
	case t.Cert == "" && t.ClientCA != "":
		return ErrClientCA
	case t.Cert == "":
		return nil
	}

	_, err := t.load()

	return err
}

// Config returns what servers need; nil without TLS. The files are looked at in each handshake, and read again when
// they changed. What cannot be read then is logged, and what was read before stays in force.
func (t TLS) Config(logger *slog.Logger) (*tls.Config, error) {
	if err := t.Validate(); err != nil || !t.On() {
		return nil, err
	}

	r := &reloader{files: t, logger: logger}
	if err := r.reload(); err != nil {
		return nil, err
	}

	c := base()
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return r.get(hello.Context()), nil }
	// Servers ask for some certificate at their start. Handshakes go by the one above.
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &r.get(hello.Context()).Certificates[0], nil
	}

	return c, nil
}

// base is what all listeners have in common. A resumed session would outlive the authority that let it in, so there
// are none.
func base() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, SessionTicketsDisabled: true,
	}
}

// load reads the files.
func (t TLS) load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}

	c := base()
	c.Certificates = []tls.Certificate{pair}

	if t.ClientCA == "" {
		return c, nil
	}

	if c.ClientCAs, err = Authorities(t.ClientCA); err != nil {
		return nil, fmt.Errorf("tls_client_ca: %w", err)
	}

	c.ClientAuth = tls.RequireAndVerifyClientCert

	return c, nil
}

// Authorities reads a PEM file of certificates to trust.
func Authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("reading authorities: %w", err)
	}

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading authorities from %s: %w", file, ErrNoAuthority)
	}

	return pool, nil
}
