package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

const (
	watchEvents   = 20_000
	watchAccounts = 300
	watchKills    = 5
)

// watched is what a client of WatchHealth knows.
type watched struct {
	filter string
	held   map[string]*healthv1.AccountSummary
	coming map[string]*healthv1.AccountSummary // by a snapshot; nil: none is under way
	token  string
	// connections and resets are how often it began, and how often anew.
	connections atomic.Int64
	resets      int
}

// follow takes what comes until the stream ends or enough says so.
func (w *watched) follow(ctx context.Context, client healthv1.HealthServiceClient, enough func() bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.WatchHealth(ctx, &healthv1.WatchHealthRequest{
		Filter: w.filter, Snapshot: true, ResumeToken: w.token,
	})
	if err != nil {
		return err
	}
	w.coming = nil
	if w.token == "" {
		w.coming = map[string]*healthv1.AccountSummary{}
	}
	for begun := false; ; {
		part, err := stream.Recv()
		if err != nil {
			return err
		}
		if !begun {
			w.connections.Add(1)
			begun = true
		}
		w.apply(part)
		if w.coming == nil && enough() {
			return nil
		}
	}
}

func (w *watched) apply(part *healthv1.WatchHealthResponse) {
	if part.GetReset_() {
		w.coming = map[string]*healthv1.AccountSummary{}
		w.resets++
	}
	for _, c := range part.GetChanges() {
		id := c.GetAccount().GetAccountId()
		switch c.GetKind() {
		case healthv1.AccountChange_KIND_SNAPSHOT:
			w.coming[id] = c.GetAccount()
		case healthv1.AccountChange_KIND_ENTERED, healthv1.AccountChange_KIND_UPDATED:
			w.held[id] = c.GetAccount()
		case healthv1.AccountChange_KIND_LEFT:
			delete(w.held, id)
		case healthv1.AccountChange_KIND_UNSPECIFIED:
		}
	}
	if part.GetSnapshotComplete() {
		w.held, w.coming = w.coming, nil
	}
	if t := part.GetResumeToken(); t != "" {
		w.token = t
	}
}

// differs says in what the watcher does not know what a list with its filter gives.
func (w *watched) differs(ctx context.Context, client healthv1.HealthServiceClient) error {
	list, err := client.ListAccounts(ctx, &healthv1.ListAccountsRequest{Filter: w.filter, PageSize: 1000})
	if err != nil {
		return err
	}
	if len(list.GetAccounts()) != len(w.held) {
		return fmt.Errorf("%d accounts are known, %d listed", len(w.held), len(list.GetAccounts()))
	}
	for _, a := range list.GetAccounts() {
		if !proto.Equal(a, w.held[a.GetAccountId()]) {
			return fmt.Errorf("%v is known as %v", a, w.held[a.GetAccountId()])
		}
	}
	return nil
}

// TestWatchOutlivesItsServer kills the query process while it is watched and events come in.
//
//nolint:paralleltest // it loads the machine with its own programs, and must have it alone
func TestWatchOutlivesItsServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, err := rig.NewCluster(t.TempDir(), programs, rig.Options{})
	require.NoError(t, err)
	t.Cleanup(c.Stop)
	require.NoError(t, c.Start(ctx))
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	client := healthv1.NewHealthServiceClient(conn)

	w := &watched{filter: "score < 60 OR coverage < 50", held: map[string]*healthv1.AccountSummary{}}
	over := make(chan struct{})
	go func() {
		defer close(over)
		sendAndKill(ctx, t, c, &w.connections)
	}()
	require.NoError(t, rig.Until(ctx, func() error {
		return w.follow(ctx, client, func() bool {
			select {
			case <-over:
				return w.differs(ctx, client) == nil
			default:
				return false
			}
		})
	}))
	require.NotEmpty(t, w.held)
	t.Logf("%d accounts known after %d connections and %d resets", len(w.held), w.connections.Load(), w.resets)
}

// sendAndKill sends events part by part, kills the query process in the middle of each part while it is watched, and
// returns when all are in the scores.
func sendAndKill(ctx context.Context, t *testing.T, c *rig.Cluster, connections *atomic.Int64) {
	t.Helper()
	sender := &rig.Client{
		URL: "http://" + c.IngestHTTP + "/v1/events", Key: c.Keys.Ingest, HTTP: &http.Client{Timeout: 30 * time.Second},
	}
	facts := rig.Traffic(5, watchEvents, watchAccounts, time.Now())
	var acked atomic.Int64
	for n := range watchKills {
		part := facts[n*watchEvents/watchKills : (n+1)*watchEvents/watchKills]
		due := acked.Load() + int64(len(part)/2)
		err := atLeast(ctx, connections, int64(n+1))
		if !assert.NoError(t, err, "it goes on after each kill") { //nolint:testifylint // require must not end a goroutine
			return
		}
		var sending sync.WaitGroup
		sending.Go(func() { sendAll(ctx, t, sender, part, &acked) })
		if assert.NoError(t, atLeast(ctx, &acked, due)) {
			c.Query.Kill()
			assert.NoError(t, c.Restart(ctx, c.Query))
		}
		sending.Wait()
	}
	heads, err := c.Heads(ctx)
	if !assert.NoError(t, err) { //nolint:testifylint // require must not end a goroutine
		return
	}
	defer heads.Close()
	assert.NoError(t, rig.Until(ctx, func() error {
		totals, err := heads.Totals(ctx)
		if err == nil && totals.Counted < watchEvents {
			err = fmt.Errorf("%d events counted", totals.Counted)
		}
		return err
	}))
}

// atLeast waits until a count is as high as that.
func atLeast(ctx context.Context, count *atomic.Int64, least int64) error {
	return rig.Until(ctx, func() error {
		if now := count.Load(); now < least {
			return fmt.Errorf("%d of %d", now, least)
		}
		return nil
	})
}
