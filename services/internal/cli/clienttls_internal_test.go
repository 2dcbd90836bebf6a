package cli

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
