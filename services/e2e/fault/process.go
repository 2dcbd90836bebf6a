package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hale.dev/services/e2e/rig"
)

// processKinds are the faults of single processes.
func processKinds() []kind {
	const down = 2500 * time.Millisecond
	const short, long = 5 * time.Second, 8 * time.Second
	services := func(of func(*rig.Fleet) []*rig.Service) func(*rand.Rand, *rig.Fleet) *rig.Process {
		return func(r *rand.Rand, f *rig.Fleet) *rig.Process { return pick(r, of(f)).Process }
	}
	ingest := services(func(f *rig.Fleet) []*rig.Service { return f.Ingest })
	scoring := services(func(f *rig.Fleet) []*rig.Service { return f.Scoring })
	query := services(func(f *rig.Fleet) []*rig.Service { return f.Query })
	nats := func(r *rand.Rand, f *rig.Fleet) *rig.Process { return pick(r, f.NATS).Process }
	return []kind{
		{KillIngest, areaIngest, 3, 0, down, kills(KillIngest, ingest)},
		{KillScoring, areaScoring, 4, 0, down, kills(KillScoring, scoring)},
		{KillQuery, areaQuery, 1, 0, down, kills(KillQuery, query)},
		{KillNATS, areaNATS, 3, 0, down, kills(KillNATS, nats)},
		{KillRedisMaster, areaRedis, 3, 0, 2 * down, redisKills(KillRedisMaster, true)},
		{KillRedisReplica, areaRedis, 1, 0, 2 * down, redisKills(KillRedisReplica, false)},
		{PauseIngest, areaIngest, 1, short, long, pauses(PauseIngest, ingest)},
		{PauseScoring, areaScoring, 2, short, long, pauses(PauseScoring, scoring)},
		{PauseNATS, areaNATS, 1, short, long, pauses(PauseNATS, nats)},
		{PauseRedis, areaRedis, 1, short, long, func(r *rand.Rand, f *rig.Fleet) Fault {
			return &redisPause{shard: r.IntN(f.Redis.Shards())}
		}},
	}
}

func kills(class Class, of func(*rand.Rand, *rig.Fleet) *rig.Process) func(*rand.Rand, *rig.Fleet) Fault {
	return func(r *rand.Rand, f *rig.Fleet) Fault { return &kill{class: class, process: of(r, f)} }
}

func pauses(class Class, of func(*rand.Rand, *rig.Fleet) *rig.Process) func(*rand.Rand, *rig.Fleet) Fault {
	return func(r *rand.Rand, f *rig.Fleet) Fault { return &pause{class: class, process: of(r, f)} }
}

func redisKills(class Class, master bool) func(*rand.Rand, *rig.Fleet) Fault {
	return func(r *rand.Rand, f *rig.Fleet) Fault {
		return &redisKill{class: class, master: master, shard: r.IntN(f.Redis.Shards())}
	}
}

// kill ends a process with SIGKILL and starts it again.
type kill struct {
	class   Class
	process *rig.Process
}

func (k *kill) Class() Class   { return k.class }
func (k *kill) String() string { return "kill -9 of " + k.process.Name }

func (k *kill) Inject(context.Context, *rig.Fleet) error {
	k.process.Kill()
	return nil
}

func (k *kill) Heal(context.Context, *rig.Fleet) error { return k.process.Start() }

// pause stops a process (SIGSTOP) and lets it go on as if no time had passed.
type pause struct {
	class   Class
	process *rig.Process
}

func (p *pause) Class() Class                             { return p.class }
func (p *pause) String() string                           { return "SIGSTOP of " + p.process.Name }
func (p *pause) Inject(context.Context, *rig.Fleet) error { return p.process.Pause() }
func (p *pause) Heal(context.Context, *rig.Fleet) error   { return p.process.Resume() }

// redisKill ends the master or a replica of a shard. Back within the cluster's node timeout a master stays master; else
// its replica has taken over.
type redisKill struct {
	class  Class
	master bool
	shard  int
	node   *rig.RedisNode
}

func (k *redisKill) Class() Class { return k.class }

func (k *redisKill) String() string {
	return fmt.Sprintf("kill -9 of %s of shard %d", nameOf(k.node, k.master), k.shard)
}

func (k *redisKill) Inject(ctx context.Context, f *rig.Fleet) error {
	roles, err := f.Redis.Roles(ctx, k.shard)
	if err != nil {
		return err
	}
	k.node = roles.Master
	if !k.master {
		k.node = roles.Replicas[0]
	}
	k.node.Kill()
	return nil
}

func (k *redisKill) Heal(context.Context, *rig.Fleet) error { return k.node.Start() }

// nameOf names a node of which only the role may be known yet.
func nameOf(node *rig.RedisNode, master bool) string {
	role := "the replica"
	if master {
		role = "the master"
	}
	if node == nil {
		return role
	}
	return role + " " + node.Name
}

// redisPause stops the master of a shard for longer than the node timeout: its replica takes over, and the old master
// wakes up believing that it still is one.
type redisPause struct {
	shard int
	node  *rig.RedisNode
}

func (p *redisPause) Class() Class { return PauseRedis }

func (p *redisPause) String() string {
	return fmt.Sprintf("SIGSTOP of %s of shard %d", nameOf(p.node, true), p.shard)
}

func (p *redisPause) Inject(ctx context.Context, f *rig.Fleet) error {
	roles, err := f.Redis.Roles(ctx, p.shard)
	if err != nil {
		return err
	}
	p.node = roles.Master
	return p.node.Pause()
}

func (p *redisPause) Heal(context.Context, *rig.Fleet) error {
	if p.node == nil {
		return nil
	}
	return p.node.Resume()
}
