//go:build clients

package ingest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSegmentsOwnClient runs Segment's Node client, which nobody here wrote. On its way stand a 429, a 503 before the
// service and a 503 after it took the batch: every call must be in the log under one message id, whatever came back.
// It needs node, and `npm ci` in testdata/client.
func TestSegmentsOwnClient(t *testing.T) {
	t.Parallel()

	const tracks, others = 200, 6

	b := newBundle(t, Config{Now: time.Now})

	var requests, refused atomic.Int64

	inner := b.service.Handler()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch requests.Add(1) {
		case 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 4:
			inner.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			rec := httptest.NewRecorder()
			inner.ServeHTTP(rec, r)

			var a segmentAnswer
			if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != http.StatusOK {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}

			refused.Add(int64(len(a.Rejected)))
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		}
	}))
	t.Cleanup(proxy.Close)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	cmd := exec.CommandContext(ctx, "node", "client.mjs")
	cmd.Dir = "testdata/client"
	cmd.Env = append(os.Environ(), "HALE_URL="+proxy.URL, "HALE_KEY="+b.ingest)

	out, err := cmd.Output()
	require.NoError(t, err, "is testdata/client installed? npm ci")

	var said struct{ Delivered, Failed int }

	require.NoError(t, json.Unmarshal(out, &said))
	require.Equal(t, tracks+others, said.Delivered)
	require.Zero(t, said.Failed)

	// Batches overtake each other when one is tried again, so some may have come before their user was known.
	require.Eventually(t, func() bool { return len(b.kept(CodeUnknownUser)) == 0 }, patience, 10*time.Millisecond)

	var (
		seen     = make(map[string]bool)
		kinds    = make(map[string]int)
		quantity int64
		repeated int
	)

	for _, r := range b.records() {
		e := r.GetEvent()
		require.Equal(t, "acme", e.GetAccountId())

		if seen[e.GetMessageId()] {
			repeated++

			continue
		}

		seen[e.GetMessageId()] = true
		kinds[kindOf(e).String()]++

		if e.GetUsage().GetFeature() == "Report Exported" {
			quantity += e.GetUsage().GetQuantityMicros() / micro
		}
	}

	require.Equal(t, map[string]int{"usage": tracks + 2, "account": 1, "user": 2, "login": 1}, kinds)
	require.Equal(t, int64(tracks*(tracks-1)/2), quantity, "each once")
	require.Positive(t, repeated, "the batch whose answer was lost came again")
	t.Logf("%d requests, %d events repeated, %d waited for their user", requests.Load(), repeated, refused.Load())
}
