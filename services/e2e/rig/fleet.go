package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// Fleet is Hale as it runs on several machines: a cluster of nats-servers, a Redis Cluster, and several processes of
// each service. All that talk to each other do so over links that can be cut and delayed.
type Fleet struct {
	Dir                    string
	Network                *Network
	NATS                   []*NATSNode
	Redis                  *RedisCluster
	Ingest, Scoring, Query []*Service
	Keys                   Keys
	// Clock of the clients.
	Clock Clock
	// Partitions of the log.
	Partitions int

	disks []*Disk
	// callers are the programs that a front may have to tell apart; set when all are laid out.
	callers atomic.Pointer[[]*Process]
}

// NewFleet lays a fleet out in dir; nothing runs yet but the links.
func NewFleet(dir string, o FleetOptions) (*Fleet, error) {
	o.fill()
	f := &Fleet{Dir: dir, Partitions: o.Partitions}
	if o.Direct {
		f.Network = NewDirectNetwork()
	} else {
		f.Network = NewNetwork()
	}
	if err := f.layout(o); err != nil {
		f.Stop()
		return nil, err
	}
	return f, nil
}

func (f *Fleet) layout(o FleetOptions) error {
	disks := make([]*Disk, o.NATSNodes)
	var redisDisk *Disk
	if o.DiskBytes > 0 {
		for i, into := range []**Disk{&disks[o.NATSNodes-1], &redisDisk} {
			d, err := NewDisk(filepath.Join(f.Dir, "disk-"+strconv.Itoa(i+1)), o.DiskBytes)
			if err != nil {
				return err
			}
			*into = d
			f.disks = append(f.disks, d)
		}
	}
	var err error
	if f.NATS, err = newNATSNodes(f.Dir, o.Programs, f.Network, disks); err != nil {
		return err
	}
	f.Redis, err = newRedisCluster(f.Dir, o.Programs, f.Network, f.known, o.Shards, o.Replicas, redisDisk)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		into  *[]*Service
		name  string
		count int
	}{{&f.Ingest, "ingest", o.Ingest}, {&f.Scoring, "scoring", o.Scoring}, {&f.Query, "query", o.Query}} {
		for i := range s.count {
			service, err := f.service(s.name, i, o)
			if err != nil {
				return err
			}
			*s.into = append(*s.into, service)
		}
	}
	all := f.Processes()
	f.callers.Store(&all)
	return nil
}

// known are the programs of the fleet, as a front asks for them.
func (f *Fleet) known() []*Process {
	if all := f.callers.Load(); all != nil {
		return *all
	}
	return nil
}

// Services are all processes of Hale.
func (f *Fleet) Services() []*Service {
	return append(append(append([]*Service(nil), f.Scoring...), f.Query...), f.Ingest...)
}

// Processes are all programs of the fleet.
func (f *Fleet) Processes() []*Process {
	var all []*Process
	for _, s := range f.Services() {
		all = append(all, s.Process)
	}
	if f.Redis != nil {
		for _, n := range f.Redis.Nodes {
			all = append(all, n.Process)
		}
	}
	for _, n := range f.NATS {
		all = append(all, n.Process)
	}
	return all
}

// Start starts everything and waits until all of it is ready.
func (f *Fleet) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, n := range f.NATS {
		if err := n.Start(); err != nil {
			return err
		}
	}
	if err := f.Redis.start(ctx); err != nil {
		return err
	}
	if err := f.SettledNATS(ctx); err != nil {
		return err
	}
	for i, s := range f.Services() {
		if err := s.Start(); err != nil {
			return err
		}
		if i == 0 { // the first start makes keys and streams
			if err := s.WaitReady(ctx); err != nil {
				return err
			}
		}
	}
	for _, s := range f.Services() {
		if err := s.WaitReady(ctx); err != nil {
			return err
		}
	}
	if len(f.Services()) == 0 {
		return nil
	}
	var err error
	f.Keys, err = readKeys(filepath.Join(f.Dir, "data"))
	return err
}

// SettledNATS waits until every NATS node says that all of its streams have caught up.
func (f *Fleet) SettledNATS(ctx context.Context) error {
	for _, n := range f.NATS {
		if err := Until(ctx, func() error { return n.Healthy(ctx) }); err != nil {
			return fmt.Errorf("waiting for %s: %w", n.Name, err)
		}
	}
	return nil
}

// SettledRedis waits until every node of Redis sees a whole cluster.
func (f *Fleet) SettledRedis(ctx context.Context) error {
	if err := Until(ctx, func() error { return f.Redis.Settled(ctx) }); err != nil {
		return fmt.Errorf("waiting for redis: %w", err)
	}
	return nil
}

// Stop ends everything.
func (f *Fleet) Stop() {
	for _, p := range f.Processes() {
		p.Kill()
	}
	if f.Redis != nil {
		f.Redis.close()
	}
	f.Network.Close()
	for _, d := range f.disks {
		d.Close()
	}
}
