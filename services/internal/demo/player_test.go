package demo_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/cli/sender"
	"hale.dev/services/internal/demo"
)

// recorder is a server that keeps what it is sent.
type recorder struct {
	mu    sync.Mutex
	lines map[string][]time.Time // by account
	loads map[string]bool
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()

	for s := bufio.NewScanner(q.Body); s.Scan(); {
		var line struct {
			Account, Historical string
			Time                time.Time
		}

		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)

			return
		}

		r.lines[line.Account] = append(r.lines[line.Account], line.Time)
		r.loads[line.Historical] = true
	}

	_, _ = io.WriteString(w, `{"accepted":1,"rejected":[],"token":"t1"}`)
}

func TestPlayer(t *testing.T) {
	t.Parallel()

	t.Run("loads everything, and each account in time order", func(t *testing.T) {
		t.Parallel()

		r := &recorder{lines: map[string][]time.Time{}, loads: map[string]bool{}}
		server := httptest.NewServer(r)
		t.Cleanup(server.Close)

		p := demo.New(demo.Config{Seed: 3, Accounts: 30, Days: 30}, end())
		player := &demo.Player{Sender: &sender.Sender{Client: server.Client(), URL: server.URL, Key: "k"}}

		var told atomic.Int64

		require.NoError(t, player.History(t.Context(), p, "load-1", func(n int) { told.Add(int64(n)) }))
		require.EqualValues(t, p.Size(), told.Load())
		require.Equal(t, map[string]bool{"load-1": true}, r.loads)
		require.Len(t, r.lines, 30)

		for account, times := range r.lines {
			for i := 1; i < len(times); i++ {
				require.False(t, times[i].Before(times[i-1]), account)
			}
		}
	})

	t.Run("ends with the first refusal", func(t *testing.T) {
		t.Parallel()

		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"accepted":0,"rejected":[{"index":0,"code":"too_old","message":"m"}],"token":""}`)
		}))
		t.Cleanup(server.Close)

		p := demo.New(demo.Config{Accounts: 5, Days: 10}, end())
		player := &demo.Player{Sender: &sender.Sender{Client: server.Client(), URL: server.URL}}
		err := player.History(t.Context(), p, "l", func(int) {})
		require.ErrorIs(t, err, demo.ErrRefused)
		require.ErrorContains(t, err, "too_old")
	})

	t.Run("sends live events and returns their token", func(t *testing.T) {
		t.Parallel()

		server := httptest.NewServer(&recorder{lines: map[string][]time.Time{}, loads: map[string]bool{}})
		t.Cleanup(server.Close)

		p := demo.New(demo.Config{Accounts: 5, Days: 10}, end())
		player := &demo.Player{Sender: &sender.Sender{Client: server.Client(), URL: server.URL}}
		token, err := player.Send(t.Context(), p.Live("x").Group(end(), 3)...)
		require.NoError(t, err)
		require.Equal(t, "t1", token)
	})
}
