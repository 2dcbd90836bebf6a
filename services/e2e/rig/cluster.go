package rig

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"hale.dev/services/internal/quietaddr"
)

// Cluster is Hale as separate processes: nats-server and redis-server on disk, ingest, scoring, query.
type Cluster struct {
	Dir                    string
	NATS, Redis            *Process
	Ingest, Scoring, Query *Process
	NATSAddr, RedisAddr    string
	IngestHTTP, IngestGRPC string
	QueryGRPC, QueryHTTP   string
	Keys                   Keys
	partitions             int
	admin                  map[*Process]string
	// more scoring processes than one; see AddScoring.
	more []*Process
}

// Keys are the credentials that the first start made.
type Keys struct {
	Ingest string `yaml:"ingest_key"`
	Query  string `yaml:"query_key"`
	Admin  string `yaml:"admin_key"`
}

// Options of a cluster.
type Options struct {
	// SyncAlways makes nats-server sync before every acknowledgement.
	SyncAlways bool
	// AppendFsync is redis-server's setting of that name; empty: everysec.
	AppendFsync string
	// Partitions of the log; 0: 16.
	Partitions int
	// Args are further arguments of every service of Hale, IngestArgs and ScoringArgs of that one.
	Args, IngestArgs, ScoringArgs []string
}

// NewCluster lays a cluster out in dir; nothing runs yet.
func NewCluster(dir string, programs Programs, o Options) (*Cluster, error) {
	if o.Partitions == 0 {
		o.Partitions = 16
	}
	c := &Cluster{Dir: dir, partitions: o.Partitions, admin: map[*Process]string{}}
	err := quietaddr.Fill(&c.NATSAddr, &c.RedisAddr, &c.IngestHTTP, &c.IngestGRPC, &c.QueryGRPC, &c.QueryHTTP)
	if err != nil {
		return nil, err
	}
	if o.AppendFsync == "" {
		o.AppendFsync = "everysec"
	}
	if err := c.natsProcess(programs, o); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(c.RedisAddr)
	if err != nil {
		return nil, fmt.Errorf("splitting %s: %w", c.RedisAddr, err)
	}
	if err := os.MkdirAll(c.RedisDir(), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of redis: %w", err)
	}
	c.Redis = &Process{Name: "redis", Path: programs.Redis, Dir: dir, Args: []string{
		"--bind", "127.0.0.1", "--port", port, "--dir", c.RedisDir(), "--save", "",
		"--appendonly", "yes", "--appendfsync", o.AppendFsync,
	}}
	for _, s := range []struct {
		to   **Process
		name string
		args []string
	}{
		{&c.Ingest, "ingest", append([]string{"--ingest-http", c.IngestHTTP, "--ingest-grpc", c.IngestGRPC}, o.IngestArgs...)},
		{&c.Scoring, "scoring", append([]string{"--redis", "redis://" + c.RedisAddr}, o.ScoringArgs...)},
		{&c.Query, "query", []string{"--redis", "redis://" + c.RedisAddr, "--query-grpc", c.QueryGRPC, "--query-http", c.QueryHTTP}},
	} {
		admin, err := quietaddr.New()
		if err != nil {
			return nil, err
		}
		*s.to = &Process{Name: s.name, Path: programs.Hale, Dir: dir, Args: append([]string{
			s.name, "--nats", "nats://" + c.NATSAddr, "--data", filepath.Join(dir, "data"), "--admin", admin,
			"--events-partitions", strconv.Itoa(o.Partitions),
		}, append(s.args, o.Args...)...)}
		c.admin[*s.to] = admin
	}
	return c, nil
}

func (c *Cluster) natsProcess(programs Programs, o Options) error {
	config := filepath.Join(c.Dir, "nats.conf")
	sync := "sync_interval: \"2m\""
	if o.SyncAlways {
		sync = "sync_interval: always"
	}
	text := fmt.Sprintf("listen: %q\nmax_payload: 8MB\njetstream {\n  store_dir: %q\n  %s\n}\n",
		c.NATSAddr, filepath.Join(c.Dir, "nats"), sync)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the settings of nats-server: %w", err)
	}
	c.NATS = &Process{Name: "nats", Path: programs.NATS, Dir: c.Dir, Args: []string{"-c", config}}
	return nil
}

// RedisDir is where redis-server keeps its files.
func (c *Cluster) RedisDir() string { return filepath.Join(c.Dir, "redis") }

// Start starts everything and waits until all of it is ready.
func (c *Cluster) Start(ctx context.Context) error {
	for _, p := range []*Process{c.NATS, c.Redis} {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for _, addr := range []string{c.NATSAddr, c.RedisAddr} {
		if err := Until(ctx, func() error { return dial(ctx, addr) }); err != nil {
			return fmt.Errorf("waiting for %s: %w", addr, err)
		}
	}
	for _, p := range []*Process{c.Ingest, c.Scoring, c.Query} {
		if err := p.Start(); err != nil {
			return err
		}
		if err := c.WaitReady(ctx, p); err != nil {
			return err
		}
	}
	keys, err := readKeys(filepath.Join(c.Dir, "data"))
	c.Keys = keys
	return err
}

// WaitReady waits until a service says that it is ready.
func (c *Cluster) WaitReady(ctx context.Context, p *Process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := Until(ctx, func() error {
		if ended, err := p.Exited(); ended {
			return fmt.Errorf("%s ended: %v", p.Name, err) //nolint:errorlint // for people; may be nil
		}
		return get(ctx, "http://"+c.admin[p]+"/readyz")
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w\n%s", p.Name, err, p.Tail())
	}
	return nil
}

// AdminURL is the base URL of a service's admin listener.
func (c *Cluster) AdminURL(p *Process) string { return "http://" + c.admin[p] }

// Stop ends everything.
func (c *Cluster) Stop() {
	for _, p := range append(slices.Clone(c.more), c.Query, c.Scoring, c.Ingest, c.Redis, c.NATS) {
		p.Kill()
	}
}

func dial(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err //nolint:wrapcheck // Until's caller wraps
	}
	return conn.Close() //nolint:wrapcheck // Until's caller wraps
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err //nolint:wrapcheck // Until's caller wraps
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err //nolint:wrapcheck // Until's caller wraps
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// Restart starts a process that was killed and waits until it takes connections, or is ready.
func (c *Cluster) Restart(ctx context.Context, p *Process) error {
	if p == c.Redis {
		if err := os.MkdirAll(c.RedisDir(), 0o700); err != nil {
			return fmt.Errorf("making the folder of redis: %w", err)
		}
	}
	if err := p.Start(); err != nil {
		return err
	}
	switch p {
	case c.NATS:
		return Until(ctx, func() error { return dial(ctx, c.NATSAddr) })
	case c.Redis:
		return Until(ctx, func() error { return dial(ctx, c.RedisAddr) })
	default:
		return c.WaitReady(ctx, p)
	}
}
