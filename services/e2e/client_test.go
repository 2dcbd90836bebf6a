package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

func startSingle(t *testing.T, args ...string) *rig.Single {
	t.Helper()
	s, err := rig.NewSingle(t.TempDir(), programs, args...)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(s.Process.Stop)
	return s
}

// TestSegmentClient sends one of each call with Segment's own library through a proxy that fails twice: it answers 503
// to a request that went through, and 429 to one that did not.
func TestSegmentClient(t *testing.T) {
	t.Parallel()
	s := startSingle(t)
	proxy, failures := failingProxy(t, "http://"+s.IngestHTTP)
	out := runCommand(t, "clients", "node", "segment.mjs", proxy, s.Keys.Ingest)
	var said struct{ Calls, Delivered, Failed int }
	require.NoError(t, json.Unmarshal(out, &said), "%s", out)
	require.Equal(t, said.Calls, said.Delivered)
	require.Zero(t, said.Failed)
	require.EqualValues(t, 2, failures.Load(), "both failures were met")

	health := waitHealth(t, s, "acme", func(*healthv1.AccountHealth) bool {
		return counted(t, s, "counted") == said.Calls
	})
	require.Positive(t, counted(t, s, "duplicate"), "the request that was answered 503 came twice")
	require.Equal(t, "Acme", health.GetProfile().GetName())
	require.EqualValues(t, 10, health.GetProfile().GetSeats())
	require.InDelta(t, 20, value(t, health, "active_users"), 0, "ann and bob of 10 seats; ann-before is ann")
	require.InDelta(t, 4, value(t, health, "features_used"), 0, "two tracked, a page, a screen")
	require.InDelta(t, 0, value(t, health, "days_since_seen"), 0)
}

// failingProxy forwards to a service, but answers 503 to the first request after it went through, and 429 to the
// second before.
func failingProxy(t *testing.T, to string) (string, *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(target)
	var requests, failures atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch requests.Add(1) {
		case 1:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			failures.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2: // the second
			_, _ = io.Copy(io.Discard, r.Body)
			failures.Add(1)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, &failures
}

// TestCurl sends every kind of event in the native JSON with curl and reads the score with grpcurl and curl.
func TestCurl(t *testing.T) {
	t.Parallel()
	s := startSingle(t)
	now := time.Now().UTC().Format(time.RFC3339)
	body := `[
{"id":"1","type":"usage","account":"acme","user":"ann","time":"` + now + `","feature":"reports","quantity":2.5},
{"id":"2","type":"login","account":"acme","user":"ann","method":"sso"},
{"id":"3","type":"ticket","account":"acme","ticket":"T-1","action":"opened","severity":"urgent"},
{"id":"4","type":"survey","account":"acme","user":"ann","survey":"nps","action":"answered","score":9},
{"id":"5","type":"account","account":"acme","name":"Acme","arr":12000.5,"currency":"EUR","seats":4,"renewal_date":"2027-01-31"},
{"id":"6","type":"user","account":"acme","user":"ann","role":"champion"},
{"id":"7","type":"interaction","account":"acme","kind":"meeting","pulse":4},
{"id":"8","type":"ticket","account":"acme","ticket":"T-2","action":"opened","severity":"dire"}]`
	out := runCommand(t, ".", "curl", "-sS", "http://"+s.IngestHTTP+"/v1/events", "-H", "Authorization: Bearer "+s.Keys.Ingest,
		"-H", "Content-Type: application/json", "-d", body)
	var answer rig.Answer
	require.NoError(t, json.Unmarshal(out, &answer), "%s", out)
	require.Equal(t, 7, answer.Accepted)
	require.Len(t, answer.Rejected, 1)
	require.Equal(t, 7, answer.Rejected[0].Index)
	require.Equal(t, "8", answer.Rejected[0].MessageID)
	require.NotEmpty(t, answer.Rejected[0].Code)

	t.Run("grpcurl lists the services and reads the score", func(t *testing.T) {
		grpcurl := buildGrpcurl(t)
		list := runCommand(t, ".", grpcurl, "-plaintext", s.QueryGRPC, "list")
		require.Contains(t, string(list), "hale.health.v1.HealthService")
		require.Contains(t, string(list), "grpc.health.v1.Health")
		out := runCommand(t, ".", grpcurl, "-plaintext", "-H", "authorization: Bearer "+s.Keys.Query,
			"-d", `{"account_id":"acme","at_least":"`+answer.Token+`"}`, s.QueryGRPC, "hale.health.v1.HealthService/GetHealth")
		requireAcme(t, out)
	})
	t.Run("curl reads the score as JSON", func(t *testing.T) {
		out := runCommand(t, ".", "curl", "-sS", "http://"+s.QueryHTTP+"/hale.health.v1.HealthService/GetHealth",
			"-H", "Authorization: Bearer "+s.Keys.Query, "-H", "Content-Type: application/json",
			"-d", `{"account_id":"acme","at_least":"`+answer.Token+`"}`)
		requireAcme(t, out)
	})
	t.Run("the refused event is listed", func(t *testing.T) {
		out := runCommand(t, ".", "curl", "-sS", "http://"+s.QueryHTTP+"/hale.health.v1.HealthService/ListRejects",
			"-H", "Authorization: Bearer "+s.Keys.Query, "-H", "Content-Type: application/json", "-d", "{}")
		require.Contains(t, string(out), `"8"`)
		require.Contains(t, string(out), answer.Rejected[0].Code)
	})
}

func requireAcme(t *testing.T, out []byte) {
	t.Helper()
	var got struct {
		Health struct {
			Score   float64
			Profile struct{ Name, Currency string }
		}
	}
	require.NoError(t, json.Unmarshal(out, &got), "%s", out)
	require.Positive(t, got.Health.Score)
	require.Equal(t, "Acme", got.Health.Profile.Name)
	require.Equal(t, "EUR", got.Health.Profile.Currency)
}

// TestRestart stops and kills `hale run` and starts it again on the same data.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := startSingle(t)
	client := &rig.Client{URL: "http://" + s.IngestHTTP + "/v1/events", Key: s.Keys.Ingest, HTTP: http.DefaultClient}
	send := func(seed uint64) []string {
		var tokens []string
		facts := rig.Traffic(seed, 2000, 50, time.Now())
		for i := 0; i < len(facts); i += 500 {
			body, err := rig.Body(facts[i : i+500])
			require.NoError(t, err)
			answer, err := client.Send(t.Context(), body, 500)
			require.NoError(t, err)
			require.Empty(t, answer.Rejected)
			tokens = append(tokens, answer.Token)
		}
		return tokens
	}
	for i, end := range []func(){s.Process.Stop, s.Process.Kill} {
		tokens := send(uint64(i))
		before := everyScore(t, s, tokens)
		end()
		begun := time.Now()
		require.NoError(t, s.Start(t.Context()))
		t.Logf("ready again after %s", time.Since(begun).Round(time.Millisecond))
		require.JSONEq(t, before, everyScore(t, s, nil))
	}
}

// everyScore returns all scores, explained, with the writes of the tokens in them.
func everyScore(t *testing.T, s *rig.Single, tokens []string) string {
	t.Helper()
	health := dialHealth(t, s)
	for _, token := range tokens {
		_, err := health.ListAccounts(t.Context(), &healthv1.ListAccountsRequest{AtLeast: token})
		require.NoError(t, err)
	}
	all := map[string]any{}
	for i := range 50 {
		id := "account-" + strconv.Itoa(i)
		answer, err := health.GetHealth(t.Context(), &healthv1.GetHealthRequest{AccountId: id})
		require.NoError(t, err)
		answer.GetHealth().AsOf = nil
		all[id] = answer.GetHealth()
	}
	b, err := json.Marshal(all)
	require.NoError(t, err)
	return string(b)
}

func dialHealth(t *testing.T, s *rig.Single) healthv1.HealthServiceClient {
	t.Helper()
	conn, err := rig.Dial(s.QueryGRPC, s.Keys.Query)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return healthv1.NewHealthServiceClient(conn)
}

// waitHealth returns an account's health once it is as wanted.
func waitHealth(t *testing.T, s *rig.Single, account string, wanted func(*healthv1.AccountHealth) bool) *healthv1.AccountHealth {
	t.Helper()
	health := dialHealth(t, s)
	var got *healthv1.AccountHealth
	require.Eventually(t, func() bool {
		answer, err := health.GetHealth(t.Context(), &healthv1.GetHealthRequest{AccountId: account})
		got = answer.GetHealth()
		return err == nil && wanted(got)
	}, 20*time.Second, 50*time.Millisecond)
	return got
}

// counted reads how many events were folded with a result from the metrics.
func counted(t *testing.T, s *rig.Single, result string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Admin+"/metrics", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^hale_scoring_events_total\{[^}]*result="` + result + `"[^}]*\} (\d+)`).FindSubmatch(b)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return n
}

func value(t *testing.T, h *healthv1.AccountHealth, measure string) float64 {
	t.Helper()
	for _, d := range h.GetDimensions() {
		for _, m := range d.GetMeasures() {
			if m.GetName() == measure {
				return m.GetValue()
			}
		}
	}
	require.Fail(t, "no such measure", measure)
	return 0
}

// runCommand runs a program in a folder of this package and returns what it prints.
func runCommand(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %v: %s%s", name, args, out, stderr.String())
	return out
}

// failCommand runs a program that must fail, and returns what it prints.
func failCommand(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, "%s", out)
	return string(out)
}

// buildGrpcurl builds the version that scripts/go.mod pins.
func buildGrpcurl(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "grpcurl")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, "github.com/fullstorydev/grpcurl/cmd/grpcurl")
	cmd.Dir = filepath.Join("..", "..", "scripts")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	b, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", b)
	return out
}
