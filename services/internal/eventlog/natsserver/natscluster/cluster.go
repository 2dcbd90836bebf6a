package natscluster

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	loopback = "127.0.0.1"
	// nowhere is an address at which nobody listens.
	nowhere = loopback + ":1"
	// maxPayload is natsserver's.
	maxPayload      = 8 << 20
	defaultMaxStore = 20 << 30
	nodes           = 3
	often           = 10 * time.Millisecond
)

// Options of a cluster. Zero values work.
type Options struct {
	// SyncAlways makes the servers write to the disk before they acknowledge.
	SyncAlways bool
	// MaxStore bounds the streams of each node, bytes; 0: 20 GiB.
	MaxStore int64
}

// Cluster is three nodes.
type Cluster struct {
	options Options
	nodes   []*Node
}

// Start starts a cluster that ends with the test, and returns when it can make streams.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()

	if o.MaxStore == 0 {
		o.MaxStore = defaultMaxStore
	}

	c := &Cluster{options: o}
	dir := t.TempDir()

	for i := range nodes {
		name := "n" + strconv.Itoa(i)
		c.nodes = append(c.nodes, &Node{
			name: name, dir: filepath.Join(dir, name), cluster: c, clients: newLink(t), out: map[int]*link{},
		})
	}

	for i, from := range c.nodes {
		for j, to := range c.nodes {
			if i != j {
				l := newLink(t)
				from.out[j] = l
				to.in = append(to.in, l)
			}
		}
	}

	t.Cleanup(func() { c.Stop(c.nodes...) })
	c.StartNodes(t, c.nodes...)
	c.AwaitLeader(t)

	return c
}

// Nodes of the cluster.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// URL names all nodes, for a client.
func (c *Cluster) URL() string {
	urls := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		urls[i] = n.URL()
	}

	return strings.Join(urls, ",")
}

// Stop ends several nodes at once, in order.
func (c *Cluster) Stop(nodes ...*Node) {
	for _, n := range nodes {
		n.Stop()
	}
}

// StartNodes starts several nodes.
func (c *Cluster) StartNodes(t testing.TB, nodes ...*Node) {
	t.Helper()

	for _, n := range nodes {
		n.Start(t)
	}
}

// patience bounds every wait.
const patience = time.Minute

// AwaitLeader waits until the cluster has a leader that knows all running nodes.
func (c *Cluster) AwaitLeader(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		running := 0

		for _, n := range c.nodes {
			if n.server != nil {
				running++
			}
		}

		for _, n := range c.nodes {
			if n.server != nil && n.server.JetStreamIsLeader() && len(n.server.JetStreamClusterPeers()) >= running {
				return true
			}
		}

		return false
	}, patience, often, "the cluster has no leader")
}

// Leader is the node that leads a stream; it waits for one.
func (c *Cluster) Leader(t testing.TB, stream string) *Node {
	t.Helper()

	var leader *Node

	require.Eventually(t, func() bool {
		for _, n := range c.nodes {
			if n.Leads(stream) {
				leader = n
			}
		}

		return leader != nil
	}, patience, often, "%s has no leader", stream)

	return leader
}

// Others are all nodes but one.
func (c *Cluster) Others(one *Node) []*Node {
	var others []*Node

	for _, n := range c.nodes {
		if n != one {
			others = append(others, n)
		}
	}

	return others
}

// AwaitCurrent waits until every running node has a complete copy of a stream.
func (c *Cluster) AwaitCurrent(t testing.TB, stream string) {
	t.Helper()
	c.Leader(t, stream)
	require.Eventually(t, func() bool {
		for _, n := range c.nodes {
			if n.server != nil && !n.Current(stream) {
				return false
			}
		}

		return true
	}, patience, often, "a copy of %s is not complete", stream)
}
