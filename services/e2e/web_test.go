package e2e

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

// startAcme runs Hale with one account that is scored.
func startAcme(t *testing.T) *rig.Single {
	t.Helper()
	s := startSingle(t)
	client := &rig.Client{URL: "http://" + s.IngestHTTP + "/v1/events", Key: s.Keys.Ingest, HTTP: http.DefaultClient}
	answer, err := client.Send(t.Context(), []byte(`[
{"id":"1","type":"login","account":"acme","user":"ann","method":"sso"},
{"id":"2","type":"account","account":"acme","name":"Acme","arr":12000.5,"currency":"EUR","seats":4}]`), 2)
	require.NoError(t, err)
	_, err = dialHealth(t, s).ListAccounts(t.Context(), &healthv1.ListAccountsRequest{AtLeast: answer.Token})
	require.NoError(t, err)
	return s
}

// TestConnectWeb reads with Connect's own library for browsers, in Node, over both protocols that browsers speak.
func TestConnectWeb(t *testing.T) {
	t.Parallel()
	s := startAcme(t)
	generated := generateES(t)
	for _, protocol := range []string{"connect", "grpc-web"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			out := runCommand(t, "clients", "node", "hale.mjs", protocol, "http://"+s.QueryHTTP, s.Keys.Admin, generated)
			type refusal struct {
				Code, Reason string
				Fields       []string
			}
			var got struct {
				Account, Band, Method string
				Score                 float64
				Accounts              []string
				Unknown, Invalid      refusal
				Records               int
			}
			require.NoError(t, json.Unmarshal(out, &got), "%s", out)
			require.Equal(t, "acme", got.Account)
			require.Positive(t, got.Score)
			require.NotEmpty(t, got.Band)
			require.Equal(t, []string{"acme"}, got.Accounts)
			require.Equal(t, refusal{"NotFound", "ACCOUNT_NOT_FOUND", []string{}}, got.Unknown)
			require.Equal(t, refusal{"InvalidArgument", "REQUEST_INVALID", []string{"account_id"}}, got.Invalid)
			require.GreaterOrEqual(t, got.Records, 2, "the stream brought both events")
			want := http.MethodPost
			if protocol == "connect" {
				want = http.MethodGet // the read may be cached
			}
			require.Equal(t, want, got.Method)
		})
	}
}

// generateES generates the code for Connect's library beside its packages, which the code imports.
func generateES(t *testing.T) string {
	t.Helper()
	modules, err := filepath.Abs(filepath.Join("clients", "node_modules"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o600))
	template, err := json.Marshal(map[string]any{
		"version": "v2",
		"plugins": []any{map[string]any{
			"local": filepath.Join(modules, ".bin", "protoc-gen-es"), "out": dir, "opt": []string{"target=js", "import_extension=js"},
		}},
	})
	require.NoError(t, err)
	root := filepath.Join("..", "..")
	runCommand(t, root, filepath.Join("scripts", "buf"), "generate", ".", "--template", string(template))
	runCommand(t, root, filepath.Join("scripts", "buf"), "generate", errorDetails(t), "--template", string(template))
	return dir
}

// errorDetails writes the descriptors of google.rpc's error details, which no npm package carries, as an image of buf.
func errorDetails(t *testing.T) string {
	t.Helper()
	var set descriptorpb.FileDescriptorSet
	for _, f := range []protoreflect.FileDescriptor{
		durationpb.File_google_protobuf_duration_proto, errdetails.File_google_rpc_error_details_proto,
	} {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	b, err := proto.Marshal(&set)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "details.binpb")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

// TestCurlRefusals sees what people see who get it wrong with curl.
func TestCurlRefusals(t *testing.T) {
	t.Parallel()
	s := startAcme(t)
	const (
		asJSON = "Content-Type: application/json"
		method = "/hale.health.v1.HealthService/GetHealth"
	)
	key := "Authorization: Bearer " + s.Keys.Query
	for _, c := range []struct {
		name, status, holds string
		args                []string
	}{
		{"a POST of JSON is answered", "200", `"acme"`, []string{"-H", key, "-H", asJSON, "-d", `{"accountId":"acme"}`}},
		{"a GET as well", "200", `"acme"`, []string{
			"-G", "-H", key, "--data-urlencode", `message={"accountId":"acme"}`, "-d", "encoding=json", "-d", "connect=v1",
		}},
		{"bad JSON is", "400", "REQUEST_INVALID", []string{"-H", key, "-H", asJSON, "-d", `{"accountId":`}},
		{"a missing key is", "401", "unauthenticated", []string{"-H", asJSON, "-d", `{"accountId":"acme"}`}},
		{"a key of ingest is", "403", "permission_denied", []string{
			"-H", "Authorization: Bearer " + s.Keys.Ingest, "-H", asJSON, "-d", `{"accountId":"acme"}`,
		}},
		{"an unknown account is", "404", "ACCOUNT_NOT_FOUND", []string{"-H", key, "-H", asJSON, "-d", `{"accountId":"nobody"}`}},
		{"the form that curl sends unasked is", "415", "application/json", []string{"-H", key, "-d", `{"accountId":"acme"}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"-sS", "-w", "\n%{http_code}", "http://" + s.QueryHTTP + method}, c.args...)
			out := string(runCommand(t, ".", "curl", args...))
			require.True(t, strings.HasSuffix(out, "\n"+c.status), out)
			require.Contains(t, out, c.holds)
		})
	}
}

// TestGrpcurl describes the service by reflection and shows an error with its details.
func TestGrpcurl(t *testing.T) {
	t.Parallel()
	s := startAcme(t)
	grpcurl := buildGrpcurl(t)
	const service = "hale.health.v1.HealthService"
	described := string(runCommand(t, ".", grpcurl, "-plaintext", s.QueryGRPC, "describe", service))
	require.Contains(t, described, "rpc WatchHealth")
	require.Contains(t, described, "NO_SIDE_EFFECTS")
	key := "authorization: Bearer " + s.Keys.Query
	out := runCommand(t, ".", grpcurl, "-plaintext", "-H", key, s.QueryGRPC, service+"/ListAccounts")
	require.Contains(t, string(out), `"acme"`)
	refused := failCommand(t, grpcurl, "-plaintext", "-H", key, "-d", `{"account_id":"nobody"}`, s.QueryGRPC, service+"/GetHealth")
	require.Contains(t, refused, "NotFound")
	require.Contains(t, refused, "ACCOUNT_NOT_FOUND")
	refused = failCommand(t, grpcurl, "-plaintext", s.QueryGRPC, service+"/ListAccounts")
	require.Contains(t, refused, "Unauthenticated")
}

// TestGrafana sends what Grafana's Infinity data source sends for a JSON query of type URL, with its parser's root
// selector `accounts`, and reads the rows as it does: flat columns, numbers where charts want numbers.
func TestGrafana(t *testing.T) {
	t.Parallel()
	s := startAcme(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+s.QueryHTTP+"/hale.health.v1.HealthService/ListAccounts", strings.NewReader(`{"pageSize": 1000}`))
	require.NoError(t, err)
	req.Header.Set("User-Agent", "Go-http-client/1.1")
	req.Header.Set("Accept", "application/json;q=0.9,text/plain")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.Keys.Query)
	resp, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	var answer struct{ Accounts []map[string]any }
	require.NoError(t, json.NewDecoder(unzipped(t, resp)).Decode(&answer))
	require.Len(t, answer.Accounts, 1)
	row := answer.Accounts[0]
	for _, column := range []string{"score", "arr", "coverage", "computedScore"} {
		require.IsType(t, float64(0), row[column], column)
	}
	for _, column := range []string{"accountId", "name", "band", "stage", "currency"} {
		require.IsType(t, "", row[column], column)
	}
	require.Equal(t, "4", row["seats"], "the one 64-bit integer, a string as protobuf's JSON has it: docs/clients.md")
	for column, value := range row {
		switch value.(type) {
		case string, float64, bool:
		default:
			require.Contains(t, []string{"dimensions", "measures", "traits"}, column, "the others are flat")
		}
	}
}

// unzipped reads an answer that may be compressed.
func unzipped(t *testing.T, resp *http.Response) io.Reader {
	t.Helper()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return resp.Body
	}
	r, err := gzip.NewReader(resp.Body)
	require.NoError(t, err)
	return r
}
