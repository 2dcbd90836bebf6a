package fault

import (
	"math/rand/v2"
	"time"

	"hale.dev/services/e2e/rig"
)

// dataKinds are the faults of what is stored, and of time.
func dataKinds() []kind {
	shard := func(r *rand.Rand, f *rig.Fleet) int { return r.IntN(f.Redis.Shards()) }
	return []kind{
		{RedisFailover, areaRedis, 2, time.Second, 3 * time.Second, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &failover{shard: shard(r, f)}
		}},
		{RedisWiped, areaRedis, 1, 0, time.Second, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &redisWipe{shard: shard(r, f)}
		}},
		{RedisFlushed, areaRedis, 1, 0, time.Second, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &redisFlush{shard: shard(r, f)}
		}},
		{SlotMigration, areaRedis, 2, 0, time.Second, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &migration{
				partition: r.IntN(f.Partitions), to: shard(r, f), pause: some(r, time.Millisecond, 40*time.Millisecond),
			}
		}},
		// So long that the others have chosen leaders before the node is back.
		{NATSWiped, areaNATS, 1, 10 * time.Second, 12 * time.Second, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &natsWipe{node: pick(r, f.NATS)}
		}},
		{FullNATS, areaNATS, 1, 3 * time.Second, 6 * time.Second, func(*rand.Rand, *rig.Fleet) Fault { return &natsFull{} }},
		{FullRedis, areaRedis, 1, 3 * time.Second, 6 * time.Second, func(*rand.Rand, *rig.Fleet) Fault { return &redisFull{} }},
		{ClockStep, areaClient, 3, time.Second, 4 * time.Second, newClockStep},
		// Once in a whole run is enough, see Plan.
		{RollingRestart, areaAll, 0, 0, 0, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &rolling{order: r.Perm(len(f.Processes()))}
		}},
	}
}
