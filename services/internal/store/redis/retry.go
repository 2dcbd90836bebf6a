package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// The driver tries commands again by itself, also after a lost connection, when they may have been executed: a commit
// sent twice would look fenced. So every command says NoRetry, and is tried again here, where it is known what may be.
// What is left to the driver (go-redis 9.23, ClusterClient.process and processPipeline):
//
//   - It sends a command to the master of its first key's slot, as its map of the cluster tells.
//   - It follows MOVED and ASK, up to MaxRedirects, and has the map loaded after them; it sends ASKING before what it
//     sends after ASK. It takes another server after READONLY, and when a server's pool was closed. In all these
//     cases nothing was executed.
//   - It returns all else at once: a command that says NoRetry is sent again in no other case. TRYAGAIN, CLUSTERDOWN,
//     LOADING and MASTERDOWN are answers of a server that did nothing.
//   - It does not load its map after a lost connection. So reload is called here.
const (
	minBackoff = 10 * time.Millisecond
	maxBackoff = 250 * time.Millisecond
	// singleTries is how often a call to a single server is made that may be made twice.
	singleTries = 4
)

// once is a command that the driver must not send again by itself.
type once struct{ redis.Cmder }

// NoRetry implements redis.Cmder.
func (once) NoRetry() bool { return true }

// processor sends commands: to a cluster, or to one server.
type processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// run runs a script on p.
func (s *script) run(ctx context.Context, p processor, keys []string, args ...any) *redis.Cmd {
	all := make([]any, 3, 3+len(keys)+len(args))
	all[2] = len(keys)
	for _, k := range keys {
		all = append(all, k)
	}
	return s.runArgs(ctx, p, append(all, args...))
}

// runArgs runs a script with all its arguments, of which the first two are set here. A server that does not have the
// script (it is new, or was a replica) says so, does nothing, and gets it: the same one again, as the key decides.
func (s *script) runArgs(ctx context.Context, p processor, args []any) *redis.Cmd {
	args[0], args[1] = "evalsha", s.hash
	cmd := redis.NewCmd(ctx, args...)
	err := p.Process(ctx, once{cmd})
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		args[0], args[1] = "eval", s.source
		cmd = redis.NewCmd(ctx, args...)
		_ = p.Process(ctx, once{cmd}) // the command keeps the error
	}
	return cmd
}

// call runs a script that does no harm when it is run twice.
func (s *Store) call(ctx context.Context, script *script, keys []string, args ...any) *redis.Cmd {
	var cmd *redis.Cmd
	err := s.insist(ctx, true, func() error {
		cmd = script.run(ctx, s.servers, keys, args...)
		return cmd.Err()
	})
	if err != nil {
		cmd.SetErr(err)
	}
	return cmd
}

// insist makes a call until it succeeds, is refused for good, or the patience or ctx end. It is made again after a
// refusal that passes, when nothing was done; a repeatable one also when it is not known what became of it. The error is
// that of the last call, joined with that of ctx where this ended in a pause between two.
func (s *Store) insist(ctx context.Context, repeatable bool, f func() error) error {
	begun, pause := time.Now(), minBackoff
	for try := 1; ; try++ {
		err := f()
		if err == nil || errors.Is(err, redis.Nil) {
			return err
		}
		again := s.passes(err) || repeatable && lost(err) && (s.servers.cluster != nil || try < singleTries)
		if lost(err) || again {
			s.servers.reload(ctx)
		}
		if !again || s.stop.Err() != nil || time.Since(begun)+pause > s.o.Patience {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, after %w", ctx.Err(), err)
		case <-s.stop.Done():
			return redis.ErrClosed
		case <-time.After(pause):
		}
		pause = min(2*pause, maxBackoff)
	}
}

// passes reports whether err is of a call that was not executed, for a reason that passes by itself.
func (s *Store) passes(err error) bool {
	if hasAny(err, "LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "BUSY", "MOVED", "ASK") {
		return true
	}
	if s.servers.cluster == nil {
		return false
	}
	// A master that is gone is replaced by its replica.
	return notSent(err) || redis.HasErrorPrefix(err, "READONLY")
}

// notSent reports whether err is of a command that did not reach a connection.
func notSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed)
}

// lost reports whether err is of the network, so that nothing is known of the command.
func lost(err error) bool {
	var reply redis.Error
	if errors.As(err, &reply) || errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrClosed) {
		return false
	}
	own, ok := errors.AsType[*store.Error](err)
	return !ok || own.Err != nil
}
