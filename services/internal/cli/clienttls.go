package cli

import (
	"crypto/tls"
	"net/http"
	"time"

	"hale.dev/services/internal/listener"
)

// tls says whom the client trusts and what it shows.
func (c clientConfig) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}

	if c.caFile != "" {
		pool, err := listener.Authorities(c.caFile)
		if err != nil {
			return nil, usageError("--ca-file: %w", err)
		}

		config.RootCAs = pool
	}

	if (c.cert == "") != (c.certKey == "") {
		return nil, usageError("--client-cert and --client-key need each other")
	}

	if c.cert == "" {
		return config, nil
	}

	pair, err := tls.LoadX509KeyPair(c.cert, c.certKey)
	if err != nil {
		return nil, usageError("--client-cert: %w", err)
	}

	config.Certificates = []tls.Certificate{pair}

	return config, nil
}

// http returns a client for the ingest service.
func (c clientConfig) http(timeout time.Duration) (*http.Client, error) {
	config, err := c.tls()
	if err != nil {
		return nil, err
	}

	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true,
	}}, nil
}
