package rig

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// slots is how many slots a Redis Cluster has.
const slots = 16384

// RedisCluster is a cluster of redis-servers: shards of a master and its replicas.
type RedisCluster struct {
	Nodes    []*RedisNode
	shards   int
	replicas int
}

// newRedisCluster lays out the nodes: first one of each shard, then the second of each, and so on.
func newRedisCluster(
	dir string, programs Programs, network *Network, callers func() []*Process, shards, replicas int, disk *Disk,
) (*RedisCluster, error) {
	c := &RedisCluster{shards: shards, replicas: replicas}
	for i := range shards * (1 + replicas) {
		var own *Disk
		if i == 0 {
			own = disk
		}
		n, err := newRedisNode(dir, fmt.Sprintf("redis-%d", i+1), programs, network, callers, own)
		if err != nil {
			return nil, err
		}
		c.Nodes = append(c.Nodes, n)
	}
	return c, nil
}

// Shards is the number of shards.
func (c *RedisCluster) Shards() int { return c.shards }

// Shard returns the nodes of a shard, in no order.
func (c *RedisCluster) Shard(k int) []*RedisNode {
	var nodes []*RedisNode
	for i := k; i < len(c.Nodes); i += c.shards {
		nodes = append(nodes, c.Nodes[i])
	}
	return nodes
}

// URL is what clients are given: the announced addresses of all nodes.
func (c *RedisCluster) URL() string {
	hosts := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		hosts[i] = n.Client.Addr()
	}
	return "redis://" + strings.Join(hosts, ",")
}

// start starts all nodes and makes them a cluster.
func (c *RedisCluster) start(ctx context.Context) error {
	for _, n := range c.Nodes {
		if err := n.Start(); err != nil {
			return err
		}
	}
	for i, n := range c.Nodes {
		if err := Until(ctx, func() error { return n.admin.Ping(ctx).Err() }); err != nil {
			return fmt.Errorf("waiting for %s: %w", n.Name, err)
		}
		if err := n.admin.Do(ctx, "cluster", "set-config-epoch", i+1).Err(); err != nil {
			return fmt.Errorf("giving %s its epoch: %w", n.Name, err)
		}
	}
	for k := range c.shards {
		first, last := slots*k/c.shards, slots*(k+1)/c.shards-1
		if err := c.Nodes[k].admin.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
			return fmt.Errorf("giving slots to shard %d: %w", k, err)
		}
	}
	for _, n := range c.Nodes[1:] {
		if err := c.Nodes[0].meet(ctx, n); err != nil {
			return err
		}
	}
	if err := c.replicate(ctx); err != nil {
		return err
	}
	return Until(ctx, func() error { return c.Settled(ctx) })
}

// replicate makes all but the first node of each shard its replicas.
func (c *RedisCluster) replicate(ctx context.Context) error {
	for i, n := range c.Nodes[c.shards:] {
		master, err := c.Nodes[i%c.shards].ID(ctx)
		if err != nil {
			return err
		}
		if err := Until(ctx, func() error { return n.admin.ClusterReplicate(ctx, master).Err() }); err != nil {
			return fmt.Errorf("making %s a replica: %w", n.Name, err)
		}
	}
	return nil
}

// Roles of the nodes of a shard.
type Roles struct {
	Master   *RedisNode
	Replicas []*RedisNode
}

// Roles asks the nodes of a shard, of which all must answer, what they are.
func (c *RedisCluster) Roles(ctx context.Context, shard int) (Roles, error) {
	var r Roles
	for _, n := range c.Shard(shard) {
		info, err := n.replication(ctx)
		switch {
		case err != nil:
			return r, err
		case info["role"] != "master":
			r.Replicas = append(r.Replicas, n)
		case r.Master != nil:
			return r, fmt.Errorf("shard %d has two masters, %s and %s", shard, r.Master.Name, n.Name)
		default:
			r.Master = n
		}
	}
	if r.Master == nil {
		return r, fmt.Errorf("shard %d has no master", shard)
	}
	return r, nil
}

// Settled returns nil when every node sees a whole cluster, and every replica has caught up with its master.
func (c *RedisCluster) Settled(ctx context.Context) error {
	for _, n := range c.Nodes {
		if !n.Running() {
			return fmt.Errorf("%s does not run", n.Name)
		}
		if err := n.settled(ctx, len(c.Nodes)); err != nil {
			return err
		}
	}
	for k := range c.shards {
		roles, err := c.Roles(ctx, k)
		if err != nil {
			return err
		}
		for _, replica := range roles.Replicas {
			if err := roles.Master.caughtUp(ctx, replica); err != nil {
				return err
			}
		}
	}
	return nil
}

// errLeft is returned while a replica has not all that its master has.
var errLeft = errors.New("a replica is behind")

func (c *RedisCluster) close() {
	for _, n := range c.Nodes {
		n.close()
	}
}
