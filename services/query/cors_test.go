package query_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/access"
	"hale.dev/services/query"
)

const (
	dashboard = "https://dash.example.com"
	getHealth = "/hale.health.v1.HealthService/GetHealth"
)

// browse calls the HTTP listener as a page of an origin does.
func (w *world) browse(method, path, origin string, headers map[string]string) (*http.Response, string) {
	w.tb.Helper()

	req, err := http.NewRequestWithContext(w.tb.Context(), method, "http://"+w.http+path, strings.NewReader(`{"accountId":"acme"}`))
	require.NoError(w.tb, err)
	req.Header.Set("Origin", origin)

	for k, v := range headers {
		req.Header.Set(k, v)
	}

	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.tb, err)

	defer func() { require.NoError(w.tb, resp.Body.Close()) }()

	body, err := io.ReadAll(resp.Body)
	require.NoError(w.tb, err)

	return resp, string(body)
}

// asked is what a preflight asks before a call of each protocol.
func asked() map[string]map[string]string {
	return map[string]map[string]string{
		"Connect": {
			"Access-Control-Request-Method":  http.MethodPost,
			"Access-Control-Request-Headers": "authorization,connect-protocol-version,connect-timeout-ms,content-type",
		},
		"gRPC-Web": {
			"Access-Control-Request-Method":  http.MethodPost,
			"Access-Control-Request-Headers": "authorization,content-type,grpc-timeout,x-grpc-web,x-user-agent",
		},
	}
}

func TestCORSIsClosedByDefault(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))

	for name, headers := range asked() {
		resp, _ := w.browse(http.MethodOptions, getHealth, dashboard, headers)
		require.Empty(t, resp.Header.Values("Access-Control-Allow-Origin"), name)
		require.Empty(t, resp.Header.Values("Access-Control-Allow-Headers"), name)
	}

	resp, _ := w.browse(http.MethodPost, getHealth, dashboard, map[string]string{"Content-Type": "application/json"})
	require.Empty(t, resp.Header.Values("Access-Control-Allow-Origin"))
}

func TestCORS(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) { c.CORSOrigins = []string{dashboard} })
	w.score(home, "acme", noon(), 0, used("acme"))

	call := map[string]string{
		"Content-Type": "application/json", "Authorization": "Bearer " + w.keys[access.RoleViewer],
	}

	t.Run("preflights of both protocols pass for an origin that is allowed", func(t *testing.T) {
		t.Parallel()

		for name, headers := range asked() {
			resp, _ := w.browse(http.MethodOptions, getHealth, dashboard, headers)
			require.Equal(t, http.StatusNoContent, resp.StatusCode, name)
			require.Equal(t, dashboard, resp.Header.Get("Access-Control-Allow-Origin"), name)
			require.Equal(t, http.MethodPost, resp.Header.Get("Access-Control-Allow-Methods"), name)
			require.Equal(t, headers["Access-Control-Request-Headers"], resp.Header.Get("Access-Control-Allow-Headers"), name)
			require.Empty(t, resp.Header.Values("Access-Control-Allow-Credentials"), name)
		}
	})

	t.Run("a page of it reads the answer, and the headers of gRPC-Web", func(t *testing.T) {
		t.Parallel()

		resp, body := w.browse(http.MethodPost, getHealth, dashboard, call)
		require.Equal(t, http.StatusOK, resp.StatusCode, body)
		require.Equal(t, dashboard, resp.Header.Get("Access-Control-Allow-Origin"))

		for _, name := range []string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"} {
			require.Contains(t, resp.Header.Get("Access-Control-Expose-Headers"), name)
		}

		require.Contains(t, resp.Header.Values("Vary"), "Origin", "caches keep the answers of origins apart")
	})

	t.Run("others are refused, however alike", func(t *testing.T) {
		t.Parallel()

		for _, origin := range []string{"https://evil.example.com", "http://dash.example.com", dashboard + ":8443", "null"} {
			resp, _ := w.browse(http.MethodOptions, getHealth, origin, asked()["Connect"])
			require.Empty(t, resp.Header.Values("Access-Control-Allow-Origin"), origin)

			resp, _ = w.browse(http.MethodPost, getHealth, origin, call)
			require.Empty(t, resp.Header.Values("Access-Control-Allow-Origin"), origin)
		}
	})
}

func TestCORSOriginsAreExact(t *testing.T) {
	t.Parallel()

	for _, good := range []string{dashboard, "http://localhost:3000", "http://[::1]:8080"} {
		require.NoError(t, query.Config{CORSOrigins: []string{good}}.Validate(), good)
	}

	for _, bad := range []string{
		"", "*", "https://*.example.com", "dash.example.com", "https://", dashboard + "/", dashboard + "/path",
		"ftp://dash.example.com", "https://user@dash.example.com", "https://Dash.example.com", "null", dashboard + "?q",
	} {
		require.ErrorIs(t, query.Config{CORSOrigins: []string{dashboard, bad}}.Validate(), query.ErrOrigin, bad)
	}
}
