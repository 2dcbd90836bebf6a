package rig

import (
	"fmt"
	"path/filepath"
	"strconv"

	"hale.dev/services/internal/quietaddr"
)

// AddNotify lays out a process that delivers alerts, to receivers on this machine too. env holds the secrets of receivers.
// Start does not start it; Stop ends it too.
func (c *Cluster) AddNotify(env []string, args ...string) (*Process, error) {
	admin, err := quietaddr.New()
	if err != nil {
		return nil, err
	}
	p := &Process{Name: fmt.Sprintf("notify-%d", len(c.more)+1), Path: c.Scoring.Path, Dir: c.Dir, Env: env}
	p.Args = append([]string{
		"notify", "--nats", "nats://" + c.NATSAddr, "--redis", "redis://" + c.RedisAddr, "--data", filepath.Join(c.Dir, "data"),
		"--admin", admin, "--events-partitions", strconv.Itoa(c.partitions), "--notify-egress-allow", "127.0.0.1",
	}, args...)
	c.admin[p] = admin
	c.more = append(c.more, p)
	return p, nil
}
