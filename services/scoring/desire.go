package scoring

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/member"
)

// desires say which streams this process should own.
type desires struct {
	mu      sync.Mutex
	wanted  []bool
	changed chan struct{} // closed when something changes
}

func newDesires(streams int, all bool) *desires {
	d := &desires{wanted: make([]bool, streams), changed: make(chan struct{})}
	for i := range d.wanted {
		d.wanted[i] = all
	}
	return d
}

// get returns whether the stream is wanted, and what is closed when that may have changed.
func (d *desires) get(stream int) (wanted bool, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wanted[stream], d.changed
}

// set takes new desires, and wakes everybody: also one who waits for another's lease to end.
func (d *desires) set(wanted []bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = wanted
	close(d.changed)
	d.changed = make(chan struct{})
}

// await returns when the stream is wanted, or not wanted, or with the end of ctx.
func (d *desires) await(ctx context.Context, stream int, wanted bool) error {
	for {
		is, changed := d.get(stream)
		if is == wanted {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// follow keeps the desires current with who is there, until ctx ends.
func (s *Service) follow(ctx context.Context) error {
	g := s.deps.Group
	mixed := ""
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-g.Changed():
		}
		live := g.Live()
		s.metrics.members.Record(ctx, int64(len(live)))
		if why := mixture(live); why != mixed {
			if mixed = why; why != "" {
				s.metrics.alarm(ctx, codeMixedVersions)
				s.deps.Logger.WarnContext(ctx, "programs of different versions score side by side",
					"code", codeMixedVersions, "why", why)
			}
		}
		owners, known := g.Assigned(s.deps.Log.Layout().Streams)
		if !known {
			continue // what was decided before holds
		}
		wanted := make([]bool, len(owners))
		for i, owner := range owners {
			wanted[i] = owner == g.Name()
		}
		s.desires.set(wanted)
	}
}

// mixture says how the programs differ that score side by side; empty: not in what matters. Those that fold by older
// rules stand by; of two that ship other scorecards under the same rules, neither is right.
func mixture(live []member.Beat) string {
	kinds := map[string]struct{}{}
	for _, b := range live {
		kind := "version " + b.Version + " with scorecards " + b.Scorecards
		if b.Rules != fold.Rules {
			kind += " and other rules"
		}
		kinds[kind] = struct{}{}
	}
	if len(kinds) < 2 {
		return ""
	}
	return strings.Join(slices.Sorted(maps.Keys(kinds)), "; ")
}
