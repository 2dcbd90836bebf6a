package redis

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hale.dev/services/internal/store"
)

// A server that lost power in the middle of a commit loads its append-only file up to there, answers rightly, and
// writes on behind the open MULTI that the file still holds. At its next start the lost half would be applied
// together with the commit that followed it (seen with Redis 7.0.15). So after every start of a server, before
// anything is committed to it, the file is written anew from what the server holds in memory.

const (
	// renewedName is the key, behind the prefix, that holds the run id of the server whose file was renewed.
	renewedName = "!renewed"
	renewLook   = 10 * time.Millisecond
)

// renew makes a server that has started since the last call write its append-only file anew, and waits for that.
func (s *Store) renew(ctx context.Context) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	run, err := s.section(ctx, "server")
	if err != nil {
		return err
	}
	id := run["run_id"]
	if id == "" || id == s.renewed {
		return nil
	}
	if done, err := s.reads.Get(ctx, s.o.Prefix+renewedName).Result(); err == nil && done == id {
		s.renewed = id
		return nil
	}
	file, err := s.section(ctx, "persistence")
	if err != nil {
		return err
	}
	if file["aof_enabled"] != "1" {
		s.renewed = id
		return nil
	}
	if err := s.rewrite(ctx); err != nil {
		return err
	}
	if err := s.writes.Set(ctx, s.o.Prefix+renewedName, id, 0).Err(); err != nil {
		return fmt.Errorf("noting that the append-only file is new: %w", refusal(err))
	}
	s.renewed = id
	return nil
}

// rewrite has the file written and waits until it is. A server that does not allow it is taken as it is.
func (s *Store) rewrite(ctx context.Context) error {
	err := s.writes.BgRewriteAOF(ctx).Err()
	if err != nil && !strings.Contains(err.Error(), "in progress") {
		r := refusal(err)
		if store.HasReason(r, store.ReasonRefused) {
			s.o.Logger.WarnContext(ctx, "redis does not let its append-only file be renewed; after a power cut, "+
				"run redis-check-aof --fix on it before it starts", "error", err)
			return nil
		}
		return fmt.Errorf("renewing the append-only file: %w", r)
	}
	for {
		file, err := s.section(ctx, "persistence")
		if err != nil {
			return err
		}
		if file["aof_rewrite_in_progress"] == "0" && file["aof_rewrite_scheduled"] == "0" {
			if file["aof_last_bgrewrite_status"] != "ok" {
				return &store.Error{Reason: store.ReasonRefused, Message: "redis cannot write its append-only file anew"}
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(renewLook):
		}
	}
}

// section returns the fields of a section of INFO; none where INFO is forbidden.
func (s *Store) section(ctx context.Context, name string) (map[string]string, error) {
	fields := map[string]string{}
	text, err := s.reads.Info(ctx, name).Result()
	if err != nil {
		if r := refusal(err); !store.HasReason(r, store.ReasonRefused) {
			return nil, fmt.Errorf("asking redis for its %s: %w", name, r)
		}
		return fields, nil
	}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[k] = v
		}
	}
	return fields, nil
}
