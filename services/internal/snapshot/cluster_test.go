package snapshot_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
)

const clusterPatience = time.Minute

// cluster is three servers.
type cluster struct {
	servers []*server.Server
}

// startCluster starts three servers that keep everything three times.
func startCluster(t testing.TB) *cluster {
	t.Helper()

	// Servers must know each other's ports before they start. What is free now may be taken by then: start anew.
	var c *cluster
	for range 5 {
		if c = tryCluster(t); c != nil {
			break
		}
	}

	require.NotNil(t, c, "no ports for a cluster")

	js := c.connect(t)

	require.Eventually(t, func() bool {
		_, err := js.AccountInfo(t.Context())

		return err == nil
	}, clusterPatience, 50*time.Millisecond, "the cluster has no leader")

	return c
}

// connect is what one more process has.
func (c *cluster) connect(t testing.TB) jetstream.JetStream {
	t.Helper()

	urls := make([]string, len(c.servers))
	for i, s := range c.servers {
		urls[i] = s.ClientURL()
	}

	conn, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	js, err := jetstream.New(conn)
	require.NoError(t, err)

	return js
}

// stopLeader stops the server that leads the bucket's stream.
func (c *cluster) stopLeader(t testing.TB) {
	t.Helper()

	stream, err := c.connect(t).Stream(t.Context(), "OBJ_hale_snapshots")
	require.NoError(t, err)

	for _, s := range c.servers {
		if s.Name() == stream.CachedInfo().Cluster.Leader {
			s.Shutdown()
			s.WaitForShutdown()

			return
		}
	}

	require.Fail(t, "nobody leads the stream")
}

// freePorts are three that nobody uses at the moment.
func freePorts(t testing.TB) (ports []int, routes []*url.URL) {
	t.Helper()

	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)

		defer func() { require.NoError(t, l.Close()) }() // so that all differ

		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
	}

	return ports, routes
}

func tryCluster(t testing.TB) *cluster {
	t.Helper()

	c := &cluster{}
	ports, routes := freePorts(t)

	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "hale", Host: "127.0.0.1", Port: port},
		})
		require.NoError(t, err)
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		s.Start()

		if !s.ReadyForConnections(clusterPatience) {
			return nil
		}

		c.servers = append(c.servers, s)
	}

	return c
}

func TestObjectStoreInCluster(t *testing.T) {
	t.Parallel()

	c := startCluster(t)
	archive := func() *snapshot.Archive {
		v := openPlace(t, "", snapshot.OpenOptions{JetStream: c.connect(t), Replicas: 3})
		a, err := snapshot.NewArchive(v, snapshot.ArchiveOptions{Layout: layout, Dir: t.TempDir()})
		require.NoError(t, err)

		return a
	}

	// Many processes that make the bucket at once, before its stream has a leader.
	var all sync.WaitGroup
	for i := range 8 {
		js := c.connect(t)

		all.Go(func() {
			v, err := snapshot.Open(t.Context(), "", snapshot.OpenOptions{JetStream: js, Replicas: 3})
			if err == nil {
				err = v.Put(t.Context(), fmt.Sprintf("first/%d", i), strings.NewReader("x"))
			}

			if err != nil {
				t.Error(err)
			}
		})
	}

	all.Wait()

	// What one process has stored, another one sees at once: nobody asks a replica that is behind.
	one, two := archive(), archive()

	for cursor := range uint64(10) {
		info, err := one.Create(t.Context(), 7, filler(cursor, entry(1)))
		require.NoError(t, err)
		found, _, err := two.Newest(t.Context(), 7, nil)
		require.NoError(t, err)
		require.Equal(t, info, found)
	}

	// Nothing is lost with a server, and what was asked meanwhile is answered by the next leader.
	c.stopLeader(t)

	_, err := two.Create(t.Context(), 7, filler(10, entry(1)))
	require.NoError(t, err)

	found, err := one.List(t.Context(), 7)
	require.NoError(t, err)
	require.Len(t, found, 11)

	fresh := archive()
	removed, err := fresh.Prune(t.Context(), 7, 11)
	require.NoError(t, err)
	require.Zero(t, removed, "all are good")
}
