package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

const (
	watchRounds = 20
	watchGoal   = time.Second
	watchPart   = "s"
)

// watchFanOut has many watchers on one query process, and measures how long an update takes from being sent until all of
// them have it, and how much memory each of them costs; a bare gRPC server that sends as many bytes to as many streams
// beside it. The client of both does not decode messages.
func watchFanOut(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	client := &rig.Client{
		URL: "http://" + c.IngestHTTP + "/v1/events", Key: c.Keys.Ingest, HTTP: &http.Client{Timeout: time.Minute},
	}
	update := func(ctx context.Context, n int) error {
		body, err := json.Marshal([]map[string]any{{
			"id": "update-" + strconv.Itoa(n), "type": "account", "account": "watched", "name": "Watched Ltd", "arr": n + 1,
		}})
		if err != nil {
			return fmt.Errorf("building an event: %w", err)
		}
		_, err = client.Send(ctx, body, 1)
		return err
	}
	if err := update(ctx, -1); err != nil {
		return err
	}
	if err := waitCounted(ctx, c, 1); err != nil {
		return err
	}
	request, err := proto.Marshal(&healthv1.WatchHealthRequest{Filter: "coverage >= 0"})
	if err != nil {
		return fmt.Errorf("building a request: %w", err)
	}
	watched := &crowd{
		addr: c.QueryGRPC, key: c.Keys.Query, size: b.watchers, server: c.Query,
		method: healthv1.HealthService_WatchHealth_FullMethodName, request: request, update: update,
		// The first field that is set is that of changes; heartbeats have none.
		counts: func(message []byte) bool { return len(message) > 0 && message[0] == 0x12 },
	}
	if err := watched.measure(ctx, watchRounds); err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	bare, err := b.bareFanOut(ctx, c, watched.bytes)
	if err != nil {
		return fmt.Errorf("watching a bare server: %w", err)
	}
	name := fmt.Sprintf("watch fan-out to %d", b.watchers)
	if err := b.fanOutTimes(name, watched.times, watchGoal); err != nil {
		return err
	}
	if err := b.fanOutTimes("bare stream of equal size", bare.times, 0); err != nil {
		return err
	}
	return b.report.all(watchPart,
		figure{Name: "memory of a watcher", Value: watched.perWatcher(), Unit: "bytes"},
		figure{Name: "memory of a bare stream", Value: bare.perWatcher(), Unit: "bytes"},
		figure{Name: "processor time of a fan-out", Value: milliseconds(watched.cpu), Unit: "ms"},
		figure{Name: "processor time of a bare fan-out", Value: milliseconds(bare.cpu), Unit: "ms"},
		figure{Name: "size of an update", Value: float64(watched.bytes), Unit: "bytes"},
	)
}

// bareFanOut does the same with a server that does nothing else.
func (b *bench) bareFanOut(ctx context.Context, c *rig.Cluster, bytes int) (*crowd, error) {
	server, err := startEcho(ctx, b, c, bytes)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	request, err := proto.Marshal(&wrapperspb.BytesValue{})
	if err != nil {
		return nil, fmt.Errorf("building a request: %w", err)
	}
	out := &crowd{
		addr: server.addr, key: "none", size: b.watchers, server: server.process, method: echoWatch, request: request,
		update: func(ctx context.Context, _ int) error { return server.publish(ctx) },
		counts: func(message []byte) bool { return len(message) > 2 }, // the first one is empty
	}
	return out, out.measure(ctx, watchRounds)
}

// fanOutTimes reports how long updates took to arrive. The goal is for p99; 0: none.
func (b *bench) fanOutTimes(name string, times []time.Duration, goal time.Duration) error {
	slices.Sort(times)
	at := func(share float64) float64 { return milliseconds(times[int(float64(len(times)-1)*share)]) }
	return b.report.all(watchPart,
		figure{Name: name + ", p50", Value: at(0.5), Unit: "ms"},
		figure{Name: name + ", p99", Value: at(0.99), Unit: "ms", Goal: milliseconds(goal), AtMost: true},
		figure{Name: name + ", max", Value: at(1), Unit: "ms"},
	)
}
