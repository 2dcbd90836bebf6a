package e2e

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

const (
	killEvents   = 200_000
	killAccounts = 2_000
	killBatch    = 200
	killSenders  = 8
	kills        = 30
	// everySent makes one batch of so many be sent twice on purpose, as a client does that lost an answer.
	everySent = 10
)

// TestKill kills every part while requests are in flight and compares all that is left with the oracle.
//
//nolint:paralleltest // it loads the machine with its own programs, and must have it alone
func TestKill(t *testing.T) {
	t.Run("no event is lost or counted twice though every part is killed", func(t *testing.T) {
		killRun(t, 11, func(c *rig.Cluster, n int) (*rig.Process, func()) {
			return []*rig.Process{c.Ingest, c.Scoring, c.Redis, c.NATS}[n%4], nil
		})
	})
	t.Run("a wiped redis ends with the same scores", func(t *testing.T) {
		killRun(t, 12, func(c *rig.Cluster, n int) (*rig.Process, func()) {
			if n != kills/2 {
				return nil, nil
			}
			return c.Redis, func() { require.NoError(t, os.RemoveAll(c.RedisDir())) }
		})
	})
}

// victim names what to kill at the nth moment, nil for nothing, and what to do while it is down.
type victim func(c *rig.Cluster, n int) (*rig.Process, func())

func killRun(t *testing.T, seed uint64, choose victim) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	c, err := rig.NewCluster(t.TempDir(), programs, rig.Options{SyncAlways: true})
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	require.NoError(t, c.Start(ctx))

	facts := rig.Traffic(seed, killEvents, killAccounts, time.Now())
	client := &rig.Client{URL: "http://" + c.IngestHTTP + "/v1/events", Key: c.Keys.Ingest, HTTP: &http.Client{Timeout: 30 * time.Second}}
	var acked atomic.Int64
	var wait sync.WaitGroup
	wait.Go(func() { killer(ctx, t, c, client, &acked, choose) })
	sendAll(ctx, t, client, facts, &acked)
	wait.Wait()
	for _, p := range []*rig.Process{c.Ingest, c.Scoring, c.Query} {
		require.NoError(t, c.WaitReady(ctx, p))
	}
	totals := settled(ctx, t, c)
	t.Logf("%d events acknowledged (%d requests sent again), %d lost, %d counted twice, %d duplicates removed",
		acked.Load(), client.Retries.Load(), max(0, killEvents-int(totals.Counted)), max(0, int(totals.Counted)-killEvents), totals.Duplicates)
	assert.EqualValues(t, killEvents, totals.Counted, "events counted")
	assert.Zero(t, totals.Rejected, "events rejected")
	assert.GreaterOrEqual(t, totals.Duplicates, uint64(killEvents/everySent/2), "the batches sent twice are seen as duplicates")
	compare(ctx, t, c, facts)
}

// sendAll sends the facts from several clients, some batches twice.
func sendAll(ctx context.Context, t *testing.T, client *rig.Client, facts []rig.Fact, acked *atomic.Int64) {
	t.Helper()
	work := make(chan []rig.Fact)
	var wait sync.WaitGroup
	for range killSenders {
		wait.Go(func() {
			n := 0
			for batch := range work {
				body, err := rig.Body(batch)
				if !assert.NoError(t, err) { //nolint:testifylint // require must not end a goroutine
					continue
				}
				again := 1
				if n++; n%everySent == 0 {
					again = 2
				}
				for range again {
					answer, err := client.Send(ctx, body, len(batch))
					if assert.NoError(t, err) {
						assert.Empty(t, answer.Rejected)
					}
				}
				acked.Add(int64(len(batch)))
			}
		})
	}
	for i := 0; i < len(facts); i += killBatch {
		work <- facts[i:min(i+killBatch, len(facts))]
	}
	close(work)
	wait.Wait()
}

// killer kills at even distances of acknowledged events, while requests are in flight.
func killer(ctx context.Context, t *testing.T, c *rig.Cluster, client *rig.Client, acked *atomic.Int64, choose victim) {
	t.Helper()
	for n := range kills {
		due := int64(killEvents * (n + 1) / (kills + 2))
		err := rig.Until(ctx, func() error {
			if acked.Load() < due || client.InFlight.Load() == 0 {
				return fmt.Errorf("%d events acknowledged, %d in flight", acked.Load(), client.InFlight.Load())
			}
			return nil
		})
		if !assert.NoError(t, err) { //nolint:testifylint // require must not end a goroutine
			return
		}
		p, meanwhile := choose(c, n)
		if p == nil {
			continue
		}
		t.Logf("kill %2d: %-8s at %6d acknowledged, %4d in flight", n+1, p.Name, acked.Load(), client.InFlight.Load())
		p.Kill()
		if meanwhile != nil {
			meanwhile()
		}
		if !assert.NoError(t, c.Restart(ctx, p)) {
			return
		}
	}
}

// settled waits until the counts stand still at the number of events, or do not move any more.
func settled(ctx context.Context, t *testing.T, c *rig.Cluster) rig.Totals {
	t.Helper()
	heads, err := c.Heads(ctx)
	require.NoError(t, err)
	defer heads.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var totals rig.Totals
	err = rig.Until(ctx, func() error {
		var err error
		if totals, err = heads.Totals(ctx); err != nil {
			return err
		}
		if totals.Counted < killEvents {
			return fmt.Errorf("%d of %d events counted", totals.Counted, killEvents)
		}
		return nil
	})
	if err != nil {
		t.Log(err, c.Scoring.Tail())
	}
	return totals
}

// compare asks query for every account and holds it against the oracle.
func compare(ctx context.Context, t *testing.T, c *rig.Cluster, facts []rig.Fact) {
	t.Helper()
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	health := healthv1.NewHealthServiceClient(conn)
	byAccount := map[string][]oracle.Timed{}
	for _, f := range facts {
		e := f.Event()
		byAccount[f.Account] = append(byAccount[f.Account], oracle.Timed{Event: e, Time: e.GetOccurredAt().AsTime().UnixMicro()})
	}
	wrong := 0
	for account, events := range byAccount {
		answer, err := health.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: account})
		require.NoError(t, err)
		today, err := time.Parse(time.DateOnly, answer.GetHealth().GetDay())
		require.NoError(t, err)
		want := oracle.Evaluate(events, oracle.DayOf(today.UnixMicro()), scorecard.Shipped())
		if !agree(t, account, &want, answer.GetHealth()) {
			wrong++
		}
		require.Less(t, wrong, 5, "too many accounts differ")
	}
	t.Logf("%d accounts compared with the oracle, %d differ", len(byAccount), wrong)
	require.Zero(t, wrong)
}

// agree reports whether the answer is the oracle's, to the last micro.
func agree(t *testing.T, account string, want *oracle.Evaluation, got *healthv1.AccountHealth) bool {
	t.Helper()
	ok := assert.Equal(t, want.Score, micros(got.GetScore()), "score of %s", account)
	ok = assert.Equal(t, want.Coverage, micros(got.GetCoverage()), "coverage of %s", account) && ok
	ok = assert.Equal(t, want.Stage, stageName(got.GetStage()), "stage of %s", account) && ok
	ok = assert.Len(t, got.GetDimensions(), len(want.Dimensions), "dimensions of %s", account) && ok
	if !ok {
		return false
	}
	for i, d := range want.Dimensions {
		for j, m := range d.Measures {
			g := got.GetDimensions()[i].GetMeasures()[j]
			what := account + " " + m.Measure.Name()
			ok = assert.Equal(t, m.Measure.Name(), g.GetName()) && ok
			ok = assert.Equal(t, m.Value.Known, g.Value != nil, what) && ok
			ok = assert.Equal(t, m.Value.Micros, micros(g.GetValue()), what+" value") && ok
			ok = assert.Equal(t, m.Points, micros(g.GetPoints()), what+" points") && ok
			ok = assert.Equal(t, m.Contribution, micros(g.GetContribution()), what+" contribution") && ok
		}
	}
	return ok
}

func micros(v float64) int64 { return int64(math.Round(v * 1e6)) }

func stageName(s healthv1.Stage) string {
	return map[healthv1.Stage]string{
		healthv1.Stage_STAGE_ONBOARDING: "onboarding", healthv1.Stage_STAGE_ADOPTING: "adopting",
		healthv1.Stage_STAGE_STEADY: "steady", healthv1.Stage_STAGE_RENEWAL: "renewal", healthv1.Stage_STAGE_CHURNED: "churned",
	}[s]
}
