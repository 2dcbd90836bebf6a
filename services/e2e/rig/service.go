package rig

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"hale.dev/services/internal/quietaddr"
)

// Service is one process of a service of Hale.
type Service struct {
	*Process

	// Admin is the address of metrics and readiness.
	Admin string
	// HTTP and GRPC are the listeners of ingest or query; clients of ingest use Client.
	HTTP, GRPC string
	// Client is the link over which clients reach an ingest process; nil for the others.
	Client *Link
}

// service lays out one process of a service.
func (f *Fleet) service(kind string, i int, o FleetOptions) (*Service, error) {
	s := &Service{}
	if err := quietaddr.Fill(&s.Admin, &s.HTTP, &s.GRPC); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%d", kind, i+1)
	var urls []string
	for _, n := range f.NATS {
		link, err := f.Network.Link(name, n.Name, n.Addr)
		if err != nil {
			return nil, err
		}
		urls = append(urls, "nats://"+link.Addr())
	}
	const replicas = 3
	args := []string{
		kind, "--nats", strings.Join(urls, ","), "--data", filepath.Join(f.Dir, "data"), "--admin", s.Admin,
		"--events-partitions", strconv.Itoa(o.Partitions), "--events-streams", strconv.Itoa(o.Streams),
		"--events-max-bytes", "512MiB", "--events-replicas", strconv.Itoa(min(o.NATSNodes, replicas)),
	}
	switch kind {
	case "ingest":
		var err error
		if s.Client, err = f.Network.Link("client", name, s.HTTP); err != nil {
			return nil, err
		}
		args = append(args, "--ingest-http", s.HTTP, "--ingest-grpc", s.GRPC)
	case "query":
		args = append(args, "--query-http", s.HTTP, "--query-grpc", s.GRPC, "--redis", f.Redis.URL())
	default:
		args = append(args, "--redis", f.Redis.URL())
	}
	s.Process = &Process{Name: name, Path: o.Programs.Hale, Dir: f.Dir, Args: append(args, o.Args...)}
	return s, nil
}

// Ready tells whether the process says that it is ready.
func (s *Service) Ready(ctx context.Context) error {
	if !s.Running() {
		return errors.New(s.Name + " does not run")
	}
	return get(ctx, "http://"+s.Admin+"/readyz")
}

// WaitReady waits until the process says that it is ready, or ends.
func (s *Service) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := Until(ctx, func() error {
		if !s.Running() {
			cancel() // it will not be ready any more
		}
		return s.Ready(ctx)
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w\n%s", s.Name, err, s.Tail())
	}
	return nil
}
