package cli

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/cli/process"
	"hale.dev/services/internal/listener"
	"hale.dev/services/internal/listener/listenertest"
)

func TestClientTLS(t *testing.T) {
	t.Parallel()

	ours := listenertest.New(t)
	cert, key := ours.Issue(t, t.TempDir(), 1)
	config, err := listener.TLS{Cert: cert, Key: key, ClientCA: ours.File}.Config(slog.New(slog.DiscardHandler))
	require.NoError(t, err)

	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)

	get := func(c clientConfig) error {
		client, err := c.http(time.Minute)
		require.NoError(t, err)
		t.Cleanup(client.CloseIdleConnections)

		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		require.NoError(t, err)
		answer, err := client.Do(r)
		if err == nil {
			err = answer.Body.Close()
		}

		return err
	}

	require.NoError(t, get(clientConfig{caFile: ours.File, cert: cert, certKey: key}))
	require.Error(t, get(clientConfig{caFile: ours.File}), "the server wants a certificate")
	require.ErrorContains(t, get(clientConfig{cert: cert, certKey: key}), "unknown authority")

	for _, bad := range []clientConfig{{caFile: key}, {cert: cert}, {cert: key, certKey: cert}} {
		_, err := bad.tls()
		require.Error(t, err)
	}
}

func TestClientTLSOverGRPC(t *testing.T) {
	t.Parallel()

	ours, theirs := listenertest.New(t), listenertest.New(t)
	cert, key := ours.Issue(t, t.TempDir(), 1)
	config, err := listener.TLS{Cert: cert, Key: key, ClientCA: ours.File}.Config(slog.New(slog.DiscardHandler))
	require.NoError(t, err)

	// Whoever comes through is told that there is no such method, if the key has come too.
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.UnknownServiceHandler(
		func(_ any, ss grpc.ServerStream) error {
			if got := metadata.ValueFromIncomingContext(ss.Context(), "authorization"); len(got) != 1 || got[0] != "Bearer k" {
				return status.Error(codes.Unauthenticated, "no key")
			}

			return status.Error(codes.Unimplemented, "but for that")
		}))

	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)

	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()

	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-ended)
	})

	call := func(scheme string, c clientConfig) codes.Code {
		c.server, c.key = scheme+ln.Addr().String(), "k"
		s := settings{client: c, process: process.Config{Data: t.TempDir()}}

		conn, err := s.dial(access.RoleViewer)
		require.NoError(t, err)

		_, err = healthv1.NewHealthServiceClient(conn).GetHealth(t.Context(), &healthv1.GetHealthRequest{})
		require.NoError(t, conn.Close())

		return status.Code(err)
	}

	theirCert, theirKey := theirs.Issue(t, t.TempDir(), 2)
	good := clientConfig{caFile: ours.File, cert: cert, certKey: key}

	require.Equal(t, codes.Unimplemented, call("https://", good))
	require.Equal(t, codes.Unavailable, call("http://", good), "the server wants TLS")
	require.Equal(t, codes.Unavailable, call("https://", clientConfig{caFile: ours.File}), "the server wants a certificate")
	require.Equal(t, codes.Unavailable, call("https://", clientConfig{caFile: ours.File, cert: theirCert, certKey: theirKey}))
	require.Equal(t, codes.Unavailable, call("https://", clientConfig{cert: cert, certKey: key}), "nobody vouches for the server")

	_, err = (&settings{client: clientConfig{server: "https://" + ln.Addr().String(), key: "k", cert: cert}}).dial(access.RoleViewer)
	require.ErrorContains(t, err, "need each other")
}
