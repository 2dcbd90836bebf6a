package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

// pays sends what an account pays, and returns the token of it.
func pays(t *testing.T, s *rig.Single, account string, arr int) string {
	t.Helper()
	client := &rig.Client{URL: "http://" + s.IngestHTTP + "/v1/events", Key: s.Keys.Ingest, HTTP: http.DefaultClient}
	n := strconv.Itoa(arr)
	answer, err := client.Send(t.Context(), []byte(`[{"id":"`+account+n+`","type":"account","account":"`+account+`","arr":`+n+`}]`), 1)
	require.NoError(t, err)
	require.Empty(t, answer.Rejected)
	return answer.Token
}

// TestConnectWebWatches watches with Connect's own library for browsers, in Node, over both protocols that browsers
// speak: a snapshot, changes, a heartbeat, and on from its token after the connection was lost.
func TestConnectWebWatches(t *testing.T) {
	t.Parallel()
	s := startSingle(t)
	generated := generateES(t)
	for _, protocol := range []string{"connect", "grpc-web"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			_, err := dialHealth(t, s).ListAccounts(t.Context(), &healthv1.ListAccountsRequest{AtLeast: pays(t, s, protocol, 12_000)})
			require.NoError(t, err)
			out := runCommand(t, "clients", "node", "watch.mjs", protocol, "http://"+s.QueryHTTP, s.Keys.Query, generated,
				"http://"+s.IngestHTTP, s.Keys.Ingest, protocol)
			var got struct {
				Snapshot, Updated, Missed, Left []string
				Token, Lost                     string
				Resets                          int
			}
			require.NoError(t, json.Unmarshal(out, &got), "%s", out)
			require.Equal(t, []string{"SNAPSHOT"}, got.Snapshot)
			require.Equal(t, []string{"UPDATED"}, got.Updated)
			require.NotEmpty(t, got.Token, "a heartbeat came, with a token")
			require.Equal(t, "ConnectError", got.Lost)
			require.Equal(t, []string{"UPDATED"}, got.Missed, "what happened without it came first")
			require.Equal(t, []string{"LEFT"}, got.Left)
			require.Zero(t, got.Resets)
		})
	}
}

// watchPart is what curl is told of a watch.
type watchPart struct {
	Reset, SnapshotComplete bool
	ResumeToken             string
	Changes                 []struct {
		Kind    string
		Account struct {
			AccountID string `json:"accountId"`
			ARR       float64
		}
	}
}

// curlWatch is a WatchHealth that curl runs.
type curlWatch struct {
	t    *testing.T
	out  io.Reader
	stop func()
}

// startCurlWatch sends JSON in the frame that Connect gives the messages of streams: a byte of flags, four of length.
func startCurlWatch(t *testing.T, s *rig.Single, request string) *curlWatch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, "curl", "-sS", "-N", "http://"+s.QueryHTTP+"/hale.health.v1.HealthService/WatchHealth",
		"-H", "Authorization: Bearer "+s.Keys.Query, "-H", "Content-Type: application/connect+json", "--data-binary", "@-")
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request)))
	cmd.Stdin = bytes.NewReader(append(frame, request...))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	w := &curlWatch{t: t, out: out, stop: func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}}
	t.Cleanup(w.stop)
	return w
}

// next reads a part.
func (w *curlWatch) next() *watchPart {
	w.t.Helper()
	var head [5]byte
	_, err := io.ReadFull(w.out, head[:])
	require.NoError(w.t, err)
	body := make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err = io.ReadFull(w.out, body)
	require.NoError(w.t, err)
	require.Zero(w.t, head[0], "the stream goes on: %s", body)
	part := new(watchPart)
	require.NoError(w.t, json.Unmarshal(body, part), "%s", body)
	return part
}

// until reads parts until one tells of the account what is wanted.
func (w *curlWatch) until(account, kind string, arr float64) *watchPart {
	w.t.Helper()
	for {
		part := w.next()
		require.False(w.t, part.Reset)
		for _, c := range part.Changes {
			if c.Account.AccountID == account && c.Kind == kind && c.Account.ARR == arr {
				return part
			}
		}
	}
}

// TestCurlWatches reads a stream as JSON over HTTP.
func TestCurlWatches(t *testing.T) {
	t.Parallel()
	s := startAcme(t)
	w := startCurlWatch(t, s, `{"snapshot":true}`)
	require.True(t, w.until("acme", "KIND_SNAPSHOT", 12000.5).SnapshotComplete)
	pays(t, s, "acme", 20_000)
	token := w.until("acme", "KIND_UPDATED", 20_000).ResumeToken
	require.NotEmpty(t, token)
	w.stop()
	pays(t, s, "acme", 30_000)
	w = startCurlWatch(t, s, `{"resumeToken":"`+token+`"}`)
	w.until("acme", "KIND_UPDATED", 30_000)
	w.stop()
	w = startCurlWatch(t, s, `{}`)
	heartbeat := w.next()
	require.Empty(t, heartbeat.Changes, "without a snapshot a heartbeat comes at once")
	require.NotEmpty(t, heartbeat.ResumeToken)
}
