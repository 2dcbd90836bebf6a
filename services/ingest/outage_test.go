package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	ingestv1 "hale.dev/proto/gen/hale/ingest/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
	"hale.dev/services/internal/jsretry"
	"hale.dev/services/internal/settings"
)

const (
	// outagePatience bounds the waits of these tests, in which elections take their time.
	outagePatience = 3 * time.Minute
	// inTime is when every request must have an answer, whatever is broken.
	inTime = 20 * time.Second
	// queueMiB is small enough to be filled.
	queueMiB = 1
)

// join connects as a process of Hale does.
func join(t testing.TB, servers string) *nats.Conn {
	t.Helper()

	nc, err := eventlog.Connect(t.Context(), servers, nil)
	require.NoError(t, err)
	t.Cleanup(nc.Close)

	return nc
}

// crowd is clients that send batches again and again until each is taken, and remember what was.
type crowd struct {
	b     *bundle
	stop  chan struct{}
	group sync.WaitGroup

	mu       sync.Mutex
	acked    map[string]bool
	statuses map[int]int
	bad      []string
	slowest  time.Duration
	count    atomic.Int64
}

const batchEvents = 100

// startCrowd starts clients who send about 40 KB a request.
func startCrowd(b *bundle, clients int) *crowd {
	c := &crowd{b: b, stop: make(chan struct{}), acked: map[string]bool{}, statuses: map[int]int{}}

	for id := range clients {
		c.group.Go(func() {
			for n := 0; ; n++ {
				if !c.send(fmt.Sprintf("c%d-%d", id, n)) {
					return
				}
			}
		})
	}

	return c
}

// send sends one batch until it is taken; false: the test is over.
func (c *crowd) send(name string) bool {
	bodies := make([]string, batchEvents)
	for i := range bodies {
		bodies[i] = fmt.Sprintf(`{"type":"usage","id":"%s-%d","account":"a%d","feature":"%s"}`,
			name, i, i%7, strings.Repeat("f", 200))
	}

	body := []byte("[" + strings.Join(bodies, ",") + "]")

	for {
		select {
		case <-c.stop:
			return false
		default:
		}

		began := time.Now()
		code, after, err := c.once(body)
		took := time.Since(began)

		c.mu.Lock()
		c.statuses[code]++
		c.slowest = max(c.slowest, took)

		if code == http.StatusOK {
			for i := range bodies {
				c.acked[fmt.Sprintf("%s-%d", name, i)] = true
			}
		} else if err != nil || after == "" || (code != http.StatusTooManyRequests && code != http.StatusServiceUnavailable) {
			c.bad = append(c.bad, fmt.Sprintf("status %d, Retry-After %q, %v", code, after, err))
		}
		c.mu.Unlock()

		if code == http.StatusOK {
			c.count.Add(1)

			return true
		}

		select {
		case <-c.stop:
		case <-time.After(250 * time.Millisecond): // sooner than it is told to
		}
	}
}

func (c *crowd) once(body []byte) (code int, after string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.b.url+events, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}

	req.SetBasicAuth(c.b.ingest, "")
	req.Header.Set("Content-Type", "application/json")

	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()

	_, err = io.Copy(io.Discard, res.Body)

	return res.StatusCode, res.Header.Get("Retry-After"), err
}

func (c *crowd) saw(code int) func() bool {
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()

		return c.statuses[code] > 0
	}
}

// end stops the clients and checks that what was acknowledged is in the log.
func (c *crowd) end(t testing.TB) {
	t.Helper()
	close(c.stop)
	c.group.Wait()
	t.Logf("answers by status: %v, slowest %s", c.statuses, c.slowest)
	require.Empty(t, c.bad)
	require.Less(t, c.slowest, inTime)

	held := c.b.held(t)
	for id := range c.acked {
		require.True(t, held[id], "%s is acknowledged, and not in the log", id)
	}
}

// held are the message ids in all streams of the log.
func (b *bundle) held(t testing.TB) map[string]bool {
	t.Helper()

	all := map[string]bool{}
	enough := io.EOF

	for stream := range b.log.Layout().Streams {
		info, err := b.log.Info(t.Context(), stream)
		require.NoError(t, err)

		if info.Last < info.First {
			continue
		}

		err = b.log.Read(t.Context(), stream, 0, func(m *eventlog.Message) error {
			for _, r := range m.Records {
				all[r.GetEvent().GetMessageId()] = true
			}

			if m.Sequence >= info.Last {
				return enough
			}

			return nil
		})
		require.ErrorIs(t, err, enough)
	}

	return all
}

// watchQueue returns the largest number of bytes that were seen in the writer's queue.
func watchQueue(t testing.TB, reader *sdkmetric.ManualReader) (most func() int64) {
	t.Helper()

	var (
		top  atomic.Int64
		done = make(chan struct{})
		wg   sync.WaitGroup
	)

	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				top.Store(max(top.Load(), gauge(reader, "hale_log_queue_bytes")))
			}
		}
	})
	t.Cleanup(func() { close(done); wg.Wait() })

	return top.Load
}

func gauge(reader *sdkmetric.ManualReader, name string) int64 {
	var all metricdata.ResourceMetrics
	if reader.Collect(context.Background(), &all) != nil {
		return -1
	}

	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if data, ok := m.Data.(metricdata.Gauge[int64]); ok && m.Name == name {
				return data.DataPoints[0].Value
			}
		}
	}

	return -1
}

// requireRetryInfo checks an error over gRPC that says when to come again.
func requireRetryInfo(t testing.TB, err error, code codes.Code) {
	t.Helper()

	st := status.Convert(err)
	require.Equal(t, code, st.Code(), st.Message())

	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			require.Positive(t, info.GetRetryDelay().AsDuration())

			return
		}
	}

	require.Fail(t, "no RetryInfo")
}

func TestQuorumLoss(t *testing.T) {
	t.Parallel()

	reader := sdkmetric.NewManualReader()
	c := natscluster.Start(t, natscluster.Options{})
	b := newBundleOn(t, join(t, c.URL()), eventlog.Options{
		Partitions: 4, Streams: 2, Replicas: 3, MaxBytes: 1 << 30,
		Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	}, Config{QueueMiB: queueMiB})
	client := ingestv1.NewIngestServiceClient(dial(t, b))
	most := watchQueue(t, reader)

	lookup := `{"type":"login","id":"l","user":"nobody-knows"}`
	require.Equal(t, CodeUnknownUser, b.post(events, b.ingest, lookup).codes()[0])
	require.Equal(t, CodeUnknownType, b.post(events, b.ingest, `{"type":"strange"}`).codes()[0])

	few := startCrowd(b, 2)
	require.Eventually(t, func() bool { return few.count.Load() > 20 }, outagePatience, time.Millisecond)
	c.Nodes()[0].Kill()
	c.Nodes()[2].Kill()

	t.Run("each store that does not answer is named, in time", func(t *testing.T) {
		for body, code := range map[string]Code{
			usageJSON(""): CodeLogUnavailable,
			`{"type":"user","id":"p","account":"a","user":"new","role":"champion"}`: CodeDirectoryUnavailable,
			`{"type":"odd"}`: CodeRejectsUnavailable,
		} {
			t.Run(string(code), func(t *testing.T) {
				t.Parallel()

				began := time.Now()
				a := b.post(events, b.ingest, body)
				require.Less(t, time.Since(began), inTime)
				require.Equal(t, http.StatusServiceUnavailable, a.status, "%+v", a)
				require.Equal(t, code, a.Code)
				require.Equal(t, "1", a.header.Get("Retry-After"))
			})
		}

		t.Run("over gRPC", func(t *testing.T) {
			t.Parallel()

			_, err := client.Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{Events: []*eventv1.Event{usage("g")}})
			requireRetryInfo(t, err, codes.Unavailable)
			requireReason(t, err, codes.Unavailable, "LOG_UNAVAILABLE")
		})
	})

	many := startCrowd(b, 100)

	t.Run("the queue is bounded, and beyond it clients are told to come again", func(t *testing.T) {
		require.Eventually(t, many.saw(http.StatusTooManyRequests), outagePatience, time.Millisecond)
		require.Eventually(t, func() bool {
			_, err := client.Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{Events: many1000()})
			if status.Code(err) != codes.ResourceExhausted {
				return false
			}

			requireRetryInfo(t, err, codes.ResourceExhausted)

			return true
		}, outagePatience, time.Millisecond)
		require.Eventually(t, func() bool { return b.service.Ready() != nil }, outagePatience, time.Millisecond)
		require.Positive(t, most())
		require.LessOrEqual(t, most(), int64(queueMiB<<20))
	})

	t.Run("after healing everything is taken again", func(t *testing.T) {
		few.mu.Lock()
		before := few.count.Load()
		few.mu.Unlock()

		c.StartNodes(t, c.Nodes()[0], c.Nodes()[2])
		began := time.Now()

		require.Eventually(t, func() bool {
			return few.count.Load() > before+10 && many.count.Load() > 100
		}, outagePatience, time.Millisecond)
		t.Logf("taken again %s after the quorum came back", time.Since(began))
		require.Eventually(t, func() bool { return b.service.Ready() == nil }, outagePatience, time.Millisecond)
	})

	few.end(t)
	many.end(t)

	t.Run("the directory, REJECTS and the keys work again", func(t *testing.T) {
		require.Eventually(t, func() bool {
			return b.post(events, b.ingest, `{"type":"login","id":"l","user":"somebody-else"}`).codes()[0] == CodeUnknownUser
		}, outagePatience, 10*time.Millisecond)

		key := access.NewKey(access.RoleIngest)
		require.NoError(t, jsretry.Do(t.Context(), nil, func(ctx context.Context) error {
			return b.settings.PutKey(ctx, settings.Key{Hash: access.Hash(key), Workspace: "w", Role: "ingest"})
		}))
		require.Eventually(t, func() bool {
			return b.post(events, key, usageJSON(`,"user":"u"`)).status == http.StatusOK
		}, outagePatience, 10*time.Millisecond)
	})

	require.Zero(t, gauge(reader, "hale_log_queue_bytes"))
}

// many1000 are events of more bytes than a crowd leaves in the queue.
func many1000() []*eventv1.Event {
	all := make([]*eventv1.Event, 1000)
	for i := range all {
		all[i] = usage(fmt.Sprintf("many-%d", i))
		all[i].GetUsage().Feature = strings.Repeat("f", 200)
	}

	return all
}

// slowLine puts a proxy in front of a server. toxic makes the line bad, and the function that it returns good again.
func slowLine(t testing.TB, upstream string) (address string, toxic func(name string, attributes any) (remove func())) {
	t.Helper()

	logger := zerolog.Nop()
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), logger), "line", "127.0.0.1:0", upstream)
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)

	return proxy.Listen, func(name string, attributes any) func() {
		body, err := json.Marshal(map[string]any{"name": name, "type": name, "stream": "upstream", "attributes": attributes})
		require.NoError(t, err)
		_, err = proxy.Toxics.AddToxicJson(bytes.NewReader(body))
		require.NoError(t, err)

		return func() { require.NoError(t, proxy.Toxics.RemoveToxic(context.Background(), name)) }
	}
}

func TestSlowLine(t *testing.T) {
	t.Parallel()

	for name, toxic := range map[string]struct {
		kind       string
		attributes any
		until      int // this status is seen
	}{
		"a line of 100 KB/s":     {"bandwidth", map[string]any{"rate": 100}, http.StatusTooManyRequests},
		"a line that is a pause": {"latency", map[string]any{"latency": 3000, "jitter": 500}, http.StatusTooManyRequests},
		"a line that swallows":   {"timeout", map[string]any{"timeout": 0}, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir(), Listen: true})
			require.NoError(t, err)
			t.Cleanup(server.Shutdown)

			_, port, err := net.SplitHostPort(strings.TrimPrefix(server.ClientURL(), "nats://"))
			require.NoError(t, err)

			address, spoil := slowLine(t, net.JoinHostPort("127.0.0.1", port))
			reader := sdkmetric.NewManualReader()
			nc, err := eventlog.Connect(t.Context(), "nats://"+address, nil, nats.IgnoreDiscoveredServers())
			require.NoError(t, err)
			t.Cleanup(nc.Close)

			b := newBundleOn(t, nc, eventlog.Options{
				Partitions: 4, MaxBytes: 1 << 30, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
			}, Config{QueueMiB: queueMiB})
			most := watchQueue(t, reader)
			c := startCrowd(b, 60)
			require.Eventually(t, func() bool { return c.count.Load() > 200 }, outagePatience, time.Millisecond)

			heal := spoil(toxic.kind, toxic.attributes)
			require.Eventually(t, c.saw(toxic.until), outagePatience, time.Millisecond)
			require.LessOrEqual(t, most(), int64(queueMiB<<20))

			before := c.count.Load()
			heal()

			began := time.Now()

			require.Eventually(t, func() bool { return c.count.Load() > before+300 }, outagePatience, time.Millisecond)
			t.Logf("300 requests are taken %s after the line is good again", time.Since(began))
			c.end(t)
			require.Eventually(t, func() bool { return b.service.Ready() == nil }, outagePatience, time.Millisecond)

			began = time.Now()
			require.Equal(t, http.StatusOK, b.post(events, b.ingest, usageJSON("")).status)
			require.Less(t, time.Since(began), 3*time.Second, "it is fast again")
		})
	}
}
