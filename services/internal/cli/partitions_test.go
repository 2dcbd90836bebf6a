package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/cli"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// fill writes three messages into partition 1 and has two of them folded, and lets partition 3 be owned by a stranger.
func (d *deployment) fill(t *testing.T) {
	t.Helper()

	writer := d.log.NewWriter(eventlog.WriterOptions{})
	for range 3 {
		_, err := writer.Write(t.Context(), []eventlog.Item{{Partition: 1, Record: &logv1.Record{
			Workspace: "home", Payload: &logv1.Record_Event{Event: &eventv1.Event{MessageId: "m", AccountId: "acme"}},
		}}})
		require.NoError(t, err)
	}

	require.NoError(t, writer.Close(t.Context()))

	own := store.Lease{Owner: "scoring-1", Deployment: d.log.Layout().ID, TTL: time.Hour}
	for partition := range 3 {
		head, err := d.store.Claim(t.Context(), partition, own)
		require.NoError(t, err)

		if partition != 1 {
			continue
		}

		state := fold.State{
			LogTime:  time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC).UnixMicro(),
			Accounts: 1, Counted: 2, Duplicates: 1,
		}
		require.NoError(t, d.store.Commit(t.Context(), &store.Commit{
			Partition: 1, Epoch: head.Epoch, Generation: head.Generation, Cursor: 2, State: state.Encode(),
		}))
		_, err = d.store.BeginDraft(t.Context(), 1, head.Epoch)
		require.NoError(t, err)
	}

	_, err := d.store.Claim(t.Context(), 3, store.Lease{Owner: "stranger", Deployment: "other", TTL: time.Hour})
	require.NoError(t, err)
}

func TestPartitions(t *testing.T) {
	t.Parallel()

	d := deploy(t, false)
	empty := d.hale(t, "", "partitions")
	require.Zero(t, empty.code, empty.err)
	golden(t, "partitions-empty", d.steady(empty.out))
	require.Empty(t, empty.err)

	d.fill(t)

	got := d.hale(t, "", "partitions")
	require.Zero(t, got.code, got.err)
	golden(t, "partitions", d.steady(got.out))
	require.Equal(t, "partition 3: foreign_owner: stranger, which owns it, reads another log (other): two deployments "+
		"share one store\n", got.err)

	structured := d.hale(t, "", "partitions", "-o", "json")
	require.Zero(t, structured.code, structured.err)
	golden(t, "partitions-json", d.steady(structured.out))

	var views []struct {
		LagMessages int     `json:"lag_messages"`
		Lag         float64 `json:"lag_seconds"`
		LeaseLeft   float64 `json:"lease_left_seconds"`
	}

	require.NoError(t, json.Unmarshal([]byte(structured.out), &views))
	require.Equal(t, 1, views[1].LagMessages)
	require.Positive(t, views[1].Lag)
	require.InDelta(t, 3600, views[1].LeaseLeft, 60)
	require.Zero(t, views[0].Lag)
}

func TestPartitionsWatch(t *testing.T) {
	t.Parallel()

	d := deploy(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	out, log, done := &telemetrytest.Buffer{}, &telemetrytest.Buffer{}, make(chan int, 1)

	go func() {
		done <- cli.Main(ctx, []string{
			"partitions", "--watch", "-o", "jsonl", "--server", d.address, "--key", d.key,
		}, cli.IO{In: &bytes.Buffer{}, Out: out, Err: log})
	}()

	require.Eventually(t, func() bool { return strings.Count(out.String(), `"partition":3`) >= 2 },
		patience, time.Millisecond, "it looks again")
	d.stop()
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "listing partitions: ") },
		patience, time.Millisecond, "it says that nobody answers, and goes on")
	cancel()
	require.Zero(t, <-done, "Ctrl-C is how a watch ends")
}
