package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/quietaddr"
)

const (
	callers    = 64
	callTime   = 5 * time.Second
	readGoal   = 0.9
	readRounds = 2 // of each, alternating
	readKey    = "bench:value"
)

// getHealth compares GetHealth with a bare gRPC server that reads one value from the same redis-server and answers
// as many bytes. The client of both neither builds nor decodes messages.
func getHealth(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	const accounts = 1000
	client := segmentClient(c.IngestHTTP, c.Keys.Ingest)
	for _, load := range [][]body{everyAccount(accounts), bodies("read", 20*accounts, uniform(accounts), newRand(2))} {
		if _, err := send(ctx, client, load); err != nil {
			return err
		}
	}
	if err := waitCounted(ctx, c, 21*accounts); err != nil { // both loads
		return err
	}
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	answer, err := healthv1.NewHealthServiceClient(conn).GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "account-1"})
	if err != nil {
		return fmt.Errorf("getting health: %w", err)
	}
	echo, err := startEcho(ctx, b, c, proto.Size(answer))
	if err != nil {
		return err
	}
	defer echo.stop()
	requests := make([][]byte, accounts)
	for i := range requests {
		if requests[i], err = proto.Marshal(&healthv1.GetHealthRequest{AccountId: "account-" + strconv.Itoa(i)}); err != nil {
			return fmt.Errorf("building a request: %w", err)
		}
	}
	r := &reads{conn: conn, echo: echo.conn, requests: requests}
	if err := r.compare(ctx, b, ""); err != nil {
		return err
	}
	traffic := startTrickle(ctx, client, bodies("live", liveRate*int(liveTime/time.Second), uniform(accounts), newRand(3)))
	err = r.compare(ctx, b, fmt.Sprintf(", at %d events/s", liveRate))
	return errors.Join(err, traffic())
}

// reads compares calls of two servers.
type reads struct {
	conn, echo *grpc.ClientConn
	requests   [][]byte
}

// compare measures both in turns and reports them; only the figure of accounts at rest has a goal.
func (r *reads) compare(ctx context.Context, b *bench, when string) error {
	var health, bare float64
	for range readRounds {
		h, err := callRate(ctx, r.conn, healthv1.HealthService_GetHealth_FullMethodName, r.requests)
		if err != nil {
			return fmt.Errorf("calling GetHealth: %w", err)
		}
		e, err := callRate(ctx, r.echo, echoMethod, r.requests)
		if err != nil {
			return fmt.Errorf("calling the echo: %w", err)
		}
		health += h / readRounds
		bare += e / readRounds
	}
	goal := readGoal
	if when != "" {
		goal = 0
	}
	for _, f := range []figure{
		{Name: "GetHealth, 64 callers" + when, Value: health, Unit: "calls/s"},
		{Name: "bare gRPC echo with one Redis GET" + when, Value: bare, Unit: "calls/s"},
		{Name: "GetHealth over bare echo" + when, Value: health / bare, Unit: "ratio", Goal: goal},
	} {
		f.Part = "f"
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	return nil
}

const (
	// liveRate is how many events a second change accounts while they are read, for at most liveTime.
	liveRate = 1000
	liveTime = time.Minute
)

// startTrickle sends bodies evenly; the function it returns ends that.
func startTrickle(ctx context.Context, client *rig.Client, all []body) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second * batchEvents / liveRate)
		defer tick.Stop()
		for _, one := range all {
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case <-tick.C:
			}
			if _, err := client.Send(ctx, one, batchEvents); err != nil && ctx.Err() == nil {
				ended <- fmt.Errorf("sending while accounts are read: %w", err)
				return
			}
		}
		ended <- nil
	}()
	return func() error {
		cancel()
		return <-ended
	}
}

// callRate calls a method from many goroutines for a while and returns calls a second.
func callRate(ctx context.Context, conn *grpc.ClientConn, method string, requests [][]byte) (float64, error) {
	var (
		wait  sync.WaitGroup
		calls atomic.Int64
		first atomic.Pointer[error]
	)
	begun := time.Now()
	for caller := range callers {
		wait.Go(func() {
			for i := caller; time.Since(begun) < callTime && first.Load() == nil; i++ {
				var out []byte
				if err := conn.Invoke(ctx, method, &requests[i%len(requests)], &out, grpc.ForceCodec(rawCodec{})); err != nil {
					first.Store(&err)
					return
				}
				calls.Add(1)
			}
		})
	}
	wait.Wait()
	if err := first.Load(); err != nil {
		return 0, *err
	}
	return float64(calls.Load()) / time.Since(begun).Seconds(), nil
}

// rawCodec passes message bytes through.
type rawCodec struct{}

// Marshal implements encoding.Codec.
func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("raw codec: %T", v)
	}
	return *b, nil
}

// Unmarshal implements encoding.Codec.
func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("raw codec: %T", v)
	}
	*b = append((*b)[:0], data...)
	return nil
}

// Name implements encoding.Codec.
func (rawCodec) Name() string { return "proto" }

// echo is the bare server, a process of its own as the query service is.
type echo struct {
	process *rig.Process
	addr    string
	conn    *grpc.ClientConn
}

func startEcho(ctx context.Context, b *bench, c *rig.Cluster, size int) (*echo, error) {
	addr, err := quietaddr.New()
	if err != nil {
		return nil, fmt.Errorf("looking for a port: %w", err)
	}
	values := redis.NewClient(&redis.Options{Addr: c.RedisAddr})
	defer func() { _ = values.Close() }()
	if err := values.Set(ctx, readKey, make([]byte, size), 0).Err(); err != nil {
		return nil, fmt.Errorf("laying down the value to read: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	e := &echo{addr: addr, process: &rig.Process{
		Name: "echo", Path: self, Args: []string{echoCommand, addr, c.RedisAddr}, Dir: b.dir,
	}}
	if err := e.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the echo: %w", err)
	}
	if e.conn, err = rig.Dial(addr, "none"); err != nil {
		e.process.Kill()
		return nil, fmt.Errorf("connecting to the echo: %w", err)
	}
	waitCtx, cancel := context.WithTimeout(ctx, 10*time.Second) // generous
	defer cancel()
	err = rig.Until(waitCtx, func() error {
		in, out := []byte{}, []byte{}
		return e.conn.Invoke(waitCtx, echoMethod, &in, &out, grpc.ForceCodec(rawCodec{}))
	})
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("waiting for the echo: %w", err)
	}
	return e, nil
}

func (e *echo) stop() {
	_ = e.conn.Close()
	e.process.Kill()
}
