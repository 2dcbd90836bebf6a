package query

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/matcher"
	"hale.dev/services/internal/settings"
)

// errSilences says why alerts cannot be told of yet.
var errSilences = errors.New("query: the silences are being read")

// silences are those of all workspaces, as the settings have them. It is safe for concurrent use.
type silences struct {
	logger *slog.Logger
	now    func() time.Time
	synced atomic.Bool

	mu sync.RWMutex
	in map[string]*silencesIn
}

// silencesIn are the silences of one workspace.
type silencesIn struct {
	all map[string]*silence
	// revision of the newest change.
	revision uint64
}

// silence is one with its matchers.
type silence struct {
	settings.Silence

	matchers []matcher.Matcher
}

func newSilences(l *slog.Logger, now func() time.Time) *silences {
	return &silences{logger: l, now: now, in: map[string]*silencesIn{}}
}

// ready returns nil when all silences have been read.
func (s *silences) ready() error {
	if s.synced.Load() {
		return nil
	}

	return errSilences
}

// run follows the settings until ctx ends.
func (s *silences) run(ctx context.Context, from *settings.Settings) error {
	for {
		err := from.WatchSilences(ctx, func(c settings.SilenceChange) error {
			s.take(ctx, c)

			return nil
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}

		s.logger.WarnContext(ctx, "watching silences again soon", "error", err)

		if err := sleep(ctx, retryLeast); err != nil {
			return err
		}
	}
}

// take takes a change up. Those that are known already, as after the watch began anew, change nothing.
func (s *silences) take(ctx context.Context, c settings.SilenceChange) {
	if c.Synced {
		s.synced.Store(true)

		return
	}

	one := &silence{Silence: c.Silence}

	for _, m := range one.Silence.Silence.GetMatchers() {
		compiled, err := matcher.New(m)
		if err != nil {
			c.Err = err
		}

		one.matchers = append(one.matchers, compiled)
	}

	if c.Err != nil {
		s.logger.ErrorContext(ctx, "a silence that cannot be used", "workspace", one.Workspace, "silence", one.ID(),
			"error", c.Err)
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	in := s.in[one.Workspace]
	if in == nil {
		in = &silencesIn{all: map[string]*silence{}}
		s.in[one.Workspace] = in
	}

	if one.Revision <= in.revision {
		return
	}

	in.revision = one.Revision

	if c.Removed || c.Err != nil {
		delete(in.all, one.ID())
	} else {
		in.all[one.ID()] = one
	}
}

// revision is that of the newest change of a workspace's silences that is known here.
func (s *silences) revision(workspace string) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()

	if in := s.in[workspace]; in != nil {
		return in.revision
	}

	return 0
}

// list returns the silences of a workspace, in no order.
func (s *silences) list(workspace string) []settings.Silence {
	s.mu.RLock()
	defer s.mu.RUnlock()

	in := s.in[workspace]
	if in == nil {
		return nil
	}

	all := make([]settings.Silence, 0, len(in.all))
	for _, one := range in.all {
		all = append(all, one.Silence)
	}

	return all
}

// of returns the ids of the silences that keep an open alert from being delivered now, in order.
func (s *silences) of(workspace string, a *alertv1.Alert) []string {
	if a.GetState() == alertv1.State_STATE_RESOLVED {
		return nil
	}

	s.mu.RLock()
	defer s.mu.RUnlock()

	in := s.in[workspace]
	if in == nil || len(in.all) == 0 {
		return nil
	}

	var (
		ids []string
		now = s.now()
	)

	for id, one := range in.all {
		if one.Active(now) && matcher.All(one.matchers, a) {
			ids = append(ids, id)
		}
	}

	slices.Sort(ids)

	return ids
}

// marked returns an alert with the ids of the silences that match it.
func (s *silences) marked(ws string, a *alertv1.Alert) *alertv1.Alert {
	ids := s.of(ws, a)
	if len(ids) == 0 {
		return a
	}

	a = proto.CloneOf(a) // the one on the board is shared
	a.SilencedBy = ids

	return a
}

// markedPage is marked for many: the first ones, as many as an answer takes.
func (s *silences) markedPage(ws string, all []*alertv1.Alert) []*alertv1.Alert {
	size := 0

	for i := range all {
		if size >= alertBytes {
			return all[:i]
		}

		all[i] = s.marked(ws, all[i])
		size += proto.Size(all[i])
	}

	return all
}

// markedTransition is marked for the alert of a transition.
func (s *silences) markedTransition(ws string, t *alertv1.Transition) *alertv1.Transition {
	a := s.marked(ws, t.GetAlert())
	if a == t.GetAlert() {
		return t
	}

	return &alertv1.Transition{
		TransitionId: t.GetTransitionId(), Kind: t.GetKind(), At: t.GetAt(), Author: t.GetAuthor(), Note: t.GetNote(),
		CommandId: t.GetCommandId(), Alert: a,
	}
}
