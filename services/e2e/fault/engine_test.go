package fault_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/rig"
)

// impatience keeps a client from waiting for a server that is stopped.
const impatience = 300 * time.Millisecond

// engines are the clusters of a fleet alone, in use.
type engines struct {
	fleet *rig.Fleet
	redis *redis.ClusterClient
	js    jetstream.JetStream
}

func startEngines(t *testing.T) *engines {
	t.Helper()
	f, err := rig.NewFleet(t.TempDir(), rig.FleetOptions{
		Programs: programs, DiskBytes: 64 << 20, Ingest: -1, Scoring: -1, Query: -1,
	})
	if err != nil {
		require.ErrorIs(t, err, rig.ErrNoDisk)
		f, err = rig.NewFleet(t.TempDir(), rig.FleetOptions{Programs: programs, Ingest: -1, Scoring: -1, Query: -1})
	}
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	require.NoError(t, f.Start(t.Context()))
	e := &engines{fleet: f}
	var addrs []string
	for _, n := range f.Redis.Nodes {
		addrs = append(addrs, n.Client.Addr())
	}
	e.redis = redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addrs, ReadTimeout: impatience, WriteTimeout: impatience, DialTimeout: impatience,
	})
	t.Cleanup(func() { require.NoError(t, e.redis.Close()) })
	var urls []string
	for _, n := range f.NATS {
		urls = append(urls, "nats://"+n.Addr)
	}
	conn, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	e.js, err = jetstream.New(conn)
	require.NoError(t, err)
	return e
}

// once plans one fault of a class, whichever the seed makes.
func (e *engines) once(t *testing.T, class fault.Class) fault.Fault {
	t.Helper()
	steps, err := fault.Plan(fault.Options{Seed: 1, Faults: 1, Classes: []fault.Class{class}}, e.fleet)
	require.NoError(t, err)
	return steps[0].Faults[0].Fault
}

// write writes a value under each key.
func (e *engines) write(t *testing.T, value string) {
	t.Helper()
	for _, k := range keys() {
		require.NoError(t, rig.Until(t.Context(), func() error {
			err := e.redis.Set(t.Context(), k, value, 0).Err()
			if err != nil {
				e.redis.ReloadState(t.Context())
			}
			return err
		}))
	}
}

// count tells how many keys have the value.
func (e *engines) count(t *testing.T, value string) int {
	t.Helper()
	n := 0
	for _, k := range keys() {
		var got string
		require.NoError(t, rig.Until(t.Context(), func() error {
			var err error
			if got, err = e.redis.Get(t.Context(), k).Result(); errors.Is(err, redis.Nil) {
				return nil
			}
			return err
		}))
		if got == value {
			n++
		}
	}
	return n
}

// keys are spread over all shards; the first ones lie where partition 0 does.
func keys() []string {
	all := []string{"{0.3nl}a", "{0.3nl}b", "{0.3nl}c"}
	for c := 'a'; c <= 'z'; c++ {
		all = append(all, string(c))
	}
	return all
}

func TestEngines(t *testing.T) {
	t.Parallel()
	e := startEngines(t)
	all := len(keys())
	inject := func(t *testing.T, f fault.Fault) {
		t.Helper()
		require.NoError(t, f.Inject(t.Context(), e.fleet), "%s", f)
	}
	heal := func(t *testing.T, f fault.Fault) {
		t.Helper()
		require.NoError(t, f.Heal(t.Context(), e.fleet), "%s", f)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, fault.Settle(ctx, e.fleet), "%s", f)
	}
	t.Run("a failover loses what the replica had not got", func(t *testing.T) {
		e.write(t, "old")
		require.NoError(t, fault.Settle(t.Context(), e.fleet))
		f := e.once(t, fault.RedisFailover)
		inject(t, f)
		e.write(t, "new")
		heal(t, f)
		kept := e.count(t, "new")
		require.Less(t, kept, all)
		require.Positive(t, kept, "the other shards kept theirs")
		require.Equal(t, all, kept+e.count(t, "old"), "the lost writes' place is taken by what was there before")
	})
	t.Run("a wiped shard is empty, and takes writes", func(t *testing.T) {
		e.write(t, "kept")
		f := e.once(t, fault.RedisWiped)
		inject(t, f)
		heal(t, f)
		kept := e.count(t, "kept")
		require.Less(t, kept, all)
		require.Positive(t, kept)
		e.write(t, "again")
		require.Equal(t, all, e.count(t, "again"))
	})
	t.Run("a master is flushed while clients are connected", func(t *testing.T) {
		e.write(t, "kept")
		f := e.once(t, fault.RedisFlushed)
		inject(t, f)
		heal(t, f)
		require.Less(t, e.count(t, "kept"), all)
	})
	t.Run("a slot moves with its keys, there and back", func(t *testing.T) {
		e.write(t, "moved")
		slot := rig.SlotOf(0)
		from, _, err := e.fleet.Redis.Owner(t.Context(), slot)
		require.NoError(t, err)
		to := (from + 1) % e.fleet.Redis.Shards()
		n, err := e.fleet.Redis.Move(t.Context(), slot, to, 0)
		require.NoError(t, err)
		require.Equal(t, 3, n)
		now, _, err := e.fleet.Redis.Owner(t.Context(), slot)
		require.NoError(t, err)
		require.Equal(t, to, now)
		require.Equal(t, all, e.count(t, "moved"))
		f := e.once(t, fault.SlotMigration)
		inject(t, f)
		heal(t, f)
		require.Equal(t, all, e.count(t, "moved"))
	})
	t.Run("a killed or paused master is replaced, and comes back as a replica", func(t *testing.T) {
		f := e.once(t, fault.PauseRedis)
		var before [3]string
		for k := range before {
			roles, err := e.fleet.Redis.Roles(t.Context(), k)
			require.NoError(t, err)
			before[k] = roles.Master.Name
		}
		inject(t, f)
		e.write(t, "replaced")
		heal(t, f)
		changed := 0
		for k := range before {
			roles, err := e.fleet.Redis.Roles(t.Context(), k)
			require.NoError(t, err)
			if roles.Master.Name != before[k] {
				changed++
			}
		}
		require.Equal(t, 1, changed)
		require.Equal(t, all, e.count(t, "replaced"))
	})
	t.Run("a nats node whose disk is replaced gets everything again", func(t *testing.T) {
		stream, err := e.js.CreateStream(t.Context(), jetstream.StreamConfig{
			Name: "S", Subjects: []string{"s"}, Replicas: 3, MaxBytes: 1 << 20,
		})
		require.NoError(t, err)
		publish := func() {
			require.NoError(t, rig.Until(t.Context(), func() error {
				_, err := e.js.Publish(t.Context(), "s", []byte("x"))
				return err
			}))
		}
		publish()
		f := e.once(t, fault.NATSWiped)
		inject(t, f)
		publish()
		heal(t, f)
		info, err := stream.Info(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2, info.State.Msgs)
	})
	t.Run("full disks are really full", func(t *testing.T) {
		if e.fleet.NATS[2].Disk == nil {
			require.ErrorIs(t, e.once(t, fault.FullNATS).Inject(t.Context(), e.fleet), rig.ErrNoDisk)
			return
		}
		for _, class := range []fault.Class{fault.FullNATS, fault.FullRedis} {
			f := e.once(t, class)
			inject(t, f)
			if class == fault.FullRedis {
				node := e.fleet.Redis.Nodes[0]
				require.NoError(t, node.Leads(t.Context()))
				require.Eventually(t, func() bool { // everysec: it notices within a second or two
					for _, k := range keys() {
						err := e.redis.Set(t.Context(), k, make([]byte, 4096), 0).Err()
						if redis.HasErrorPrefix(err, "MISCONF") {
							return true
						}
					}
					return false
				}, 10*time.Second, 10*time.Millisecond, "a master without room refuses writes")
			}
			heal(t, f)
			e.write(t, "after "+string(class))
		}
	})
}
