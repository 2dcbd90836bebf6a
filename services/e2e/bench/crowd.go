package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"hale.dev/services/e2e/rig"
)

// crowdConnections is how many connections carry the streams of a crowd.
const crowdConnections = 10

// crowd is many streams of one server.
type crowd struct {
	addr, key, method string
	request           []byte
	size              int
	server            *rig.Process
	// update lets the server send something to all, counts says whether a message is that.
	update func(ctx context.Context, n int) error
	counts func(message []byte) bool

	now atomic.Pointer[round]
	// What was measured: from the update to each arrival, bytes of a message, of the server's memory for all streams,
	// and its processor time for one update.
	times  []time.Duration
	bytes  int
	memory int64
	cpu    time.Duration
}

// round is one update.
type round struct {
	sent  time.Time
	left  atomic.Int64
	bytes atomic.Int64
	times []time.Duration
	done  chan struct{}
}

func (c *crowd) newRound() *round {
	r := &round{times: make([]time.Duration, c.size), done: make(chan struct{}), sent: time.Now()}
	r.left.Store(int64(c.size))
	c.now.Store(r)
	return r
}

// arrive notes that a stream has got the update.
func (r *round) arrive(stream, bytes int) {
	if r.times[stream] != 0 {
		return
	}
	r.times[stream] = time.Since(r.sent)
	r.bytes.Store(int64(bytes))
	if r.left.Add(-1) == 0 {
		close(r.done)
	}
}

// measure opens all streams and updates them some times.
func (c *crowd) measure(ctx context.Context, rounds int) error {
	before, err := resident(c.server)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	opened := c.newRound()
	for n := range crowdConnections {
		conn, err := rig.Dial(c.addr, c.key)
		if err != nil {
			cancel()
			return fmt.Errorf("connecting: %w", err)
		}
		defer func() { _ = conn.Close() }()
		for i := n; i < c.size; i += crowdConnections {
			g.Go(func() error { return c.follow(ctx, conn, i, opened) })
		}
	}
	g.Go(func() error {
		defer cancel()
		return c.updates(ctx, rounds, opened, before)
	})
	return g.Wait() //nolint:wrapcheck // the errors below
}

// updates waits until all streams are open, then sends updates one by one.
func (c *crowd) updates(ctx context.Context, rounds int, opened *round, before int64) error {
	if err := opened.wait(ctx); err != nil {
		return err
	}
	after, err := resident(c.server)
	if err != nil {
		return err
	}
	c.memory = after - before
	begun, err := c.server.CPU()
	if err != nil {
		return fmt.Errorf("reading processor time: %w", err)
	}
	for n := range rounds {
		r := c.newRound()
		if err := c.update(ctx, n); err != nil {
			return err
		}
		if err := r.wait(ctx); err != nil {
			return fmt.Errorf("update %d: %w", n, err)
		}
		sayf("update %d of %s: the last of %d streams had it after %s", n, c.server.Name, c.size, slices.Max(r.times))
		c.times = append(c.times, r.times...)
		c.bytes = int(r.bytes.Load())
	}
	ended, err := c.server.CPU()
	c.cpu = (ended - begun) / time.Duration(rounds)
	return err
}

// wait returns when all have it.
func (r *round) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("%d streams got nothing", r.left.Load())
	}
}

// follow opens a stream and takes what comes, until ctx ends.
func (c *crowd) follow(ctx context.Context, conn *grpc.ClientConn, i int, opened *round) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, c.method, grpc.ForceCodec(rawCodec{}))
	if err != nil {
		return c.ended(ctx, err)
	}
	if err := stream.SendMsg(&c.request); err != nil {
		return c.ended(ctx, err)
	}
	if err := stream.CloseSend(); err != nil {
		return c.ended(ctx, err)
	}
	var message []byte
	for first := true; ; first = false {
		if err := stream.RecvMsg(&message); err != nil {
			return c.ended(ctx, err)
		}
		switch {
		case first:
			opened.arrive(i, len(message))
		case c.counts(message):
			c.now.Load().arrive(i, len(message))
		}
	}
}

// ended is the error of a stream, unless all is over.
func (c *crowd) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it comes of that
	}
	return fmt.Errorf("following: %w", err)
}

// perWatcher is the memory that the server needs for one stream.
func (c *crowd) perWatcher() float64 { return float64(c.memory) / float64(c.size) }

// resident is the memory that a running process has now, in bytes.
func resident(p *rig.Process) (int64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/statm")
	if err != nil {
		return 0, fmt.Errorf("reading the memory of %s: %w", p.Name, err)
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, fmt.Errorf("reading the memory of %s: %q", p.Name, b)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading the memory of %s: %w", p.Name, err)
	}
	return pages * int64(os.Getpagesize()), nil
}
