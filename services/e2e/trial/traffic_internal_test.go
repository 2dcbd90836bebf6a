package trial

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/rig"
)

func newTestTraffic(clock *rig.Clock) *traffic {
	return &traffic{seed: 7, accounts: 20, base: time.Now(), clock: clock, current: -1}
}

// taker is an ingest that takes every other request, and remembers how often each event came.
type taker struct {
	mu       sync.Mutex
	requests int
	seen     map[string]int
}

func (k *taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.requests++; k.requests%2 == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var facts []rig.Fact
	if err := json.NewDecoder(r.Body).Decode(&facts); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, f := range facts {
		k.seen[f.ID]++
	}
	_ = json.NewEncoder(w).Encode(rig.Answer{Accepted: len(facts)})
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	t.Run("all batches are sent until they are accepted, some twice, and made again the same", func(t *testing.T) {
		t.Parallel()
		ingest := &taker{seen: map[string]int{}}
		server := httptest.NewServer(ingest)
		t.Cleanup(server.Close)
		traffic := newTestTraffic(&rig.Clock{})
		for range 2 {
			traffic.clients = append(traffic.clients, &rig.Client{
				URL: "http://127.0.0.1:1", Others: []string{server.URL}, HTTP: &http.Client{Transport: &http.Transport{}},
			})
		}
		until, stop := context.WithCancel(t.Context())
		defer stop()
		done := make(chan error, 1)
		go func() { done <- traffic.run(t.Context(), until, 100_000) }()
		require.Eventually(t, func() bool { return traffic.acked.Load() >= 12*batchFacts }, 10*time.Second, time.Millisecond)
		stop()
		require.NoError(t, <-done)

		log := inLog{}
		twice := 0
		for id, n := range ingest.seen {
			log[id] = 1
			if n == 2 {
				twice++
			}
		}
		l := traffic.ledger(log)
		require.Len(t, ingest.seen, l.acknowledged)
		require.Equal(t, l.acknowledged, l.count)
		require.Empty(t, l.missing)
		require.EqualValues(t, twice, traffic.again.Load())
		require.Positive(t, twice)
		retries, unknown := traffic.outcomes()
		require.Positive(t, unknown, "one of the addresses never answers")
		require.Greater(t, retries, unknown)
	})
	t.Run("what a client was promised and the log has not is missing", func(t *testing.T) {
		t.Parallel()
		traffic := newTestTraffic(&rig.Clock{})
		promised, not := traffic.next(), traffic.next()
		promised.acked.Store(true)
		log := inLog{}
		for _, f := range append(traffic.facts(promised)[1:], traffic.facts(not)[:3]...) {
			log[f.ID] = 1
		}
		l := traffic.ledger(log)
		require.Equal(t, []string{traffic.facts(promised)[0].ID}, l.missing)
		require.Equal(t, batchFacts, l.acknowledged)
		require.Equal(t, batchFacts-1+3, l.count, "what is in the log counts, promised or not")
	})
	t.Run("a wrong clock moves the events", func(t *testing.T) {
		t.Parallel()
		var clock rig.Clock
		traffic := newTestTraffic(&clock)
		clock.Step(-5 * 24 * time.Hour)
		b := traffic.next()
		clock.Step(0)
		require.True(t, traffic.next().made.IsZero())
		for _, f := range traffic.facts(b) {
			at := f.Event().GetOccurredAt().AsTime()
			require.InDelta(t, -5*24*time.Hour, time.Until(at), float64(time.Minute))
		}
		once := traffic.facts(b)
		require.Equal(t, once, traffic.facts(b))
	})
}
