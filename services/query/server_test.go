package query_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/listener"
	"hale.dev/services/internal/listener/listenertest"
	"hale.dev/services/query"
)

// post calls the HTTP listener.
func (w *world) post(path, contentType, key string, body []byte) (*http.Response, []byte) {
	w.tb.Helper()

	req, err := http.NewRequestWithContext(w.tb.Context(), http.MethodPost, "http://"+w.http+path, bytes.NewReader(body))
	require.NoError(w.tb, err)
	req.Header.Set("Content-Type", contentType)

	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}

	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.tb, err)

	defer func() { require.NoError(w.tb, resp.Body.Close()) }()

	answer, err := io.ReadAll(resp.Body)
	require.NoError(w.tb, err)

	return resp, answer
}

func TestHTTP(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))

	const method = "/hale.health.v1.HealthService/GetHealth"

	key := w.keys[access.RoleViewer]

	t.Run("answers JSON, as curl sends it", func(t *testing.T) {
		t.Parallel()

		resp, body := w.post(method, "application/json; charset=utf-8", key, []byte(`{"account_id":"acme"}`))
		require.Equal(t, http.StatusOK, resp.StatusCode, string(body))

		var got struct {
			Health struct {
				AccountID  string  `json:"accountId"`
				Score      float64 `json:"score"`
				Band       string  `json:"band"`
				Dimensions []struct {
					Name string `json:"name"`
				} `json:"dimensions"`
			} `json:"health"`
		}

		require.NoError(t, json.Unmarshal(body, &got))
		require.Equal(t, "acme", got.Health.AccountID)
		require.Positive(t, got.Health.Score)
		require.NotEmpty(t, got.Health.Dimensions)
	})

	t.Run("answers errors with code and reason", func(t *testing.T) {
		t.Parallel()

		for _, c := range []struct {
			key, body string
			status    int
			code      string
		}{
			{"", `{"accountId":"acme"}`, http.StatusUnauthorized, "unauthenticated"},
			{w.keys[access.RoleIngest], `{"accountId":"acme"}`, http.StatusForbidden, "permission_denied"},
			{key, `{"accountId":"nobody"}`, http.StatusNotFound, "not_found"},
			{key, `{}`, http.StatusBadRequest, "invalid_argument"},
			{key, `{"accountId":`, http.StatusBadRequest, "invalid_argument"},
		} {
			resp, body := w.post(method, "application/json", c.key, []byte(c.body))
			require.Equal(t, c.status, resp.StatusCode, string(body))

			var got struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			}

			require.NoError(t, json.Unmarshal(body, &got), string(body))
			require.Equal(t, c.code, got.Code)
		}

		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/grpc-web-text"} {
			resp, _ := w.post(method, kind, key, []byte(`{}`))
			require.Equal(t, http.StatusUnsupportedMediaType, resp.StatusCode, kind)
		}

		resp, _ := w.post("/hale.health.v1.HealthService/Nothing", "application/json", key, []byte(`{}`))
		require.Equal(t, http.StatusNotFound, resp.StatusCode)
	})

	t.Run("answers gRPC-Web", func(t *testing.T) {
		t.Parallel()

		message, err := proto.Marshal(&healthv1.GetHealthRequest{AccountId: "acme"})
		require.NoError(t, err)

		frame := append([]byte{0, 0, 0, 0, byte(len(message))}, message...)
		resp, body := w.post(method, "application/grpc-web+proto", key, frame)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Greater(t, len(body), 5)

		var got healthv1.GetHealthResponse

		size := int(body[3])<<8 | int(body[4])
		require.NoError(t, proto.Unmarshal(body[5:5+size], &got))
		require.Equal(t, "acme", got.GetHealth().GetAccountId())
	})

	t.Run("answers gRPC as well", func(t *testing.T) {
		t.Parallel()

		over := &world{tb: t, grpc: w.http, keys: w.keys}
		got, err := over.health().GetHealth(over.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
		require.NoError(t, err)
		require.Equal(t, "acme", got.GetHealth().GetAccountId())
	})
}

func TestOpenServices(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	conn := w.dial()

	t.Run("health follows readiness, without a key", func(t *testing.T) {
		t.Parallel()

		for _, name := range []string{"", "hale.health.v1.HealthService", "hale.admin.v1.AdminService"} {
			require.Eventually(t, func() bool {
				got, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(),
					&grpc_health_v1.HealthCheckRequest{Service: name})

				return err == nil && got.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING
			}, patience, 10*time.Millisecond)
		}
	})

	t.Run("reflection lists the services, without a key", func(t *testing.T) {
		t.Parallel()

		stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&grpc_reflection_v1.ServerReflectionRequest{
			MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{},
		}))

		got, err := stream.Recv()
		require.NoError(t, err)

		var names []string
		for _, s := range got.GetListServicesResponse().GetService() {
			names = append(names, s.GetName())
		}

		require.Contains(t, names, "hale.health.v1.HealthService")
		require.Contains(t, names, "hale.admin.v1.AdminService")
		require.NoError(t, stream.CloseSend())
	})
}

func TestHealthSaysNotServing(t *testing.T) {
	t.Parallel()

	w := prepare(t, failing{openMemory(t)})
	w.run()

	got, err := grpc_health_v1.NewHealthClient(w.dial()).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, grpc_health_v1.HealthCheckResponse_NOT_SERVING, got.GetStatus())
}

func TestConfig(t *testing.T) {
	t.Parallel()

	require.NoError(t, query.Config{}.Validate())
	require.NoError(t, query.Config{GRPC: "localhost:1", HTTP: "[::1]:2"}.Validate())
	require.NoError(t, query.Config{GRPC: "0.0.0.0:1", Insecure: true}.Validate())
	cert, key := listenertest.New(t).Issue(t, t.TempDir(), 1)
	require.NoError(t, query.Config{GRPC: ":1", TLSCert: cert, TLSKey: key}.Validate())
	require.ErrorContains(t, query.Config{TLSCert: "c", TLSKey: "k"}.Validate(), "reading the certificate")
	require.ErrorIs(t, query.Config{TLSClientCA: cert}.Validate(), listener.ErrClientCA)

	require.ErrorIs(t, query.Config{GRPC: "0.0.0.0:1"}.Validate(), query.ErrInsecure)
	require.ErrorIs(t, query.Config{HTTP: ":1"}.Validate(), query.ErrInsecure)
	require.ErrorIs(t, query.Config{HTTP: "example.com:1"}.Validate(), query.ErrInsecure)
	require.ErrorIs(t, query.Config{TLSCert: "c"}.Validate(), listener.ErrPair)
	require.ErrorIs(t, query.Config{MaxWait: -1}.Validate(), query.ErrNegative)
	require.Error(t, query.Config{GRPC: "nonsense"}.Validate())

	_, err := query.New(query.Config{MaxWait: -1}, query.Deps{})
	require.ErrorIs(t, err, query.ErrNegative)
}

func TestTLS(t *testing.T) {
	t.Parallel()

	ours, theirs := listenertest.New(t), listenertest.New(t)
	cert, key := ours.Issue(t, t.TempDir(), 1)
	w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) {
		c.TLSCert, c.TLSKey, c.TLSClientCA = cert, key, ours.File
	})
	w.score(home, "acme", noon(), 0, used("acme"))

	get := func(address string, client *tls.Config) error {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(client)))
		require.NoError(t, err)

		_, err = healthv1.NewHealthServiceClient(conn).GetHealth(w.as(access.RoleViewer),
			&healthv1.GetHealthRequest{AccountId: "acme"})
		require.NoError(t, conn.Close())

		return err
	}

	for _, address := range []string{w.grpc, w.http} {
		require.NoError(t, get(address, ours.Client(t, ours)))
		require.Error(t, get(address, ours.Client(t, nil)), "a key alone does not open it")
		require.Error(t, get(address, ours.Client(t, theirs)))
	}

	_, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: "acme"})
	require.Error(t, err, "without TLS nothing is answered")
}

func TestAnErrorOfTheServiceIsTyped(t *testing.T) {
	t.Parallel()

	e := &query.Error{
		Code: codes.InvalidArgument, Reason: "SOME_REASON", Message: "why",
		Violations: []query.Violation{{Field: "a.b", Code: "c", Message: "m"}},
	}
	require.ErrorContains(t, e, "why")
	require.Equal(t, []string{"a.b"}, requireError(t, e.GRPCStatus().Err(), codes.InvalidArgument, "SOME_REASON"))
}
