package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/store"
)

const (
	failoverGoal = 6 * time.Second
	handoffGoal  = 300 * time.Millisecond
	// rebalanced is how long nothing may have moved before the next process is ended.
	rebalanced = 500 * time.Millisecond
)

// failover measures how long partitions stand still when one of three scoring processes is killed, and when it is asked
// to end. Every partition gets an event at each beat.
func failover(ctx context.Context, b *bench) (err error) {
	s, err := threeScorers(ctx, b)
	if err != nil {
		return err
	}
	defer s.stop()
	seen, err := follow(ctx, s.store(), s.partitions())
	if err != nil {
		return fmt.Errorf("watching the store: %w", err)
	}
	load := drip(ctx, s.log)
	defer func() { err = errors.Join(err, load.close(), seen.close()) }()
	var last, gaps []time.Duration // of each kill the last partition; of each partition handed over the gap
	for i := range b.kills {
		sayf("kill %d of %d", i+1, b.kills)
		ended, err := s.end(ctx, seen, i, (*rig.Process).Kill)
		if err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		last = append(last, slices.Max(ended.since))
	}
	for i := range b.kills {
		sayf("SIGTERM %d of %d", i+1, b.kills)
		ended, err := s.end(ctx, seen, i, (*rig.Process).Stop)
		if err != nil {
			return fmt.Errorf("SIGTERM %d: %w", i+1, err)
		}
		gaps = append(gaps, ended.gaps...)
	}
	where := "single servers"
	if b.clusters {
		where = "clusters"
	}
	if err := b.report.spread("l", "kill -9 to a commit of the last partition, "+where, last, failoverGoal); err != nil {
		return err
	}
	return b.report.spread("l", "SIGTERM, a partition without a commit, "+where, gaps, handoffGoal)
}

func threeScorers(ctx context.Context, b *bench) (*site, error) {
	if b.clusters {
		return clusterSite(ctx, b)
	}
	const partitions = 32 // and streams as the clusters have them
	return singleSite(ctx, b, rig.Options{Partitions: partitions, Args: []string{"--events-streams", "8"}}, 3)
}

// ending is what became of the partitions of a process that was ended.
type ending struct {
	since []time.Duration // from the signal to the first commit of another owner
	gaps  []time.Duration // from the last commit of the old owner to the first one of another
}

// end ends one of the scoring processes in its turn, waits until others have committed all that it owned, and starts it
// again.
func (s *site) end(ctx context.Context, seen *timeline, turn int, how func(*rig.Process)) (*ending, error) {
	if err := s.balanced(ctx); err != nil {
		return nil, err
	}
	victim := s.scoring[turn%len(s.scoring)]
	owned := map[int]uint64{} // partition: epoch
	for p := range s.partitions() {
		status, err := s.store().Inspect(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("looking at partition %d: %w", p, err)
		}
		if owns(victim, status.Lease) {
			owned[p] = status.Epoch
		}
	}
	begun := time.Now()
	how(victim)
	out := &ending{}
	for p, epoch := range owned {
		var before, after mark
		err := until(ctx, time.Minute, func() error {
			var ok bool
			if before, after, ok = seen.takeover(p, begun, epoch); !ok {
				return fmt.Errorf("nobody goes on with partition %d", p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out.since = append(out.since, after.at.Sub(begun))
		out.gaps = append(out.gaps, after.at.Sub(before.at))
	}
	if err := victim.Start(); err != nil {
		return nil, fmt.Errorf("starting it again: %w", err)
	}
	return out, s.ready(ctx, victim)
}

// owns tells whether a lease is a process's: its name has the process id in it.
func owns(p *rig.Process, l store.Lease) bool {
	return p.PID() != 0 && strings.Contains(l.Owner, fmt.Sprintf("-%d-", p.PID()))
}

// balanced waits until every scoring process has its share of the streams, and nothing has moved for a while.
func (s *site) balanced(ctx context.Context) error {
	var before []string
	var since time.Time
	return until(ctx, time.Minute, func() error {
		now, err := s.owners(ctx)
		if err != nil {
			return err
		}
		if !slices.Equal(now, before) {
			before, since = now, time.Now()
		}
		if time.Since(since) < rebalanced {
			return errors.New("streams are moving")
		}
		return nil
	})
}

// owners returns the owner of each partition. It is an error if a process has more than its share.
func (s *site) owners(ctx context.Context) ([]string, error) {
	layout := s.log.Layout()
	share := (layout.Streams + len(s.scoring) - 1) / len(s.scoring) * layout.Partitions / layout.Streams
	owners, count := make([]string, layout.Partitions), map[string]int{}
	for p := range owners {
		status, err := s.store().Inspect(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("looking at partition %d: %w", p, err)
		}
		known := slices.ContainsFunc(s.scoring, func(one *rig.Process) bool { return owns(one, status.Lease) })
		owners[p] = status.Lease.Owner
		if count[owners[p]]++; !known || count[owners[p]] > share {
			return nil, fmt.Errorf("partition %d is not where it will be", p)
		}
	}
	return owners, nil
}
