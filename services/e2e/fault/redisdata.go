package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hale.dev/services/e2e/rig"
)

// failover makes a shard's replica take over without the latest writes: its link to the master is cut, writes pile up
// on the master for as long as the fault lasts, and the master is killed.
type failover struct {
	shard           int
	master, replica *rig.RedisNode
	links           []*rig.Link
	lost            int64
}

func (o *failover) Class() Class { return RedisFailover }

func (o *failover) String() string {
	return fmt.Sprintf("failover of shard %d without the latest writes (%d bytes)", o.shard, o.lost)
}

func (o *failover) Inject(ctx context.Context, f *rig.Fleet) error {
	roles, err := f.Redis.Roles(ctx, o.shard)
	if err != nil {
		return err
	}
	if len(roles.Replicas) == 0 {
		return errors.New("the shard has no replica that could take over")
	}
	o.master, o.replica = roles.Master, roles.Replicas[0]
	for _, l := range f.Network.Between(o.replica.Name, o.master.Name) {
		if l.From != o.replica.Name || !l.Leads(o.master.Addr) {
			continue // the bus: the cluster must not take the master for dead yet
		}
		o.links = append(o.links, l)
		if err := l.Cut(rig.Both); err != nil {
			return err
		}
	}
	if len(o.links) == 0 {
		return fmt.Errorf("%s has no link to %s", o.replica.Name, o.master.Name)
	}
	return nil
}

// Heal kills the master, waits until its replica has taken over, and starts it again as the replica.
func (o *failover) Heal(ctx context.Context, _ *rig.Fleet) error {
	if o.master == nil {
		return nil
	}
	had, err := o.master.Offset(ctx)
	if err != nil {
		return errors.Join(err, heal(o.links))
	}
	o.master.Kill()
	taken, cancel := context.WithTimeout(ctx, takeover)
	defer cancel()
	err = rig.Until(taken, func() error { return o.replica.Leads(taken) })
	if has, offsetErr := o.replica.Offset(ctx); offsetErr == nil && err == nil {
		o.lost = max(0, had-has)
	}
	return errors.Join(err, o.master.Start(), heal(o.links))
}

// takeover bounds how long a replica may take to become master: a few node timeouts.
const takeover = 30 * time.Second

// redisWipe takes the data of a whole shard: master and replica are killed, their files removed, and both started.
type redisWipe struct {
	shard int
	nodes []*rig.RedisNode
}

func (w *redisWipe) Class() Class   { return RedisWiped }
func (w *redisWipe) String() string { return fmt.Sprintf("shard %d of redis wiped", w.shard) }

func (w *redisWipe) Inject(_ context.Context, f *rig.Fleet) error {
	w.nodes = f.Redis.Shard(w.shard)
	for _, n := range w.nodes {
		n.Kill()
	}
	for _, n := range w.nodes {
		if err := n.Wipe(); err != nil {
			return err
		}
	}
	return nil
}

func (w *redisWipe) Heal(context.Context, *rig.Fleet) error {
	var errs []error
	for _, n := range w.nodes {
		errs = append(errs, n.Start())
	}
	return errors.Join(errs...)
}

// redisFlush empties a master, and with it its replica, while clients are connected.
type redisFlush struct{ shard int }

func (w *redisFlush) Class() Class { return RedisFlushed }
func (w *redisFlush) String() string {
	return fmt.Sprintf("FLUSHALL of the master of shard %d", w.shard)
}

func (w *redisFlush) Inject(ctx context.Context, f *rig.Fleet) error {
	roles, err := f.Redis.Roles(ctx, w.shard)
	if err != nil {
		return err
	}
	if err := roles.Master.Admin().FlushAll(ctx).Err(); err != nil {
		return fmt.Errorf("flushing %s: %w", roles.Master.Name, err)
	}
	return nil
}

func (w *redisFlush) Heal(context.Context, *rig.Fleet) error { return nil }

// migration moves the slot that a partition's keys lie in to another shard, while it is read and written.
type migration struct {
	partition, to int
	pause         time.Duration
	keys          int
}

func (m *migration) Class() Class { return SlotMigration }

func (m *migration) String() string {
	return fmt.Sprintf("slot of partition %d moved to shard %d, %d keys, %s between some", m.partition, m.to, m.keys,
		m.pause.Round(time.Millisecond))
}

func (m *migration) Inject(ctx context.Context, f *rig.Fleet) error {
	slot := rig.SlotOf(m.partition)
	now, _, err := f.Redis.Owner(ctx, slot)
	if err != nil {
		return err
	}
	if now == m.to {
		m.to = (m.to + 1) % f.Redis.Shards()
	}
	return m.move(ctx, f)
}

// Heal ends the move, if something kept it from ending.
func (m *migration) Heal(ctx context.Context, f *rig.Fleet) error {
	within, cancel := context.WithTimeout(ctx, takeover)
	defer cancel()
	return rig.Until(within, func() error { return m.move(within, f) })
}

func (m *migration) move(ctx context.Context, f *rig.Fleet) error {
	keys, err := f.Redis.Move(ctx, rig.SlotOf(m.partition), m.to, m.pause)
	m.keys += keys
	return err
}
