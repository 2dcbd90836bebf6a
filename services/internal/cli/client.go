package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/process"
)

const (
	defaultServer = "127.0.0.1:9090"
	defaultIngest = "http://127.0.0.1:8080"
	// maxAnswer bounds an answer of the server, bytes.
	maxAnswer = 64 << 20
)

var errNoKey = errors.New("no key: give --key or HALE_KEY, or --data with the data folder of the run")

// endpoints is where the services of a run listen.
type endpoints struct{ server, ingest string }

// endpoints takes what the user said, then what the local run wrote down, then the defaults.
func (s *settings) endpoints() (endpoints, error) {
	e := endpoints{server: s.client.server, ingest: s.client.ingest}

	run, err := process.ReadAddresses(s.process.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("finding the local run: %w", err)
	}

	e.server = first(e.server, run.QueryGRPC, defaultServer)
	e.ingest = strings.TrimSuffix(first(e.ingest, run.IngestHTTP, defaultIngest), "/")

	if !strings.Contains(e.ingest, "://") {
		e.ingest = "http://" + e.ingest
	}

	return e, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}

	return ""
}

// key returns the key for a role: what the user gave, else the one in the credentials file.
func (s *settings) key(role access.Role) (string, error) {
	if s.client.key != "" {
		return s.client.key, nil
	}

	c, err := access.ReadCredentials(s.process.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &failure{code: exitDenied, err: fmt.Errorf(
			"%w (there is no %s)", errNoKey, filepath.Join(s.process.Data, access.CredentialsFile))}
	}

	if errors.Is(err, fs.ErrPermission) {
		return "", &failure{code: exitDenied, err: err}
	}

	if err != nil {
		return "", err
	}

	key := c.AdminKey

	switch role {
	case access.RoleIngest:
		key = first(c.IngestKey, c.AdminKey)
	case access.RoleViewer:
		key = first(c.QueryKey, c.AdminKey)
	case access.RoleOperator, access.RoleAdmin, access.RoleNone:
	}

	if key == "" {
		return "", &failure{code: exitDenied, err: errNoKey}
	}

	return key, nil
}

// dial connects to the query service with the key of a role. The connection is made when the
// first call needs it.
func (s *settings) dial(role access.Role) (*grpc.ClientConn, error) {
	key, err := s.key(role)
	if err != nil {
		return nil, err
	}

	at, err := s.endpoints()
	if err != nil {
		return nil, err
	}

	target, secure, err := parseServer(at.server)
	if err != nil {
		return nil, err
	}

	transport := insecure.NewCredentials()
	if secure {
		config, err := s.client.tls()
		if err != nil {
			return nil, err
		}

		transport = credentials.NewTLS(config)
	}

	conn, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(bearer(key)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithUserAgent("hale"),
	)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", at.server, err)
	}

	return conn, nil
}

// parseServer splits an address into what grpc dials and whether TLS is on: host:port and
// http:// are plain, https:// is TLS.
func parseServer(server string) (target string, secure bool, err error) {
	if !strings.Contains(server, "://") {
		return server, false, nil
	}

	u, err := url.Parse(server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false, usageError("server %q: must be host:port, http://host:port or https://host:port", server)
	}

	secure = u.Scheme == "https"
	if u.Port() == "" && secure {
		return u.Host + ":443", secure, nil
	}

	return u.Host, secure, nil
}

// bearer sends a key with each call.
type bearer string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. Local runs are plain.
func (bearer) RequireTransportSecurity() bool { return false }

// within bounds one request by the timeout the user chose.
func (s *settings) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.client.timeout)
}
