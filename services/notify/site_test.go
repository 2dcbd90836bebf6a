package notify_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// site is a receiver of HTTP on this machine.
type site struct {
	*httptest.Server

	now    func() time.Time
	answer func(call int, r *http.Request) int // status; nil: 200

	mu    sync.Mutex
	calls []siteCall
}

// siteCall is a request that it got.
type siteCall struct {
	at   time.Time
	id   string // of the notification
	body []byte
}

func (w *world) newSite(answer func(call int, r *http.Request) int) *site {
	s := &site{now: w.clock.Now, answer: answer}
	s.Server = httptest.NewServer(s)
	w.t.Cleanup(s.Close)

	return s
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)

	s.mu.Lock()
	s.calls = append(s.calls, siteCall{at: s.now(), id: r.Header.Get("Webhook-Id"), body: body})
	n := len(s.calls)
	s.mu.Unlock()

	if s.answer != nil {
		w.WriteHeader(s.answer(n, r))
	}
}

func (s *site) all() []siteCall {
	s.mu.Lock()
	defer s.mu.Unlock()

	return append([]siteCall(nil), s.calls...)
}

// real lets the world's processes send for real, to this machine.
func (w *world) real() {
	folder := w.t.TempDir()
	require.NoError(w.t, os.WriteFile(filepath.Join(folder, "key"), []byte("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="), 0o600))

	w.config.EgressAllow, w.config.Secrets = []string{"127.0.0.1"}, folder
}

// eventually waits for something.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, patience, 2*time.Millisecond, what)
}
