package redis

import (
	"context"
	"fmt"
	"maps"

	"hale.dev/services/internal/store"
)

// Check implements store.Store: the server answers, takes writes, and throws nothing away.
func (s *Store) Check(ctx context.Context) error {
	if err := s.reads.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("checking redis: %w", refusal(err))
	}
	info, err := s.info(ctx)
	if err != nil {
		return err
	}
	if info["loading"] == "1" {
		return &store.Error{Reason: store.ReasonLoading, Message: "redis is loading its files"}
	}
	if role := info["role"]; role != "" && role != "master" {
		return &store.Error{Reason: store.ReasonReadOnly, Message: "redis is a replica, writes to it would be lost"}
	}
	return s.checkPolicy(ctx, info)
}

// checkPolicy refuses a server that may throw values away. The setting is asked for first; where CONFIG is
// forbidden, as in many managed services, what INFO shows is used.
func (s *Store) checkPolicy(ctx context.Context, info map[string]string) error {
	limit, policy := info["maxmemory"], info["maxmemory_policy"]
	if got, err := s.reads.ConfigGet(ctx, "maxmemory*").Result(); err == nil && got["maxmemory-policy"] != "" {
		limit, policy = got["maxmemory"], got["maxmemory-policy"]
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

// info returns the fields of INFO that Check needs; none where INFO is forbidden.
func (s *Store) info(ctx context.Context) (map[string]string, error) {
	fields := map[string]string{}
	for _, name := range []string{"memory", "replication", "persistence"} { // several at once need Redis 7
		section, err := s.section(ctx, name)
		if err != nil {
			return nil, err
		}
		maps.Copy(fields, section)
	}
	return fields, nil
}
