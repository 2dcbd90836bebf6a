package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

const (
	maxRedirects = 8                // of one call, from server to server
	reloadEvery  = 10 * time.Second // the map of the cluster; errors have it loaded at once
	askPause     = 100 * time.Millisecond
)

// servers is a client of one server, or of all servers of a cluster.
type servers struct {
	redis.UniversalClient

	single  *redis.Client        // nil: a cluster
	cluster *redis.ClusterClient // nil: one server
}

// connect makes a client. Pool is the least number of connections that it may have to a server; 0: the driver's own.
func (o Options) connect(cluster bool, pool int) (*servers, error) {
	opt, addrs, err := o.driver()
	if err != nil {
		return nil, err
	}
	opt.PoolSize = max(opt.PoolSize, pool)
	s := &servers{}
	if cluster {
		s.cluster = redis.NewClusterClient(clusterOptions(opt, addrs))
		s.UniversalClient = s.cluster
	} else {
		s.single = redis.NewClient(opt)
		s.UniversalClient = s.single
	}
	if err := o.traced(s.UniversalClient); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// isCluster asks the servers of the URL, one after the other, whether they form a cluster. One that does not answer is
// asked again only when there are others: until the end of ctx or of the patience.
func (o Options) isCluster(ctx context.Context) (bool, error) {
	opt, addrs, err := o.driver()
	if err != nil {
		return false, err
	}
	for end := time.Now().Add(o.Patience); ; {
		for _, addr := range addrs {
			var enabled bool
			if enabled, err = askCluster(ctx, *opt, addr, len(addrs) > 1); err != nil {
				continue
			}
			switch {
			case enabled && opt.DB != 0:
				return false, errDatabase
			case !enabled && len(addrs) > 1:
				return false, &store.Error{
					Reason: store.ReasonRefused, Message: fmt.Sprintf("%d servers are given, but %s is not of a cluster", len(addrs), addr),
				}
			}
			return enabled, nil
		}
		if len(addrs) == 1 || time.Now().After(end) {
			return false, fmt.Errorf("asking redis whether it is a cluster: %w", refusal(err))
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("asking redis whether it is a cluster: %w: %w", ctx.Err(), refusal(err))
		case <-time.After(askPause):
		}
	}
}

// askCluster asks one server. Where INFO is forbidden it is what it seems.
func askCluster(ctx context.Context, opt redis.Options, addr string, seems bool) (bool, error) {
	opt.Addr, opt.DB, opt.PoolSize = addr, 0, 1 // a cluster would refuse another database
	if opt.TLSConfig != nil {
		opt.TLSConfig = clusterOptions(&opt, nil).TLSConfig
	}
	c := redis.NewClient(&opt)
	defer func() { _ = c.Close() }() // it has served its purpose
	text, err := c.Info(ctx, "cluster").Result()
	if err != nil {
		if store.HasReason(refusal(err), store.ReasonRefused) {
			return seems, nil
		}
		return false, err //nolint:wrapcheck // the caller wraps it
	}
	return fields(text)["cluster_enabled"] == "1", nil
}

// master returns the server that has a key, as far as is known.
func (s *servers) master(ctx context.Context, key string) (*redis.Client, error) {
	if s.single != nil {
		return s.single, nil
	}
	return s.cluster.MasterForKey(ctx, key) //nolint:wrapcheck // the caller wraps it
}

// each calls f for every server that should take writes, all at once, and joins the errors.
func (s *servers) each(ctx context.Context, f func(ctx context.Context, node *redis.Client) error) error {
	if s.single != nil {
		return f(ctx, s.single)
	}
	var mu sync.Mutex
	var errs []error
	err := s.cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		err := f(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
		return nil
	})
	if err != nil { // the cluster itself is not known
		return err //nolint:wrapcheck // the caller wraps it
	}
	return errors.Join(errs...)
}

// reload has the map of the cluster loaded, after an error that may come of an old one.
func (s *servers) reload(ctx context.Context) {
	if s.cluster != nil {
		s.cluster.ReloadState(ctx)
	}
}
