package sender_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/cli/sender"
)

// serve starts a server that gives the answers one after another, the last for ever.
func serve(t *testing.T, answers ...http.HandlerFunc) (s *sender.Sender, calls *atomic.Int64) {
	t.Helper()

	calls = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(int(calls.Add(1)), len(answers))
		answers[n-1](w, r)
	}))
	t.Cleanup(server.Close)

	return &sender.Sender{Client: server.Client(), URL: server.URL, Key: "k1", Patience: time.Minute}, calls
}

func good(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"accepted":2,"rejected":[{"index":1,"message_id":"m","field":"f","code":"c","message":"x"}],"token":"t"}`)
}

func refuse(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestSend(t *testing.T) {
	t.Parallel()

	t.Run("sends the key and the body, and reads the answer", func(t *testing.T) {
		t.Parallel()

		s, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != "{}\n" || r.Header.Get("Authorization") != "Bearer k1" ||
				r.Header.Get("Content-Type") != "application/x-ndjson" || r.URL.Path != "/v1/events" {
				w.WriteHeader(http.StatusTeapot)

				return
			}

			good(w, r)
		})
		answer, err := s.Send(t.Context(), []byte("{}\n"), true)
		require.NoError(t, err)
		require.Equal(t, sender.Answer{
			Accepted: 2, Token: "t",
			Rejected: []sender.Rejection{{Index: 1, MessageID: "m", Field: "f", Code: "c", Message: "x"}},
		}, answer)
	})

	t.Run("tries again while the server is busy", func(t *testing.T) {
		t.Parallel()

		s, calls := serve(t, refuse(http.StatusServiceUnavailable, ""), refuse(http.StatusTooManyRequests, ""), good)
		_, err := s.Send(t.Context(), []byte("{}"), false)
		require.NoError(t, err)
		require.EqualValues(t, 3, calls.Load())
	})

	t.Run("gives up when its patience ends", func(t *testing.T) {
		t.Parallel()

		s, calls := serve(t, refuse(http.StatusServiceUnavailable, `{"code":"log_full","message":"the log is full"}`))
		s.Patience = 0
		_, err := s.Send(t.Context(), []byte("{}"), false)
		require.ErrorContains(t, err, "the server answered 503: the log is full (log_full)")
		require.EqualValues(t, 1, calls.Load())
	})

	t.Run("does not repeat what is refused for good", func(t *testing.T) {
		t.Parallel()

		s, calls := serve(t, refuse(http.StatusUnauthorized, "not JSON"))
		_, err := s.Send(t.Context(), []byte("{}"), false)

		var refusal *sender.Error

		require.ErrorAs(t, err, &refusal)
		require.Equal(t, http.StatusUnauthorized, refusal.Status)
		require.ErrorContains(t, err, "Unauthorized")
		require.EqualValues(t, 1, calls.Load())
	})

	t.Run("says that the server is unreachable", func(t *testing.T) {
		t.Parallel()

		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()

		s := &sender.Sender{Client: &http.Client{}, URL: server.URL}
		_, err := s.Send(t.Context(), []byte("{}"), false)
		require.ErrorIs(t, err, sender.ErrUnreachable)
	})

	t.Run("ends when its context ends", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		s, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			cancel()
			refuse(http.StatusServiceUnavailable, "")(w, r)
		})
		_, err := s.Send(ctx, []byte("{}"), false)
		require.ErrorIs(t, err, context.Canceled)
	})

	t.Run("an answer that is no JSON is an error", func(t *testing.T) {
		t.Parallel()

		s, _ := serve(t, refuse(http.StatusOK, "<html>"))
		_, err := s.Send(t.Context(), []byte("{}"), false)
		require.ErrorContains(t, err, "reading the answer")
	})
}
