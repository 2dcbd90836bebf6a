package fault

import (
	"context"
	"math/rand/v2"
	"time"

	"hale.dev/services/e2e/rig"
)

// Fault is one thing that goes wrong once and is mended again.
type Fault interface {
	// Class is the kind of fault that the report counts it under.
	Class() Class
	// String says what is hit.
	String() string
	// Inject brings the fault about.
	Inject(ctx context.Context, f *rig.Fleet) error
	// Heal mends it; also after Inject failed half way.
	Heal(ctx context.Context, f *rig.Fleet) error
}

// Class is a kind of fault.
type Class string

// Classes of faults.
const (
	KillIngest       Class = "kill_ingest"
	KillScoring      Class = "kill_scoring"
	KillQuery        Class = "kill_query"
	KillNATS         Class = "kill_nats"
	KillRedisMaster  Class = "kill_redis_master"
	KillRedisReplica Class = "kill_redis_replica"

	PauseIngest  Class = "pause_ingest"
	PauseScoring Class = "pause_scoring"
	PauseNATS    Class = "pause_nats"
	PauseRedis   Class = "pause_redis"

	CutHaleNATS     Class = "cut_hale_nats"
	CutHaleRedis    Class = "cut_hale_redis"
	CutClientIngest Class = "cut_client_ingest"
	CutNATSNATS     Class = "cut_nats_nats"
	CutRedisRedis   Class = "cut_redis_redis"

	DelayHaleNATS     Class = "delay_hale_nats"
	DelayHaleRedis    Class = "delay_hale_redis"
	DelayClientIngest Class = "delay_client_ingest"
	DelayNATSNATS     Class = "delay_nats_nats"
	DelayRedisRedis   Class = "delay_redis_redis"

	RedisFailover  Class = "redis_failover_unreplicated"
	RedisWiped     Class = "redis_shard_wiped"
	RedisFlushed   Class = "redis_flushed"
	SlotMigration  Class = "slot_migration"
	NATSWiped      Class = "nats_disk_wiped"
	FullNATS       Class = "disk_full_nats"
	FullRedis      Class = "disk_full_redis"
	ClockStep      Class = "clock_step"
	RollingRestart Class = "rolling_restart"
)

// area is a part of a fleet that takes one fault at a time: two at once could be more than it is made for, such as the
// loss of two of three nodes.
type area string

const (
	areaIngest  area = "ingest"
	areaScoring area = "scoring"
	areaQuery   area = "query"
	areaNATS    area = "nats"
	areaRedis   area = "redis"
	areaLinks   area = "links"
	areaClient  area = "client"
	areaAll     area = "all"
)

// kind says how often a class is drawn, where it hits, how long it lasts and how one is made.
type kind struct {
	class Class
	area  area
	// often is how many of the class are in each round of the plan.
	often int
	// least and most bound how long the fault lasts.
	least, most time.Duration
	make        func(r *rand.Rand, f *rig.Fleet) Fault
}

// kinds are all there are.
func kinds() []kind {
	return append(append(processKinds(), linkKinds()...), dataKinds()...)
}

// Classes lists the names of all classes.
func Classes() []Class {
	var all []Class
	for _, k := range kinds() {
		all = append(all, k.class)
	}
	return all
}

// some makes a duration between two.
func some(r *rand.Rand, least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(r.Int64N(int64(most-least)))
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
