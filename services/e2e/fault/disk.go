package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hale.dev/services/e2e/rig"
)

// natsWipe replaces a NATS node's disk by an empty one, as an operator would: the node is down, the others have agreed
// on leaders and have the same, and only then does it come back, empty. (A node that forgot what it acknowledged and
// votes at once is more than three replicas are made for.)
type natsWipe struct{ node *rig.NATSNode }

func (w *natsWipe) Class() Class   { return NATSWiped }
func (w *natsWipe) String() string { return "disk of " + w.node.Name + " replaced by an empty one" }

func (w *natsWipe) Inject(context.Context, *rig.Fleet) error {
	w.node.Kill()
	return w.node.Wipe()
}

func (w *natsWipe) Heal(ctx context.Context, f *rig.Fleet) error {
	within, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var errs []error
	for _, n := range f.NATS {
		if n != w.node {
			errs = append(errs, rig.Until(within, func() error { return n.Healthy(within) }))
		}
	}
	return errors.Join(append(errs, w.node.Start())...)
}

// natsFull fills the disk of the NATS node that has one of its own. The node gives JetStream up; it is started again
// when there is room.
type natsFull struct{ node *rig.NATSNode }

func (d *natsFull) Class() Class { return FullNATS }

func (d *natsFull) String() string {
	if d.node == nil {
		return "disk of a NATS node full"
	}
	return "disk of " + d.node.Name + " full"
}

func (d *natsFull) Inject(_ context.Context, f *rig.Fleet) error {
	for _, n := range f.NATS {
		if n.Disk != nil {
			d.node = n
			return n.Disk.Fill()
		}
	}
	return rig.ErrNoDisk
}

func (d *natsFull) Heal(context.Context, *rig.Fleet) error {
	if d.node == nil {
		return nil
	}
	err := d.node.Disk.Free()
	d.node.Stop()
	return errors.Join(err, d.node.Start())
}

// redisFull fills the disk of the Redis node that has one of its own. A master then refuses writes until there is room.
type redisFull struct{ node *rig.RedisNode }

func (d *redisFull) Class() Class { return FullRedis }

func (d *redisFull) String() string {
	if d.node == nil {
		return "disk of a redis node full"
	}
	return "disk of " + d.node.Name + " full"
}

// Inject sees to it first that the node is a master: the disk of a replica would hinder nobody.
func (d *redisFull) Inject(ctx context.Context, f *rig.Fleet) error {
	for _, n := range f.Redis.Nodes {
		if n.Disk != nil {
			d.node = n
		}
	}
	if d.node == nil {
		return rig.ErrNoDisk
	}
	if err := d.node.Leads(ctx); err != nil {
		if err := d.node.Admin().ClusterFailover(ctx).Err(); err != nil {
			return fmt.Errorf("making %s the master: %w", d.node.Name, err)
		}
		within, cancel := context.WithTimeout(ctx, takeover)
		defer cancel()
		if err := rig.Until(within, func() error { return d.node.Leads(within) }); err != nil {
			return err
		}
	}
	return d.node.Disk.Fill()
}

// Heal frees the disk and has the append-only file written anew. Without that, a redis-server of version 7.0.15 was seen
// that could not be started again: "Bad file format reading the append only file", after a short write that it said was
// solved.
func (d *redisFull) Heal(ctx context.Context, _ *rig.Fleet) error {
	if d.node == nil {
		return nil
	}
	if err := d.node.Disk.Free(); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, takeover)
	defer cancel()
	return rig.Until(within, func() error { return d.node.RewriteLog(within) })
}
