package redis

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// Check implements store.Store: every server that should answers, takes writes, and throws nothing away. It is one round
// trip to each, all at once.
func (s *Store) Check(ctx context.Context) error {
	err := s.servers.each(ctx, func(ctx context.Context, node *redis.Client) error {
		if err := s.checkServer(ctx, node); err != nil {
			return fmt.Errorf("server %s: %w", node.Options().Addr, err)
		}
		return nil
	})
	if err != nil {
		s.servers.reload(ctx)
		return fmt.Errorf("checking redis: %w", refusal(err))
	}
	return nil
}

// look is what a server tells of itself.
type look struct {
	info     map[string]string // fields of INFO; none where it is forbidden
	settings map[string]string // of CONFIG; none where it is forbidden
	cluster  map[string]string // fields of CLUSTER INFO; none where it is forbidden, or the server is alone
}

// checkServer checks one server.
func (s *Store) checkServer(ctx context.Context, node *redis.Client) error {
	l, err := s.look(ctx, node)
	if err != nil {
		return err
	}
	if l.info["loading"] == "1" {
		return &store.Error{Reason: store.ReasonLoading, Message: "redis is loading its files"}
	}
	if role := l.info["role"]; role != "" && role != "master" {
		return &store.Error{Reason: store.ReasonReadOnly, Message: "redis is a replica, writes to it would be lost"}
	}
	if err := l.checkCluster(); err != nil {
		return err
	}
	return l.checkPolicy()
}

// look asks a server for all that is checked.
func (s *Store) look(ctx context.Context, node *redis.Client) (*look, error) {
	l := &look{info: map[string]string{}, cluster: map[string]string{}}
	var config *redis.MapStringStringCmd
	var cluster *redis.StringCmd
	var sections []*redis.StringCmd
	commands, _ := node.Pipelined(ctx, func(p redis.Pipeliner) error { // every command has its own error
		for _, name := range []string{"memory", "replication", "persistence"} { // several at once need Redis 7
			sections = append(sections, p.Info(ctx, name))
		}
		config = p.ConfigGet(ctx, "maxmemory*")
		if s.servers.cluster != nil {
			cluster = p.ClusterInfo(ctx)
		}
		return nil
	})
	for _, c := range commands {
		if err := c.Err(); err != nil {
			if err = refusal(err); !store.HasReason(err, store.ReasonRefused) { // a command that is forbidden
				return nil, err
			}
		}
	}
	for _, c := range sections {
		maps.Copy(l.info, fields(c.Val()))
	}
	l.settings = config.Val()
	if cluster != nil {
		l.cluster = fields(cluster.Val())
	}
	return l, nil
}

// checkCluster refuses a cluster of which a part has no master.
func (l *look) checkCluster() error {
	if len(l.cluster) == 0 {
		return nil
	}
	state, failed, assigned := l.cluster["cluster_state"], l.cluster["cluster_slots_fail"], l.cluster["cluster_slots_assigned"]
	if state != "ok" || failed != "0" || assigned != strconv.Itoa(slots) {
		return &store.Error{Reason: store.ReasonClusterDown, Message: fmt.Sprintf(
			"the redis cluster is not whole: its state is %s, %s slots have a master, %s of these do not answer", state, assigned, failed)}
	}
	return nil
}

// checkPolicy refuses a server that may throw values away. The setting is asked for first; where CONFIG is
// forbidden, as in many managed services, what INFO shows is used.
func (l *look) checkPolicy() error {
	limit, policy := l.info["maxmemory"], l.info["maxmemory_policy"]
	if l.settings["maxmemory-policy"] != "" {
		limit, policy = l.settings["maxmemory"], l.settings["maxmemory-policy"]
	}
	if policy == "" {
		return &store.Error{
			Reason:  store.ReasonRefused,
			Message: "redis tells its maxmemory-policy neither by CONFIG GET nor by INFO; allow one of them",
		}
	}
	if limit != "0" && policy != "noeviction" {
		return &store.Error{
			Reason:  store.ReasonEvictingPolicy,
			Message: fmt.Sprintf("redis would throw values away when memory is short: maxmemory-policy is %s, set noeviction", policy),
		}
	}
	return nil
}
