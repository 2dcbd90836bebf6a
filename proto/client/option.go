package client

import (
	"context"
	"crypto/tls"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Option changes how Dial connects.
type Option func(*settings)

type settings struct {
	key       string
	tls       *tls.Config
	plaintext bool
	more      []grpc.DialOption
}

// WithKey sends a key with each call.
func WithKey(key string) Option { return func(s *settings) { s.key = key } }

// WithTLS encrypts the connection. Nil: TLS as the system trusts it.
func WithTLS(c *tls.Config) Option {
	return func(s *settings) {
		if c == nil {
			c = &tls.Config{MinVersion: tls.VersionTLS12}
		}

		s.tls = c
	}
}

// WithPlaintext lets a key travel unencrypted to other machines. It is for networks that encrypt by themselves.
func WithPlaintext() Option { return func(s *settings) { s.plaintext = true } }

// WithDialOptions adds options of gRPC, behind those of this package.
func WithDialOptions(o ...grpc.DialOption) Option {
	return func(s *settings) { s.more = append(s.more, o...) }
}

// dialOptions turns the settings into those of gRPC.
func (s *settings) dialOptions(address string) ([]grpc.DialOption, error) {
	switch {
	case s.tls != nil && s.plaintext:
		return nil, ErrTransport
	case s.tls == nil && s.key != "" && !s.plaintext && !loopback(address):
		return nil, ErrPlaintextKey
	}

	transport := insecure.NewCredentials()
	if s.tls != nil {
		transport = credentials.NewTLS(s.tls)
	}

	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
	}
	if s.key != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer{key: s.key, secure: s.tls != nil}))
	}

	return append(options, s.more...), nil
}

// loopback reports whether an address is of this machine. A name other than localhost may be anyone's.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}

	ip := net.ParseIP(host)

	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// bearer puts the key into the metadata of each call.
type bearer struct {
	key    string
	secure bool
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.key}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (b bearer) RequireTransportSecurity() bool { return b.secure }
