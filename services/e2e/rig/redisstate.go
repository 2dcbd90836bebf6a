package rig

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// section returns the fields of an answer like INFO's.
func section(text string) map[string]string {
	fields := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// replication is what the node says of its role and its replicas.
func (n *RedisNode) replication(ctx context.Context) (map[string]string, error) {
	text, err := n.admin.Info(ctx, "replication").Result()
	if err != nil {
		return nil, fmt.Errorf("asking %s for its role: %w", n.Name, err)
	}
	return section(text), nil
}

// settled returns nil when the node sees all others, whole.
func (n *RedisNode) settled(ctx context.Context, nodes int) error {
	text, err := n.admin.ClusterInfo(ctx).Result()
	if err != nil {
		return fmt.Errorf("asking %s for the cluster's state: %w", n.Name, err)
	}
	info := section(text)
	for field, want := range map[string]string{
		"cluster_state": "ok", "cluster_slots_ok": strconv.Itoa(slots), "cluster_known_nodes": strconv.Itoa(nodes),
	} {
		if info[field] != want {
			return fmt.Errorf("%s says %s is %s, not %s", n.Name, field, info[field], want)
		}
	}
	others, err := n.admin.ClusterNodes(ctx).Result()
	if err != nil {
		return fmt.Errorf("asking %s for the nodes: %w", n.Name, err)
	}
	for _, flag := range []string{"fail", "handshake", "noaddr", "disconnected"} {
		if strings.Contains(others, flag) {
			return fmt.Errorf("%s sees a node that is %s", n.Name, flag)
		}
	}
	return nil
}

// Offset is how much the node has written to its replicas, or read from its master.
func (n *RedisNode) Offset(ctx context.Context) (int64, error) {
	info, err := n.replication(ctx)
	if err != nil {
		return 0, err
	}
	field := "master_repl_offset"
	if info["role"] == "slave" {
		field = "slave_repl_offset"
	}
	offset, err := strconv.ParseInt(info[field], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading how far %s is: %w", n.Name, err)
	}
	return offset, nil
}

// caughtUp returns nil when a replica has what the master had a moment ago.
func (n *RedisNode) caughtUp(ctx context.Context, replica *RedisNode) error {
	info, err := replica.replication(ctx)
	if err != nil {
		return err
	}
	if info["master_link_status"] != "up" || info["master_port"] != port(n.Client.Addr()) {
		return fmt.Errorf("%s has no link to its master: %w", replica.Name, errLeft)
	}
	master, err := n.Offset(ctx)
	if err != nil {
		return err
	}
	now, err := replica.Offset(ctx)
	if err != nil {
		return err
	}
	const near = 256 << 10 // writes go on meanwhile
	if master-now > near {
		return fmt.Errorf("%s is %d bytes behind: %w", replica.Name, master-now, errLeft)
	}
	return nil
}

// Leads returns nil when the node says that it is a master.
func (n *RedisNode) Leads(ctx context.Context) error {
	info, err := n.replication(ctx)
	if err != nil {
		return err
	}
	if info["role"] != "master" {
		return fmt.Errorf("%s is no master", n.Name)
	}
	return nil
}
