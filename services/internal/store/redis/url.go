package redis

import (
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

var errURL = errors.New("redis: the URL cannot be read") // the cause may hold the password

// parseURL reads a URL that may name several servers, redis://user:password@host:port,host:port. It returns the
// options of the first, and the addresses of all.
func parseURL(url string) (*redis.Options, []string, error) {
	if strings.HasPrefix(url, "unix:") { // a path may hold anything
		o, err := redis.ParseURL(url)
		if err != nil {
			return nil, nil, errURL
		}
		return o, []string{o.Addr}, nil
	}
	before, hosts, after := cutHosts(url)
	var first *redis.Options
	var addrs []string
	for host := range strings.SplitSeq(hosts, ",") {
		o, err := redis.ParseURL(before + host + after)
		if err != nil {
			return nil, nil, errURL
		}
		if first == nil {
			first = o
		}
		addrs = append(addrs, o.Addr)
	}
	if len(addrs) > 1 {
		if strings.HasPrefix(hosts, ",") || strings.HasSuffix(hosts, ",") || strings.Contains(hosts, ",,") {
			return nil, nil, errURL
		}
		if first.DB != 0 {
			return nil, nil, errDatabase
		}
	}
	return first, addrs, nil
}

var errDatabase = errors.New("redis: a cluster has no database but 0")

// cutHosts cuts a URL before and after the hosts.
func cutHosts(url string) (before, hosts, after string) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return "", url, ""
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	begin := strings.LastIndexByte(rest[:end], '@') + 1
	return scheme + "://" + rest[:begin], rest[begin:end], rest[end:]
}

// clusterOptions makes the options of a cluster's client of those of a server's.
func clusterOptions(o *redis.Options, addrs []string) *redis.ClusterOptions {
	c := &redis.ClusterOptions{
		Addrs: addrs, ClientName: o.ClientName, Protocol: o.Protocol, Username: o.Username, Password: o.Password,
		MaxRetries: -1, DialTimeout: o.DialTimeout, DialerRetries: o.DialerRetries,
		ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, ContextTimeoutEnabled: o.ContextTimeoutEnabled,
		PoolFIFO: o.PoolFIFO, PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout, MinIdleConns: o.MinIdleConns,
		MaxIdleConns: o.MaxIdleConns, MaxActiveConns: o.MaxActiveConns,
		ConnMaxIdleTime: o.ConnMaxIdleTime, ConnMaxLifetime: o.ConnMaxLifetime,
		TLSConfig: o.TLSConfig, DisableIdentity: o.DisableIdentity,
		MaintNotificationsConfig:   o.MaintNotificationsConfig,
		MaxRedirects:               maxRedirects,
		MaxRetryBackoff:            maxBackoff,
		ClusterStateReloadInterval: reloadEvery,
		// Each command goes to one server, that of its first key.
		DisableRoutingPolicies: true,
	}
	if c.TLSConfig != nil {
		c.TLSConfig = c.TLSConfig.Clone()
		if host, _, err := net.SplitHostPort(o.Addr); err == nil && c.TLSConfig.ServerName == host {
			c.TLSConfig.ServerName = "" // each server by the name that it is reached by
		}
	}
	return c
}
