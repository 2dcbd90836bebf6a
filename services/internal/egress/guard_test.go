package egress_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/egress"
)

func TestGuardAllows(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) })
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)

	for name, c := range map[string]struct {
		allow []string
		host  string
		works bool
	}{
		"loopback is refused":                         {nil, "127.0.0.1", false},
		"a name that resolves to loopback is refused": {nil, "localhost", false},
		"an IPv4-mapped address is refused":           {nil, "[::ffff:127.0.0.1]", false},
		"a decimal address is refused":                {nil, "2130706433", false},
		"a network lets its addresses through":        {[]string{"127.0.0.0/8"}, "127.0.0.1", true},
		"a network lets mapped addresses through":     {[]string{"127.0.0.0/8"}, "[::ffff:127.0.0.1]", true},
		"a network lets names through that are in it": {[]string{"127.0.0.0/8", "::1/128"}, "localhost", true},
		"an address lets itself through":              {[]string{"127.0.0.1"}, "127.0.0.1", true},
		"another network lets nothing through":        {[]string{"10.0.0.0/8"}, "127.0.0.1", false},
		"a host lets itself through":                  {[]string{"localhost"}, "localhost", true},
		"a host lets itself through in any spelling":  {[]string{"LocalHost."}, "localhost", true},
		"a host and port let themselves through":      {[]string{"localhost:" + port}, "localhost", true},
		"a host does not let another port through":    {[]string{"localhost:1"}, "localhost", false},
		"a host does not let its address through":     {[]string{"localhost"}, "127.0.0.1", false},
		"a host does not let what ends in it through": {[]string{"host"}, "localhost", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guard := open(t, egress.Config{Allow: c.allow})

			_, err := get(t, guard, "http://"+c.host+":"+port+"/")
			if c.works {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}

			if !c.works && c.host != "2130706433" { // which is no host to some resolvers
				require.ErrorIs(t, err, egress.ErrRefused)
			}
		})
	}
}

func TestGuardClient(t *testing.T) {
	t.Parallel()

	t.Run("redirects are answers", func(t *testing.T) {
		t.Parallel()
		reached := false
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			} else {
				reached = true
			}
		})

		response, err := get(t, open(t, egress.Config{Allow: []string{"127.0.0.1"}}), server.URL)
		require.NoError(t, err)
		require.Equal(t, http.StatusTemporaryRedirect, response.status)
		require.False(t, reached)
	})

	t.Run("bodies are cut off", func(t *testing.T) {
		t.Parallel()
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) })

		response, err := get(t, open(t, egress.Config{Allow: []string{"127.0.0.1"}, MaxBody: 100}), server.URL)
		require.NoError(t, err)
		require.Len(t, response.body, 100)
	})

	t.Run("a server that hangs is given up", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
		t.Cleanup(func() { close(release) })

		_, err := get(t, open(t, egress.Config{Allow: []string{"127.0.0.1"}, Timeout: 20 * time.Millisecond}), server.URL)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})

	t.Run("sockets of the file system are refused", func(t *testing.T) {
		t.Parallel()
		_, err := open(t, egress.Config{}).DialContext(t.Context(), "unix", t.TempDir()+"/socket")
		require.ErrorIs(t, err, egress.ErrRefused)
	})
}

// It sets variables of the process, so it runs alone.
func TestGuardTakesNoProxyFromTheEnvironment(t *testing.T) {
	proxied := false
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { proxied = true })
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)

	guard := open(t, egress.Config{Allow: []string{"127.0.0.1"}, Timeout: time.Second})
	_, err := get(t, guard, "http://nobody.invalid/")
	require.Error(t, err)
	require.False(t, proxied)
}

func TestConfig(t *testing.T) {
	t.Parallel()

	t.Run("networks, addresses, hosts and ports are good", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, egress.Config{Allow: []string{
			"10.0.0.0/8", "fd00::/8", "10.1.2.3", "::1", "[::1]", "alertmanager", "mail.internal:587",
		}}.Validate())
	})

	for _, entry := range []string{"", "10.0.0.0/33", "http://alertmanager", "*.internal", "a b", "host:", "user@host"} {
		t.Run("what is no entry is refused: "+entry, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, egress.Config{Allow: []string{entry}}.Validate(), egress.ErrAllow)
			_, err := egress.New(egress.Config{Allow: []string{entry}})
			require.ErrorIs(t, err, egress.ErrAllow)
		})
	}
}

func open(t *testing.T, c egress.Config) *egress.Guard {
	t.Helper()
	guard, err := egress.New(c)
	require.NoError(t, err)
	t.Cleanup(guard.Close)

	return guard
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)

	return server
}

type response struct {
	status int
	body   []byte
}

func get(t *testing.T, guard *egress.Guard, url string) (response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := guard.Client().Do(request)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)

	return response{answer.StatusCode, body}, err
}
