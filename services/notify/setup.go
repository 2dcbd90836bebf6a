package notify

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"hale.dev/services/internal/matcher"
	"hale.dev/services/internal/settings"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/receiver"
)

// setups is what operators have set, by workspace, as it is now.
type setups struct {
	logger *slog.Logger

	mu        sync.Mutex
	receivers map[string]*receiver.Set
	silences  map[string]map[string]dispatch.Silence
	synced    [2]bool
	changed   chan struct{} // closed at the next change
	whole     chan struct{} // closed when all that was there is read
}

func newSetups(logger *slog.Logger) *setups {
	return &setups{
		logger: logger, receivers: map[string]*receiver.Set{}, silences: map[string]map[string]dispatch.Silence{},
		changed: make(chan struct{}), whole: make(chan struct{}),
	}
}

// watchPause is how long nothing is read after a watch broke.
const watchPause = time.Second

// follow reads the settings until ctx ends.
func (s *setups) follow(ctx context.Context, from Settings) {
	var both sync.WaitGroup

	keep := func(what string, watch func() error) {
		for ctx.Err() == nil {
			if err := watch(); ctx.Err() == nil {
				s.logger.WarnContext(ctx, "watching "+what+" again soon", slog.Any("error", err))
			}

			select {
			case <-ctx.Done():
			case <-time.After(watchPause):
			}
		}
	}

	both.Go(func() {
		keep("receivers", func() error { return from.WatchReceivers(ctx, s.setReceivers) })
	})
	both.Go(func() {
		keep("silences", func() error { return from.WatchSilences(ctx, s.setSilence) })
	})
	both.Wait()
}

func (s *setups) setReceivers(c settings.ReceiversChange) error {
	if c.Synced {
		s.change(func() { s.synced[0] = true })

		return nil
	}

	var set *receiver.Set

	if len(c.Document) > 0 {
		var err error
		if set, err = receiver.Parse(c.Document); err != nil {
			// It was checked when it was stored, so another version stored it. What was in force stays.
			s.logger.Error("receivers cannot be read", slog.String("workspace", c.Workspace), slog.Any("error", err))

			return nil
		}

		set.Version = c.Version
	}

	s.change(func() { s.receivers[c.Workspace] = set })

	return nil
}

func (s *setups) setSilence(c settings.SilenceChange) error {
	if c.Synced {
		s.change(func() { s.synced[1] = true })

		return nil
	}

	ws, id := c.Silence.Workspace, c.Silence.ID()
	made := dispatch.Silence{
		ID: id, Start: c.Silence.Silence.GetStartTime().AsTime(), End: c.Silence.Silence.GetEndTime().AsTime(),
	}

	for _, m := range c.Silence.Silence.GetMatchers() {
		one, err := matcher.New(m)
		if err != nil {
			s.logger.Error("a silence cannot be read", slog.String("workspace", ws), slog.String("silence", id),
				slog.Any("error", err))

			c.Removed = true
		}

		made.Matchers = append(made.Matchers, one)
	}

	s.change(func() {
		if s.silences[ws] == nil {
			s.silences[ws] = map[string]dispatch.Silence{}
		}

		// One that matches everything because nothing of it could be read would be worse than none.
		if c.Removed || len(made.Matchers) == 0 {
			delete(s.silences[ws], id)
		} else {
			s.silences[ws][id] = made
		}
	})

	return nil
}

// change changes something and tells whoever waits for it.
func (s *setups) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()

	before := s.synced[0] && s.synced[1]

	f()

	if !before && s.synced[0] && s.synced[1] {
		close(s.whole)
	}

	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *setups) ready() bool {
	select {
	case <-s.whole:
		return true
	default:
		return false
	}
}

// apply tells a state how everything is set, and returns what is closed at the next change.
func (s *setups) apply(state *dispatch.State) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()

	workspaces := slices.Collect(maps.Keys(s.receivers))

	for _, ws := range workspaces {
		setup := &dispatch.Setup{Receivers: s.receivers[ws]}
		for _, one := range s.silences[ws] {
			setup.Silences = append(setup.Silences, one)
		}

		slices.SortFunc(setup.Silences, func(a, b dispatch.Silence) int { return strings.Compare(a.ID, b.ID) })
		state.SetUp(ws, setup)
	}

	return s.changed
}
