package query_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
	"hale.dev/services/internal/telemetry"
	"hale.dev/services/query"
)

// rawCodec passes bytes through.
type rawCodec struct{}

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()

	return nil
}

func (rawCodec) Name() string { return "proto" }

const echoMethod = "/echo.Echo/Echo"

// startEcho starts a bare server that reads a value from redis for each call and answers as many bytes as size.
func startEcho(b *testing.B, url string, size int) *grpc.ClientConn {
	b.Helper()

	options, err := goredis.ParseURL(url)
	require.NoError(b, err)

	client := goredis.NewClient(options)
	b.Cleanup(func() { require.NoError(b, client.Close()) })
	require.NoError(b, client.Set(b.Context(), "bench", make([]byte, 600), 0).Err())

	answer := make([]byte, size)
	srv := grpc.NewServer(grpc.ForceServerCodecV2(rawCodec{}))
	srv.RegisterService(&grpc.ServiceDesc{
		ServiceName: "echo.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Echo",
			Handler: func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				var in []byte
				if err := dec(&in); err != nil {
					return nil, err
				}

				return &answer, client.Get(ctx, "bench").Err()
			},
		}},
	}, nil)

	l := listen(b)

	go func() { _ = srv.Serve(l) }()
	b.Cleanup(srv.Stop)

	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, conn.Close()) })

	return conn
}

// figures of calls.
type figures struct {
	calls, seconds float64
	cpu            time.Duration // of this process: client and server
}

func (f *figures) add(o figures) {
	f.calls, f.seconds, f.cpu = f.calls+o.calls, f.seconds+o.seconds, f.cpu+o.cpu
}

func (f *figures) rate() float64 { return f.calls / f.seconds }

func (f *figures) micros() float64 { return float64(f.cpu.Microseconds()) / f.calls }

// processorTime is the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()

	var u syscall.Rusage

	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))

	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure calls from 64 goroutines for a while. The client builds and reads no messages.
func measure(ctx context.Context, b *testing.B, conn *grpc.ClientConn, method string, requests [][]byte) figures {
	b.Helper()

	const callers, period = 64, 500 * time.Millisecond

	var (
		wg    sync.WaitGroup
		calls atomic.Int64
		start = time.Now()
		cpu   = processorTime(b)
	)

	for c := range callers {
		wg.Go(func() {
			var out []byte

			for i := c; time.Since(start) < period; i++ {
				if err := conn.Invoke(ctx, method, &requests[i%len(requests)], &out, grpc.ForceCodecV2(rawCodec{})); err != nil {
					b.Error(err)

					return
				}

				calls.Add(1)
			}
		})
	}

	wg.Wait()

	return figures{float64(calls.Load()), time.Since(start).Seconds(), processorTime(b) - cpu}
}

// BenchmarkGetHealth compares GetHealth with the bare echo, in turns, on the same redis.
func BenchmarkGetHealth(b *testing.B) {
	const accounts = 200

	server := redistest.StartServer(b)
	s, err := redis.Open(b.Context(), redis.Options{URL: server.URL()})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })

	metered, err := telemetry.Setup(b.Context(), telemetry.Config{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, metered.Shutdown(context.WithoutCancel(b.Context()))) })

	w := start(b, s, func(_ *query.Config, d *query.Deps) { d.Tracer, d.Meter = metered.Tracer, metered.Meter })
	requests := make([][]byte, accounts)

	for i := range requests {
		var events []*eventv1.Event

		for n := range 20 {
			e := used(accountID(i))
			e.UserId = fmt.Sprint("user-", n%8)
			events = append(events, e)
		}

		events = append(events, profiled(accountID(i), &eventv1.Account{
			Name: new("Some Company"), Seats: proto.Int64(10), Plan: new("pro"),
		}))
		w.score(home, accountID(i), noon(), 0, events...)

		requests[i], err = proto.Marshal(&healthv1.GetHealthRequest{AccountId: accountID(i)})
		require.NoError(b, err)
	}

	ctx := w.as(access.RoleViewer)
	answer, err := w.health().GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: accountID(1)})
	require.NoError(b, err)

	echo, conn := startEcho(b, server.URL(), proto.Size(answer)), w.dial()

	var health, bare figures

	for b.Loop() {
		bare.add(measure(ctx, b, echo, echoMethod, requests))
		health.add(measure(ctx, b, conn, healthv1.HealthService_GetHealth_FullMethodName, requests))
	}

	b.ReportMetric(0, "ns/op")
	b.ReportMetric(bare.rate(), "echo/s")
	b.ReportMetric(health.rate(), "GetHealth/s")
	b.ReportMetric(health.rate()/bare.rate(), "ratio")
	b.ReportMetric(bare.micros(), "echo-cpu-us")
	b.ReportMetric(health.micros(), "GetHealth-cpu-us")
	b.ReportMetric(float64(proto.Size(answer)), "bytes")
}
