package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/store"
)

// site is a running deployment, single servers or clusters, with its log and its store opened beside the services.
type site struct {
	log     *eventlog.Log
	heads   *rig.Heads
	keys    rig.Keys
	ingest  string // address of HTTP
	kinds   []kind
	scoring []*rig.Process
	stop    func()
	// ready waits until a scoring process says that it is ready.
	ready func(ctx context.Context, p *rig.Process) error
}

// kind is the processes of a kind.
type kind struct {
	name      string
	processes []*rig.Process
}

// singleSite runs scoring processes on one nats-server and one redis-server.
func singleSite(ctx context.Context, b *bench, o rig.Options, scorers int) (*site, error) {
	c, stop, err := startClusterOf(ctx, b, o)
	if err != nil {
		return nil, err
	}
	s := &site{keys: c.Keys, ingest: c.IngestHTTP, scoring: []*rig.Process{c.Scoring}, stop: stop, ready: c.WaitReady}
	for range scorers - 1 {
		p, err := c.AddScoring()
		if err == nil {
			err = errors.Join(p.Start(), c.WaitReady(ctx, p))
		}
		if err != nil {
			stop()
			return nil, fmt.Errorf("starting one more scoring process: %w", err)
		}
		s.scoring = append(s.scoring, p)
	}
	s.kinds = []kind{
		{"ingest", []*rig.Process{c.Ingest}},
		{"nats", []*rig.Process{c.NATS}},
		{"scoring", s.scoring},
		{"redis", []*rig.Process{c.Redis}},
		{"query", []*rig.Process{c.Query}},
	}
	return s.open(ctx, "nats://"+c.NATSAddr, "redis://"+c.RedisAddr)
}

// clusterSite runs three scoring processes, one ingest and one query, on clusters of three nats-servers and of three
// redis-servers with their replicas.
func clusterSite(ctx context.Context, b *bench) (*site, error) {
	replicas := b.replicas
	if replicas == 0 {
		replicas = -1 // the rig's word for none
	}
	dir, err := os.MkdirTemp(b.dir, "clusters-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	f, err := rig.NewFleet(dir, rig.FleetOptions{
		Programs: b.programs, Direct: true, Replicas: replicas, Ingest: 1, Query: 1,
		Args: []string{"--events-max-bytes", "16GiB"},
	})
	if err != nil {
		return nil, fmt.Errorf("laying out clusters: %w", err)
	}
	stop := func() {
		f.Stop()
		_ = os.RemoveAll(dir)
	}
	if err := f.Start(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("starting clusters: %w", err)
	}
	s := &site{keys: f.Keys, ingest: f.Ingest[0].HTTP, stop: stop}
	s.ready = func(ctx context.Context, p *rig.Process) error {
		for _, one := range f.Scoring {
			if one.Process == p {
				return one.WaitReady(ctx)
			}
		}
		return fmt.Errorf("%s is no scoring process", p.Name)
	}
	for _, p := range f.Scoring {
		s.scoring = append(s.scoring, p.Process)
	}
	var servers, stores []*rig.Process
	for _, n := range f.NATS {
		servers = append(servers, n.Process)
	}
	for _, n := range f.Redis.Nodes {
		stores = append(stores, n.Process)
	}
	s.kinds = []kind{
		{"ingest", []*rig.Process{f.Ingest[0].Process}},
		{"nats", servers},
		{"scoring", s.scoring},
		{"redis", stores},
		{"query", []*rig.Process{f.Query[0].Process}},
	}
	return s.open(ctx, "nats://"+f.NATS[0].Addr, f.Redis.URL())
}

// besides opens the log and the store of a cluster that somebody else stops.
func besides(ctx context.Context, c *rig.Cluster) (*site, error) {
	s := &site{keys: c.Keys, scoring: []*rig.Process{c.Scoring}, stop: func() {}}
	return s.open(ctx, "nats://"+c.NATSAddr, "redis://"+c.RedisAddr)
}

// open opens log and store. If that fails the deployment is stopped.
func (s *site) open(ctx context.Context, natsURL, redisURL string) (*site, error) {
	halt := s.stop
	conn, err := nats.Connect(natsURL)
	if err != nil {
		halt()
		return nil, fmt.Errorf("connecting to %s: %w", natsURL, err)
	}
	s.stop = func() {
		conn.Close()
		halt()
	}
	if s.log, err = eventlog.Open(ctx, conn, eventlog.Options{}); err != nil {
		s.stop()
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	if s.heads, err = rig.OpenHeads(ctx, redisURL, s.log.Layout().Partitions); err != nil {
		s.stop()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	s.stop = func() {
		s.heads.Close()
		conn.Close()
		halt()
	}
	return s, nil
}

func (s *site) partitions() int { return s.log.Layout().Partitions }

func (s *site) store() store.Store { return s.heads.Store() }

// counted waits until n events are in the scores.
func (s *site) counted(ctx context.Context, n int) error {
	return awaitCounted(ctx, s.heads, uint64(n)) //nolint:gosec // positive
}

// cpu is the processor time that each kind of process has used.
func (s *site) cpu() (map[string]time.Duration, error) {
	spent := map[string]time.Duration{}
	for _, k := range s.kinds {
		for _, p := range k.processes {
			t, err := p.CPU()
			if err != nil {
				return nil, fmt.Errorf("reading processor time: %w", err)
			}
			spent[k.name] += t
		}
	}
	return spent, nil
}
