package redis

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// A server that lost power in the middle of a commit loads its append-only file up to there, answers rightly, and
// writes on behind the open MULTI that the file still holds. At its next start the lost half would be applied
// together with the commit that followed it (seen with Redis 7.0.15). So after every start of a server, before
// anything is committed to it, the file is written anew from what the server holds in memory.
//
// A replica writes its file anew when it has loaded all from its master, so one that becomes the master is whole.

const renewLook = 10 * time.Millisecond

// files are the append-only files of the servers, by address.
type files struct {
	mu sync.Mutex
	of map[string]*file
}

// file is what is known of a server's append-only file.
type file struct {
	mu sync.Mutex
	// run is the run id of the server when its file was last known to be whole.
	run string
	// mark is what claim.lua leaves in the partition, for processes that start later: run, or nothing where the server
	// keeps no such file.
	mark string
}

func (f *files) at(addr string) *file {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]*file{}
	}
	if f.of[addr] == nil {
		f.of[addr] = &file{}
	}
	return f.of[addr]
}

// renew makes the partition's server, if it has started since the last call, write its append-only file anew, and waits
// for that. It returns the mark to leave in the partition.
func (s *Store) renew(ctx context.Context, n *names) (string, error) {
	node, err := s.servers.master(ctx, n.head)
	if err != nil {
		return "", err
	}
	f := s.files.at(node.Options().Addr)
	f.mu.Lock()
	defer f.mu.Unlock()
	server, err := section(ctx, node, "server")
	if err != nil {
		return "", err
	}
	run := server["run_id"]
	if run == "" || run == f.run {
		return f.mark, nil
	}
	mark, err := s.wholeFile(ctx, node, n, run)
	if err != nil {
		return "", err
	}
	f.run, f.mark = run, mark
	return mark, nil
}

// wholeFile makes sure that the file of a server that started since the last look is whole, and returns the mark.
func (s *Store) wholeFile(ctx context.Context, node *redis.Client, n *names, run string) (string, error) {
	if done, err := node.Get(ctx, n.renewed).Result(); err == nil && done == run {
		return run, nil
	}
	file, err := section(ctx, node, "persistence")
	if err != nil {
		return "", err
	}
	if file["aof_enabled"] != "1" {
		return "", nil
	}
	if n := file["aof_rewrites"]; n != "" && n != "0" && settled(file) && file["aof_last_bgrewrite_status"] == "ok" {
		return run, nil // it was written anew since its start
	}
	return run, s.rewrite(ctx, node)
}

// settled reports whether no rewrite of the file is under way.
func settled(file map[string]string) bool {
	return file["aof_rewrite_in_progress"] == "0" && file["aof_rewrite_scheduled"] == "0"
}

// rewrite has the file written and waits until it is. A server that does not allow it is taken as it is.
func (s *Store) rewrite(ctx context.Context, node *redis.Client) error {
	err := node.BgRewriteAOF(ctx).Err()
	if err != nil && !strings.Contains(err.Error(), "in progress") {
		r := refusal(err)
		if store.HasReason(r, store.ReasonRefused) {
			s.o.Logger.WarnContext(ctx, "redis does not let its append-only file be renewed; after a power cut, "+
				"run redis-check-aof --fix on it before it starts", "server", node.Options().Addr, "error", err)
			return nil
		}
		return fmt.Errorf("renewing the append-only file: %w", r)
	}
	for {
		file, err := section(ctx, node, "persistence")
		if err != nil {
			return err
		}
		if settled(file) {
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

// section returns the fields of a section of a server's INFO; none where INFO is forbidden.
func section(ctx context.Context, node *redis.Client, name string) (map[string]string, error) {
	text, err := node.Info(ctx, name).Result()
	if err != nil {
		if r := refusal(err); !store.HasReason(r, store.ReasonRefused) {
			return nil, fmt.Errorf("asking redis for its %s: %w", name, r)
		}
	}
	return fields(text), nil
}

// fields takes an answer of INFO apart.
func fields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[k] = v
		}
	}
	return fields
}
