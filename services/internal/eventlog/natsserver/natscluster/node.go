package natscluster

import (
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// Node is one server of a cluster. Its methods are for one goroutine of the test.
type Node struct {
	name    string
	dir     string
	cluster *Cluster
	server  *server.Server // nil while it is down

	clients *link         // from clients
	in      []*link       // from the other nodes
	out     map[int]*link // to the other nodes, by number
}

// Name of the server, as JetStream names its leaders.
func (n *Node) Name() string { return n.name }

// Dir holds its streams.
func (n *Node) Dir() string { return n.dir }

// URL is where clients reach it, also after it was started again.
func (n *Node) URL() string { return "nats://" + n.clients.address() }

// Leads tells whether the node leads a stream.
func (n *Node) Leads(stream string) bool {
	return n.server != nil && n.server.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream)
}

// Current tells whether the node's copy of a stream is complete.
func (n *Node) Current(stream string) bool {
	return n.server != nil && n.server.JetStreamIsStreamCurrent(server.DEFAULT_GLOBAL_ACCOUNT, stream)
}

// Stop ends the server in order: what it leads goes over to others first.
func (n *Node) Stop() {
	if n.server == nil {
		return
	}

	n.lead("", "")
	n.server.Shutdown()
	n.server.WaitForShutdown()
	n.server = nil
}

// Kill ends the server as kill -9 would seem to all others: without a word.
func (n *Node) Kill() {
	n.Isolate()
	n.Stop()
	n.Rejoin()
}

// Wipe removes the files of a node that is down.
func (n *Node) Wipe(t testing.TB) {
	t.Helper()
	require.Nil(t, n.server, "a running node cannot be wiped")
	require.NoError(t, os.RemoveAll(n.dir))
}

// Restore replaces the files of a node that is down by a copy that Save made.
func (n *Node) Restore(t testing.TB, copied string) {
	t.Helper()
	n.Wipe(t)
	require.NoError(t, os.CopyFS(n.dir, os.DirFS(copied)))
}

// Save copies the files of a node that is down, and returns where they are.
func (n *Node) Save(t testing.TB) string {
	t.Helper()
	require.Nil(t, n.server, "the files of a running node change")

	copied := t.TempDir()
	require.NoError(t, os.CopyFS(copied, os.DirFS(n.dir)))

	return copied
}

// Isolate cuts the node off, from its clients too.
func (n *Node) Isolate() { n.set(cut) }

// Freeze lets nothing through to the node and from it, but closes no connection.
func (n *Node) Freeze() { n.set(frozen) }

// Rejoin ends what Isolate or Freeze began.
func (n *Node) Rejoin() { n.set(open) }

func (n *Node) set(s state) {
	n.clients.set(s)

	for _, l := range n.in {
		l.set(s)
	}

	for _, l := range n.out {
		l.set(s)
	}
}

// readyWait bounds the start of a server.
const readyWait = time.Minute

// Start starts a node that is down, on the files it has.
func (n *Node) Start(t testing.TB) {
	t.Helper()
	require.Nil(t, n.server, "the node runs")

	srv, err := server.NewServer(n.options())
	require.NoError(t, err)
	srv.Start()
	require.True(t, srv.ReadyForConnections(readyWait), "%s is not ready", n.name)

	n.server = srv
	n.lead(srv.Addr().String(), srv.ClusterAddr().String())
}

// lead says where clients, and other nodes, reach the server.
func (n *Node) lead(clients, nodes string) {
	n.clients.lead(clients)

	for _, l := range n.in {
		l.lead(nodes)
	}
}

func (n *Node) options() *server.Options {
	o := &server.Options{
		ServerName:             n.name,
		Host:                   loopback,
		Port:                   server.RANDOM_PORT,
		ClientAdvertise:        n.clients.address(),
		NoSigs:                 true,
		NoLog:                  true,
		JetStream:              true,
		DisableJetStreamBanner: true,
		StoreDir:               n.dir,
		SyncAlways:             n.cluster.options.SyncAlways,
		JetStreamMaxStore:      n.cluster.options.MaxStore,
		MaxPayload:             maxPayload,
		Cluster: server.ClusterOpts{
			Name: "hale-test", Host: loopback, Port: server.RANDOM_PORT, PoolSize: -1,
			Advertise: nowhere, // what the nodes tell each other would lead past the links
		},
	}
	for _, l := range n.out {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: l.address()})
	}

	return o
}
