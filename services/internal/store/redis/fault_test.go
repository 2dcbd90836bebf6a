package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

// TestClusterFaults kills servers of one cluster, one after the other.
func TestClusterFaults(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, redistest.Durable()...)
	t.Run("an ordered failover loses nothing", func(t *testing.T) { testOrderedFailover(t, cluster) })
	t.Run("commits, reads and watches go on after a master was killed", func(t *testing.T) { testKilled(t, cluster) })
	t.Run("a failover that loses writes sets the cursor back, and everybody hears of it", func(t *testing.T) { testLoss(t, cluster) })
	t.Run("a master that is frozen is replaced", func(t *testing.T) { testFrozen(t, cluster) })
	t.Run("a cluster without a majority refuses, and goes on when it is back", func(t *testing.T) { testMajority(t, cluster) })
}

func testOrderedFailover(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	s := open(t, redis.Options{URL: cluster.URL(), Prefix: "ordered:"})
	v := startView(t, s, 1, 0)
	l := startLoad(t, s, 0)
	for range 2 {
		l.goesOn(t, 50)
		cluster.Failover(cluster.ReplicaOf(cluster.MasterOf(slot0)))
		l.goesOn(t, 50)
	}
	h := l.end(t)
	require.Equal(t, l.known, h.Cursor)
	v.reaches(t, h.Cursor)
}

func testKilled(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	s := open(t, redis.Options{URL: cluster.URL(), Prefix: "killed:"})
	v := startView(t, s, 3, 0)
	others := startLoad(t, s, 1) // its master lives
	l := startLoad(t, s, 0)
	l.goesOn(t, 50)
	master := cluster.MasterOf(slot0)
	replica := cluster.ReplicaOf(master)
	master.Kill()
	before := others.cursor()
	cluster.WaitMaster(replica)
	l.goesOn(t, 50)
	require.Greater(t, others.cursor(), before)
	require.NoError(t, s.Check(t.Context()))
	h := l.end(t)
	v.reaches(t, h.Cursor)
	others.end(t)
	master.Start()
	cluster.WaitWhole()
}

// testLoss kills a master whose last writes its replica does not have.
func testLoss(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	s := open(t, redis.Options{URL: cluster.URL(), Prefix: "loss:"})
	old, err := s.Claim(t.Context(), 0, store.Lease{Owner: "old", TTL: time.Minute})
	require.NoError(t, err)
	commit := func(h store.Head, n int) store.Head {
		for range n {
			c := entry(0, h)
			c.Lease = store.Lease{}
			require.NoError(t, s.Commit(t.Context(), c))
			h.Cursor, h.State, h.Revision = c.Cursor, c.State, h.Revision+1
		}
		return h
	}
	kept := commit(old, 20)
	v := startView(t, s, 1, 0)
	master := cluster.MasterOf(slot0)
	replica := cluster.ReplicaOf(master)
	require.Eventually(t, func() bool { return synced(t, master, replica) }, patience, 10*time.Millisecond)
	heal := cluster.CutReplica(replica, master)
	gone := commit(kept, 10)
	v.reaches(t, gone.Cursor)
	require.Equal(t, 1, v.count())
	master.Kill()
	cluster.WaitMaster(replica)
	require.Eventually(t, func() bool { return v.count() == 2 }, patience, time.Millisecond, "the watcher is told that it lost its place")
	v.reaches(t, kept.Cursor)

	err = s.Commit(t.Context(), entry(0, gone))
	require.ErrorIs(t, err, store.ErrFenced)
	require.Equal(t, kept, exact(t, s, 0))
	next := commit(kept, 5) // the same owner may go on from what is stored
	v.reaches(t, next.Cursor)
	fresh, err := s.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)
	require.Greater(t, fresh.Epoch, gone.Epoch)
	commit(fresh, 5)
	require.Equal(t, uint64(30), exact(t, s, 0).Cursor)
	require.Equal(t, 2, v.count())

	master.Start()
	heal()
	cluster.WaitWhole()
	require.Equal(t, uint64(30), exact(t, s, 0).Cursor)
}

// synced reports whether a replica has all of its master's writes.
func synced(t *testing.T, master, replica *redistest.Server) bool {
	t.Helper()
	offset := func(s *redistest.Server) string {
		c := s.Client()
		defer func() { require.NoError(t, c.Close()) }()
		info, err := c.InfoMap(t.Context(), "replication").Result()
		require.NoError(t, err)
		return info["Replication"]["master_repl_offset"]
	}
	return offset(master) == offset(replica)
}

func testFrozen(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	s := open(t, redis.Options{URL: cluster.URL(), Prefix: "frozen:", Timeout: time.Second})
	v := startView(t, s, 1, 0)
	l := startLoad(t, s, 0)
	l.goesOn(t, 50)
	master := cluster.MasterOf(slot0)
	replica := cluster.ReplicaOf(master)
	master.Freeze()
	l.goesOn(t, 50)
	master.Thaw()
	cluster.WaitMaster(replica)
	cluster.WaitWhole()
	l.goesOn(t, 50)
	v.reaches(t, l.end(t).Cursor)
}

// testMajority kills two of three masters, so that nobody can be elected.
func testMajority(t *testing.T, cluster *redistest.Cluster) {
	t.Helper()
	s := open(t, redis.Options{URL: cluster.URL(), Prefix: "majority:", Patience: 300 * time.Millisecond})
	heads := map[int]store.Head{}
	commit := func(p int) error {
		c := entry(p, heads[p])
		err := s.Commit(t.Context(), c)
		if err == nil {
			h := heads[p]
			h.Cursor, h.State, h.Revision = c.Cursor, c.State, h.Revision+1
			heads[p] = h
		}
		return err
	}
	for p := range 4 {
		heads[p] = claimed(t, s, p)
		require.NoError(t, commit(p))
	}
	v := startView(t, s, 4, 0)
	living := cluster.MasterOf(slot0)
	var killed []*redistest.Server
	for _, slot := range []int{8192, 16383} {
		master := cluster.MasterOf(slot)
		require.NotSame(t, living, master)
		killed = append(killed, master)
	}
	for _, master := range killed {
		master.Kill()
	}
	require.Eventually(t, func() bool { // of partition 0, whose master lives
		return store.HasReason(commit(0), store.ReasonClusterDown)
	}, patience, time.Millisecond)
	_, _, err := s.Read(t.Context(), 0)
	require.True(t, store.HasReason(err, store.ReasonClusterDown), "%v", err)
	err = commit(1) // its master is gone
	require.True(t, store.HasReason(err, store.ReasonUnreachable), "%v", err)
	require.Error(t, s.Check(t.Context()))
	for _, master := range killed {
		master.Start()
	}
	cluster.WaitWhole()
	for p := range 4 {
		require.Eventually(t, func() bool {
			h, err := s.Claim(context.Background(), p, store.Lease{})
			if err != nil {
				return false
			}
			heads[p] = h
			return commit(p) == nil
		}, patience, time.Millisecond)
		exact(t, s, p)
	}
	require.NoError(t, s.Check(t.Context()))
	v.reaches(t, heads[0].Cursor)
}
