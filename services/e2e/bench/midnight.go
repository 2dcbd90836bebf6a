package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	metric "go.opentelemetry.io/otel/metric/noop"
	trace "go.opentelemetry.io/otel/trace/noop"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/pressure"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/scoring"
)

// midnight measures how long it takes to bring many accounts into a new day, and what live events wait meanwhile. The
// log's time comes from JetStream and cannot be set; so scoring runs in this process, on a log whose first messages it
// sees a day earlier than they came.
func midnight(ctx context.Context, b *bench) error {
	c, err := rig.NewCluster(b.dir, b.programs, rig.Options{})
	if err != nil {
		return fmt.Errorf("laying out: %w", err)
	}
	defer c.Stop()
	for _, engine := range []string{"memory", "redis"} {
		if err := errors.Join(c.Restart(ctx, c.NATS), c.Restart(ctx, c.Redis)); err != nil {
			return fmt.Errorf("starting servers: %w", err)
		}
		if err := midnightOn(ctx, b, c, engine); err != nil {
			return fmt.Errorf("on %s: %w", engine, err)
		}
		c.NATS.Stop()
		c.Redis.Stop()
		c.Clear()
	}
	return nil
}

func midnightOn(ctx context.Context, b *bench, c *rig.Cluster, engine string) (err error) {
	var s store.Store
	if engine == "memory" {
		s, err = memory.Open(memory.Options{})
	} else {
		s, err = redis.Open(ctx, redis.Options{URL: "redis://" + c.RedisAddr})
	}
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	conn, err := nats.Connect("nats://"+c.NATSAddr, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	n, err := openNight(ctx, conn, s)
	if err != nil {
		return err
	}
	sayf("scoring %d events of %d accounts yesterday, on %s", eventsEach*b.many, b.many, engine)
	if err := n.yesterday(ctx, b.many); err != nil {
		return fmt.Errorf("scoring yesterday's events: %w", err)
	}
	sayf("midnight")
	return n.pass(ctx, b, engine)
}

// night is a log and a store at the end of a day.
type night struct {
	log      *yesterdayLog
	store    store.Store
	rejects  *reject.Stream
	pressure *pressure.Board
	// alerts is told what is decided; nil: nobody is.
	alerts *alertlog.Log
}

func openNight(ctx context.Context, conn *nats.Conn, s store.Store) (*night, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	log, err := eventlog.Open(ctx, conn, eventlog.Options{})
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	n := &night{log: &yesterdayLog{Log: log}, store: s}
	n.log.last.Store(math.MaxUint64)
	if n.rejects, err = reject.Open(ctx, log.JetStream(), reject.Options{}); err != nil {
		return nil, fmt.Errorf("opening rejects: %w", err)
	}
	if n.pressure, err = pressure.Open(ctx, log.JetStream(), 1); err != nil {
		return nil, fmt.Errorf("opening the board of pressure: %w", err)
	}
	return n, nil
}

// yesterday scores the events of all accounts as if they had come a day earlier.
func (n *night) yesterday(ctx context.Context, accounts int) error {
	return n.scoring(ctx, func(ctx context.Context) error {
		err := fill(ctx, n.log.Log, filling{
			to: eventsEach * accounts, batch: bigBatch, pick: inTurn(accounts),
			item: func(layout eventlog.Layout, n, account int) eventlog.Item {
				id := fmt.Sprintf("account-%d", account)
				return eventlog.Item{Partition: layout.Partition("default", id), Record: timeless(id, fmt.Sprintf("yesterday-%d", n))}
			},
		})
		if err != nil {
			return fmt.Errorf("filling the log: %w", err)
		}
		return n.await(ctx, sweeping, uint64(eventsEach*accounts)) //nolint:gosec // positive
	})
}

// pass lets the next day begin, with nothing in memory, and measures until every account has arrived in it.
func (n *night) pass(ctx context.Context, b *bench, engine string) error {
	return n.scoring(ctx, func(ctx context.Context) (err error) {
		seen, err := follow(ctx, n.store, n.log.Layout().Partitions)
		if err != nil {
			return fmt.Errorf("watching the store: %w", err)
		}
		info, err := n.log.Info(ctx, 0)
		if err != nil {
			return errors.Join(fmt.Errorf("asking for the end of yesterday: %w", err), seen.close())
		}
		n.log.last.Store(info.Last)
		begun := time.Now()
		today := health.DayOf(begun.UnixMicro())
		load := drip(ctx, n.log.Log)
		err = n.await(ctx, func(s *fold.State) bool { return health.DayOf(s.LogTime) != today || sweeping(s) }, 0)
		took := time.Since(begun)
		err = errors.Join(err, load.close())
		if err == nil {
			err = load.awaitLast(ctx, seen)
		}
		if err = errors.Join(err, seen.close()); err != nil {
			return err
		}
		times, err := load.fresh(seen)
		if err != nil {
			return err
		}
		slices.Sort(times)
		return b.report.all("o",
			figure{Name: fmt.Sprintf("midnight roll of %d accounts, %s", b.many, engine), Value: took.Seconds(), Unit: "s"},
			figure{Name: "the same, speed, " + engine, Value: float64(b.many) / took.Seconds(), Unit: "accounts/s"},
			figure{Name: "live event meanwhile, p50, " + engine, Value: milliseconds(times[len(times)/2]), Unit: "ms"},
			figure{Name: "live event meanwhile, longest, " + engine, Value: milliseconds(times[len(times)-1]), Unit: "ms"},
		)
	})
}

// scoring calls f while a scoring service runs on the log and the store.
func (n *night) scoring(ctx context.Context, f func(ctx context.Context) error) error {
	writer := n.log.NewWriter(eventlog.WriterOptions{})
	deps := scoring.Deps{
		Log: n.log, Store: n.store, Rejects: n.rejects, Pressure: n.pressure, Writer: writer,
		Logger: slog.New(slog.DiscardHandler), Tracer: trace.NewTracerProvider(), Meter: metric.NewMeterProvider(),
	}
	if n.alerts != nil {
		deps.Alerts = n.alerts
	}
	service, err := scoring.New(scoring.Config{Now: n.log.now}, deps)
	if err != nil {
		return errors.Join(fmt.Errorf("making the service: %w", err), writer.Close(ctx))
	}
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- service.Run(running) }()
	err = until(ctx, time.Minute, service.Ready)
	if err == nil {
		err = f(ctx)
	}
	cancel()
	return errors.Join(err, <-done, writer.Close(ctx))
}

// await waits until no partition's state is unfinished and so many events are counted.
func (n *night) await(ctx context.Context, unfinished func(*fold.State) bool, counted uint64) error {
	return until(ctx, patience, func() error {
		sum := uint64(0)
		for p := range n.log.Layout().Partitions {
			head, _, err := n.store.Read(ctx, p)
			if err != nil {
				return fmt.Errorf("reading the head of partition %d: %w", p, err)
			}
			state, err := fold.DecodeState(head.State)
			if err != nil {
				return fmt.Errorf("reading the state of partition %d: %w", p, err)
			}
			if sum += state.Counted; unfinished(&state) {
				return fmt.Errorf("partition %d is at %d of %d accounts", p, state.SweepAt, state.SweepEnd)
			}
		}
		if sum < counted {
			return fmt.Errorf("%d of %d events counted", sum, counted)
		}
		return nil
	})
}

func sweeping(s *fold.State) bool { return s.SweepAt < s.SweepEnd }
