package rig

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"hale.dev/services/internal/quietaddr"
)

// RedisNode is one redis-server of a fleet's cluster. Which node of a shard is its master changes; see RedisCluster.
type RedisNode struct {
	*Process

	// Addr is the server's own address; only the test uses it.
	Addr string
	// Client and Bus are the addresses that the node announces.
	Client, Bus *Front
	// Folder of the node's files.
	Folder string
	// Disk that Folder is on, if it can be filled; else nil.
	Disk *Disk

	bus   string
	admin *redis.Client
}

// newRedisNode lays out a node. Callers are all that may call it.
func newRedisNode(
	dir, name string, programs Programs, network *Network, callers func() []*Process, disk *Disk,
) (*RedisNode, error) {
	n := &RedisNode{Disk: disk, Folder: filepath.Join(dir, name)}
	if disk != nil {
		n.Folder = filepath.Join(disk.Dir(), name)
	}
	if err := os.MkdirAll(n.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of %s: %w", name, err)
	}
	if err := quietaddr.Fill(&n.Addr, &n.bus); err != nil {
		return nil, err
	}
	var err error
	if n.Client, err = NewFront(network, name, n.Addr, callers); err != nil {
		return nil, err
	}
	if n.Bus, err = NewFront(network, name, n.bus, callers); err != nil {
		return nil, err
	}
	n.Process = &Process{Name: name, Path: programs.Redis, Dir: dir, Args: []string{
		"--bind", "127.0.0.1", "--port", port(n.Addr), "--dir", n.Folder, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec",
		"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--repl-timeout", "10",
		"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", port(n.bus),
		"--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", port(n.Client.Addr()),
		"--cluster-announce-bus-port", port(n.Bus.Addr()),
		// A shard that is down does not stop the others, and replicas stay with their shard.
		"--cluster-require-full-coverage", "no", "--cluster-allow-replica-migration", "no",
	}}
	const patience = 2 * time.Second
	n.admin = redis.NewClient(&redis.Options{
		Addr: n.Addr, MaxRetries: -1, DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
		DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	return n, nil
}

// port is the port of an address of this rig, which always has one.
func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// Admin talks to the node itself, past every link.
func (n *RedisNode) Admin() *redis.Client { return n.admin }

// ID is the node's name in the cluster.
func (n *RedisNode) ID(ctx context.Context) (string, error) {
	id, err := n.admin.Do(ctx, "cluster", "myid").Text()
	if err != nil {
		return "", fmt.Errorf("asking %s for its id: %w", n.Name, err)
	}
	return id, nil
}

// RewriteLog has the node's append-only file written anew; nil: it has been, after this call began or one before it that
// was not waited for.
func (n *RedisNode) RewriteLog(ctx context.Context) error {
	if err := n.admin.BgRewriteAOF(ctx).Err(); err != nil && !redis.HasErrorPrefix(err, "ERR Background") {
		return fmt.Errorf("rewriting the file of %s: %w", n.Name, err)
	}
	return Until(ctx, func() error {
		text, err := n.admin.Info(ctx, "persistence").Result()
		if err != nil {
			return fmt.Errorf("asking %s for its file: %w", n.Name, err)
		}
		info := section(text)
		if info["aof_rewrite_in_progress"] != "0" || info["aof_rewrite_scheduled"] != "0" || info["aof_last_bgrewrite_status"] != "ok" {
			return fmt.Errorf("%s is rewriting its file", n.Name)
		}
		return nil
	})
}

// Wipe removes the node's data but not its place in the cluster; it must not run.
func (n *RedisNode) Wipe() error {
	for _, name := range []string{"appendonlydir", "dump.rdb"} {
		if err := os.RemoveAll(filepath.Join(n.Folder, name)); err != nil {
			return fmt.Errorf("wiping %s: %w", n.Name, err)
		}
	}
	return nil
}

// close ends the node and what stands in front of it.
func (n *RedisNode) close() {
	n.Kill()
	n.Client.Close()
	n.Bus.Close()
	_ = n.admin.Close()
}

// meet introduces another node, under the addresses that it announces.
func (n *RedisNode) meet(ctx context.Context, other *RedisNode) error {
	clientPort, err := strconv.Atoi(port(other.Client.Addr()))
	if err != nil {
		return fmt.Errorf("reading the port of %s: %w", other.Name, err)
	}
	err = n.admin.Do(ctx, "cluster", "meet", "127.0.0.1", clientPort, port(other.Bus.Addr())).Err()
	if err != nil {
		return fmt.Errorf("introducing %s to %s: %w", other.Name, n.Name, err)
	}
	return nil
}
