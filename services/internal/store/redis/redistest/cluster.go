package redistest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const (
	masters     = 3
	slots       = 16384
	nodeTimeout = 2 * time.Second // after which the others take a server for dead
	formWithin  = 30 * time.Second
	moveBatch   = 100
	// orderTimeout is more than what a replica that was ordered to take over tries to for.
	orderTimeout = 6 * time.Second
)

// Cluster is a Redis Cluster of three masters with a replica each.
type Cluster struct {
	t testing.TB
	// Nodes are the servers: first those that began as masters, then a replica of each, in the same order.
	Nodes []*Server
}

// StartCluster starts a cluster, which ends with the test. Its servers have the arguments args (see redis-server).
func StartCluster(t testing.TB, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	var wg sync.WaitGroup
	started := make([]bool, 2*masters)
	for i := range 2 * masters {
		s := &Server{t: t, dir: t.TempDir()}
		t.Cleanup(s.Kill)
		c.Nodes = append(c.Nodes, s)
		wg.Go(func() {
			for range startTries { // another process may take a port first
				s.addr, s.bus = freeAddr(t), freeAddr(t)
				_, bus, _ := net.SplitHostPort(s.bus)
				s.args = append([]string{
					"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", strconv.FormatInt(nodeTimeout.Milliseconds(), 10),
					"--cluster-replica-validity-factor", "0", "--cluster-allow-replica-migration", "no", "--repl-ping-replica-period", "1",
				}, args...)
				if started[i] = s.launch(); started[i] {
					return
				}
			}
		})
	}
	wg.Wait()
	for i, s := range c.Nodes {
		if !started[i] {
			require.Fail(t, "redis-server does not start", s.Output())
		}
	}
	c.form()
	return c
}

// form makes a cluster of the servers.
func (c *Cluster) form() {
	c.t.Helper()
	ids := make([]string, len(c.Nodes))
	for i, s := range c.Nodes {
		ids[i] = s.do(c.t, "CLUSTER", "MYID")
		s.do(c.t, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i < masters {
			s.do(c.t, "CLUSTER", "ADDSLOTSRANGE", i*slots/masters, (i+1)*slots/masters-1)
		}
		host, port, _ := net.SplitHostPort(s.addr)
		_, bus, _ := net.SplitHostPort(s.bus)
		c.Nodes[0].do(c.t, "CLUSTER", "MEET", host, port, bus)
	}
	c.eventually("the servers know each other", func() bool {
		for _, s := range c.Nodes {
			if s.info("CLUSTER", "INFO")["cluster_known_nodes"] != strconv.Itoa(len(c.Nodes)) {
				return false
			}
		}
		return true
	})
	for i := range masters {
		c.eventually("the replica knows its master", func() bool {
			return c.Nodes[masters+i].try("CLUSTER", "REPLICATE", ids[i]) == nil
		})
	}
	c.WaitWhole()
}

// WaitWhole waits until every server that runs holds the cluster for whole, and every replica follows its master.
func (c *Cluster) WaitWhole() {
	c.t.Helper()
	c.eventually("the cluster is whole", func() bool {
		primaries := map[string]bool{}
		for _, s := range c.running() {
			state := s.info("CLUSTER", "INFO")
			role := s.info("INFO", "replication")
			if state["cluster_state"] != "ok" || state["cluster_slots_fail"] != "0" || state["cluster_slots_pfail"] != "0" {
				return false
			}
			if role["role"] == "slave" && role["master_link_status"] != "up" {
				return false
			}
			all := map[string]bool{}
			for _, shard := range s.shards() {
				primaries[shard.Nodes[0].Addr] = true
				for _, node := range shard.Nodes {
					all[node.Addr] = true
				}
			}
			if len(all) != len(c.running()) { // one who does not know a replica does not vote for it
				return false
			}
		}
		return len(primaries) == masters // all agree
	})
}

func (c *Cluster) eventually(what string, f func() bool) {
	c.t.Helper()
	require.Eventually(c.t, f, formWithin, 2*lookEvery, what)
}

func (c *Cluster) running() []*Server {
	var all []*Server
	for _, s := range c.Nodes {
		if s.PID() != 0 {
			all = append(all, s)
		}
	}
	return all
}

// URL returns the addresses of all servers as one URL.
func (c *Cluster) URL() string {
	addrs := make([]string, len(c.Nodes))
	for i, s := range c.Nodes {
		addrs[i] = s.addr
	}
	return "redis://" + strings.Join(addrs, ",")
}

// at returns the server with an address.
func (c *Cluster) at(addr string) *Server {
	for _, s := range c.Nodes {
		if s.addr == addr {
			return s
		}
	}
	return nil
}

// MasterOf returns the server that has a slot, as the servers that run tell. All must agree.
func (c *Cluster) MasterOf(slot int) *Server {
	c.t.Helper()
	var found *Server
	c.eventually("the servers agree who has the slot", func() bool {
		found = nil
		for _, s := range c.running() {
			owner := c.at(s.ownerOf(slot))
			if owner == nil || found != nil && owner != found {
				return false
			}
			found = owner
		}
		return found != nil
	})
	return found
}

// ReplicaOf returns the replica of a master, as the master tells.
func (c *Cluster) ReplicaOf(master *Server) *Server {
	c.t.Helper()
	_, port, _ := net.SplitHostPort(master.addr)
	for _, s := range c.running() {
		if role := s.info("INFO", "replication"); role["role"] == "slave" && role["master_port"] == port {
			return s
		}
	}
	require.Fail(c.t, "the master has no replica")
	return nil
}

// Failover makes a replica the master in place of its own, without loss.
func (c *Cluster) Failover(replica *Server) {
	c.t.Helper()
	var asked time.Time
	c.eventually("the failover is done", func() bool {
		if time.Since(asked) > orderTimeout {
			replica.do(c.t, "CLUSTER", "FAILOVER")
			asked = time.Now()
		}
		return replica.info("INFO", "replication")["role"] == "master"
	})
	c.WaitMaster(replica)
	c.WaitWhole()
}

// WaitMaster waits until a server is a master, also in the eyes of the others.
func (c *Cluster) WaitMaster(s *Server) {
	c.t.Helper()
	c.eventually("the replica becomes the master", func() bool {
		for _, other := range c.running() {
			found := false
			for _, addr := range other.primaries() {
				found = found || addr == s.addr
			}
			if !found {
				return false
			}
		}
		return true
	})
}

// CutReplica cuts a replica off its master, so that it gets no more writes, but can still take its place. The function
// that it returns heals the cut.
func (c *Cluster) CutReplica(replica, master *Server) (heal func()) {
	c.t.Helper()
	replica.do(c.t, "CONFIG", "SET", "masteruser", "nobody", "masterauth", "nothing")
	c.eventually("the replica is cut off", func() bool {
		_ = master.try("CLIENT", "KILL", "TYPE", "replica")
		return replica.info("INFO", "replication")["master_link_status"] == "down"
	})
	return func() {
		c.t.Helper()
		replica.do(c.t, "CONFIG", "SET", "masteruser", "", "masterauth", "")
	}
}

// MoveSlot moves a slot with all its keys from its master to another one, as an operator would. Between, if not nil,
// is called when half of the keys have moved, and then again when all have, before the servers learn of it.
func (c *Cluster) MoveSlot(slot int, to *Server, between func()) {
	c.t.Helper()
	from := c.MasterOf(slot)
	require.NotSame(c.t, from, to)
	fromID, toID := from.do(c.t, "CLUSTER", "MYID"), to.do(c.t, "CLUSTER", "MYID")
	to.do(c.t, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	from.do(c.t, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	all, err := strconv.Atoi(from.do(c.t, "CLUSTER", "COUNTKEYSINSLOT", slot))
	require.NoError(c.t, err)
	if between != nil {
		c.moveKeys(slot, from, to, all/2)
		between()
	}
	c.moveKeys(slot, from, to, -1)
	if between != nil {
		between()
	}
	to.do(c.t, "CLUSTER", "SETSLOT", slot, "NODE", toID) // first, or the slot may have nobody for a moment
	from.do(c.t, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	for _, s := range c.running() {
		if s != from && s != to && s.info("INFO", "replication")["role"] == "master" {
			s.do(c.t, "CLUSTER", "SETSLOT", slot, "NODE", toID)
		}
	}
}

// moveKeys moves n keys of a slot, or all; below 0.
func (c *Cluster) moveKeys(slot int, from, to *Server, n int) {
	c.t.Helper()
	client := from.Client()
	defer func() { _ = client.Close() }()
	host, port, _ := net.SplitHostPort(to.addr)
	for n != 0 {
		batch := moveBatch
		if n > 0 {
			batch = min(batch, n)
		}
		keys, err := client.ClusterGetKeysInSlot(context.Background(), slot, batch).Result()
		require.NoError(c.t, err)
		if len(keys) == 0 {
			return
		}
		args := []any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}
		for _, k := range keys {
			args = append(args, k)
		}
		require.NoError(c.t, client.Do(context.Background(), args...).Err())
		if n > 0 {
			n -= len(keys)
		}
	}
}

// do sends a command to the server, which must succeed, and returns its answer as text.
func (s *Server) do(t testing.TB, args ...any) string {
	t.Helper()
	c := s.Client()
	defer func() { _ = c.Close() }()
	got, err := c.Do(context.Background(), args...).Result()
	require.NoError(t, err, "%v", args)
	return fmt.Sprint(got)
}

func (s *Server) try(args ...any) error {
	c := s.Client()
	defer func() { _ = c.Close() }()
	return c.Do(context.Background(), args...).Err()
}

// info sends a command that answers with fields; none when the server does not answer.
func (s *Server) info(args ...any) map[string]string {
	c := s.Client()
	defer func() { _ = c.Close() }()
	fields := map[string]string{}
	text, _ := c.Do(context.Background(), args...).Text()
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[k] = v
		}
	}
	return fields
}

// shards returns who has which slots, as the server tells.
func (s *Server) shards() []redis.ClusterSlot {
	c := s.Client()
	defer func() { _ = c.Close() }()
	all, _ := c.ClusterSlots(context.Background()).Result() //nolint:staticcheck // what the driver itself asks for
	return all
}

// ownerOf returns the address of the server that has a slot.
func (s *Server) ownerOf(slot int) string {
	for _, shard := range s.shards() {
		if shard.Start <= slot && slot <= shard.End && len(shard.Nodes) > 0 {
			return shard.Nodes[0].Addr
		}
	}
	return ""
}

// primaries returns the addresses of all servers that have slots.
func (s *Server) primaries() []string {
	var addrs []string
	seen := map[string]bool{}
	for _, shard := range s.shards() {
		if len(shard.Nodes) > 0 && !seen[shard.Nodes[0].Addr] {
			seen[shard.Nodes[0].Addr] = true
			addrs = append(addrs, shard.Nodes[0].Addr)
		}
	}
	return addrs
}
