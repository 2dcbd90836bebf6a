package query_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/query"
)

// eager makes heartbeats come often.
func eager(c *query.Config, _ *query.Deps) { c.Heartbeat = 20 * time.Millisecond }

// watcher is a client of WatchHealth that keeps what it is told.
type watcher struct {
	filter string
	// held is what it knows by account, token how far it is.
	held  map[string]*healthv1.AccountSummary
	token string
	// resumed says that states may come that it knows already: another process may have read ahead.
	resumed bool
	// coming is the snapshot under way; nil: none.
	coming map[string]*healthv1.AccountSummary
	resets int
	parts  int

	stream grpc.ServerStreamingClient[healthv1.WatchHealthResponse]
	cancel context.CancelFunc
}

// connect begins a watch where the watcher is: with a snapshot at first.
func (c *watcher) connect(w *world) error {
	ctx, cancel := context.WithCancel(w.as(access.RoleViewer))

	stream, err := w.health().WatchHealth(ctx, &healthv1.WatchHealthRequest{
		Filter: c.filter, Snapshot: true, ResumeToken: c.token,
	})
	if err != nil {
		cancel()

		return err
	}

	c.stream, c.cancel, c.resumed, c.coming = stream, cancel, c.token != "", nil
	if c.token == "" {
		c.coming = map[string]*healthv1.AccountSummary{}
	}

	return nil
}

// take receives one part and applies it.
func (c *watcher) take() (*healthv1.WatchHealthResponse, error) {
	got, err := c.stream.Recv()
	if err != nil {
		if t := resumeTokenOf(err); t != "" && c.coming == nil {
			c.token = t
		}

		return nil, err
	}

	c.parts++

	if got.GetReset_() {
		c.coming, c.resumed = map[string]*healthv1.AccountSummary{}, false
		c.resets++
	}

	for _, change := range got.GetChanges() {
		if err := c.apply(change); err != nil {
			return got, err
		}
	}

	if got.GetSnapshotComplete() {
		c.held, c.coming = c.coming, nil
	}

	if t := got.GetResumeToken(); t != "" {
		c.token = t
	}

	return got, nil
}

var errTwice = errors.New("told twice")

// apply applies a change, and finds fault with one that says nothing new.
func (c *watcher) apply(change *healthv1.AccountChange) error {
	id := change.GetAccount().GetAccountId()
	known := c.held[id]

	switch change.GetKind() {
	case healthv1.AccountChange_KIND_SNAPSHOT:
		if c.coming == nil || c.coming[id] != nil {
			return fmt.Errorf("%w: %s in a snapshot", errTwice, id)
		}

		c.coming[id] = change.GetAccount()
	case healthv1.AccountChange_KIND_ENTERED:
		if !c.resumed && known != nil {
			return fmt.Errorf("%w: %s entered", errTwice, id)
		}

		c.held[id] = change.GetAccount()
	case healthv1.AccountChange_KIND_UPDATED:
		if !c.resumed && (known == nil || proto.Equal(known, change.GetAccount())) {
			return fmt.Errorf("%w: %s updated from %v", errTwice, id, known)
		}

		c.held[id] = change.GetAccount()
	case healthv1.AccountChange_KIND_LEFT:
		if !c.resumed && known == nil {
			return fmt.Errorf("%w: %s left", errTwice, id)
		}

		delete(c.held, id)
	case healthv1.AccountChange_KIND_UNSPECIFIED:
		return fmt.Errorf("a change of no kind: %v", change)
	}

	return nil
}

// resumeTokenOf is the token in the error that ended a watch.
func resumeTokenOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()["resume_token"]
		}
	}

	return ""
}

// matching are all accounts that a list with the filter gives.
func (w *world) matching(tb testing.TB, filter string) map[string]*healthv1.AccountSummary {
	tb.Helper()

	all := map[string]*healthv1.AccountSummary{}
	q := &healthv1.ListAccountsRequest{Filter: filter, PageSize: 1000, OrderBy: "account_id"}
	client := w.health()

	for {
		got, err := client.ListAccounts(w.as(access.RoleViewer), q)
		require.NoError(tb, err)

		for _, a := range got.GetAccounts() {
			all[a.GetAccountId()] = a
		}

		if q.PageToken = got.GetNextPageToken(); q.GetPageToken() == "" {
			return all
		}
	}
}

// holds says whether a watcher knows exactly these accounts.
func (c *watcher) holds(want map[string]*healthv1.AccountSummary) bool {
	return c.coming == nil && maps.EqualFunc(c.held, want, func(a, b *healthv1.AccountSummary) bool { return proto.Equal(a, b) })
}
