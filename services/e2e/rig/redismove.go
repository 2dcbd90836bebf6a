package rig

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// SlotOf is the slot in which a partition's keys lie: the bits of its number, reversed.
func SlotOf(partition int) int {
	const slotBits = 14
	return int(bits.Reverse16(uint16(partition&(slots-1))) >> (16 - slotBits))
}

// Owner returns the shard and the roles of the shard that has a slot.
func (c *RedisCluster) Owner(ctx context.Context, slot int) (int, Roles, error) {
	shards, err := c.Nodes[0].admin.ClusterShards(ctx).Result()
	if err != nil {
		return 0, Roles{}, fmt.Errorf("asking who has slot %d: %w", slot, err)
	}
	has := slices.IndexFunc(shards, func(s redis.ClusterShard) bool {
		return slices.ContainsFunc(s.Slots, func(r redis.SlotRange) bool {
			return int64(slot) >= r.Start && int64(slot) <= r.End
		})
	})
	if has < 0 {
		return 0, Roles{}, fmt.Errorf("nobody has slot %d", slot)
	}
	for k := range c.shards {
		roles, err := c.Roles(ctx, k)
		if err != nil {
			return 0, Roles{}, err
		}
		id, err := roles.Master.ID(ctx)
		if err != nil {
			return 0, Roles{}, err
		}
		if slices.ContainsFunc(shards[has].Nodes, func(n redis.Node) bool { return n.ID == id }) {
			return k, roles, nil
		}
	}
	return 0, Roles{}, fmt.Errorf("the owner of slot %d leads no shard", slot)
}

// Move moves a slot to another shard while it is in use, a few keys at a time with a pause between them, as
// redis-cli does. A move that was interrupted goes on.
func (c *RedisCluster) Move(ctx context.Context, slot, toShard int, pause time.Duration) (keys int, err error) {
	shard, from, err := c.Owner(ctx, slot)
	if err != nil {
		return 0, err
	}
	if shard == toShard {
		return 0, nil
	}
	to, err := c.Roles(ctx, toShard)
	if err != nil {
		return 0, err
	}
	m := move{slot: slot, from: from.Master, to: to.Master, pause: pause}
	if err := m.open(ctx); err != nil {
		return 0, err
	}
	if keys, err = m.carry(ctx); err != nil {
		return keys, err
	}
	// What has arrived must be in the replica too before the only other copy's place is given up.
	if c.replicas > 0 {
		if err := m.to.admin.Wait(ctx, 1, time.Second).Err(); err != nil {
			return keys, fmt.Errorf("waiting for the replica of %s: %w", m.to.Name, err)
		}
	}
	for _, n := range []*RedisNode{m.to, m.from} {
		if err := n.admin.Do(ctx, "cluster", "setslot", slot, "node", m.toID).Err(); err != nil {
			return keys, fmt.Errorf("giving slot %d to %s: %w", slot, m.to.Name, err)
		}
	}
	return keys, nil
}

// move is a slot under way.
type move struct {
	slot         int
	from, to     *RedisNode
	fromID, toID string
	pause        time.Duration
}

func (m *move) open(ctx context.Context) (err error) {
	if m.fromID, err = m.from.ID(ctx); err != nil {
		return err
	}
	if m.toID, err = m.to.ID(ctx); err != nil {
		return err
	}
	if err := m.to.admin.Do(ctx, "cluster", "setslot", m.slot, "importing", m.fromID).Err(); err != nil {
		return fmt.Errorf("opening slot %d on %s: %w", m.slot, m.to.Name, err)
	}
	if err := m.from.admin.Do(ctx, "cluster", "setslot", m.slot, "migrating", m.toID).Err(); err != nil {
		return fmt.Errorf("opening slot %d on %s: %w", m.slot, m.from.Name, err)
	}
	return nil
}

func (m *move) carry(ctx context.Context) (moved int, err error) {
	const atOnce, patience = 25, 2000
	for {
		keys, err := m.from.admin.ClusterGetKeysInSlot(ctx, m.slot, atOnce).Result()
		if err != nil {
			return moved, fmt.Errorf("asking %s for keys of slot %d: %w", m.from.Name, m.slot, err)
		}
		if len(keys) == 0 {
			return moved, nil
		}
		args := []any{"migrate", "127.0.0.1", port(m.to.Client.Addr()), "", 0, patience, "keys"}
		for _, k := range keys {
			args = append(args, k)
		}
		if err := m.from.admin.Do(ctx, args...).Err(); err != nil {
			return moved, fmt.Errorf("moving %d keys from %s to %s: %w", len(keys), m.from.Name, m.to.Name, err)
		}
		moved += len(keys)
		select {
		case <-ctx.Done():
			return moved, ctx.Err()
		case <-time.After(m.pause):
		}
	}
}
