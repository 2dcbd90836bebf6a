package query

import (
	"fmt"
	"slices"
	"sync"

	"hale.dev/services/internal/scorecard"
)

// maxVersions is how many versions of a workspace's scorecards stay compiled: partitions may, for a moment, differ.
const maxVersions = 4

// sets keeps compiled scorecards.
type sets struct {
	shipped *scorecard.Set
	mu      sync.RWMutex
	of      map[string][]*scorecard.Set // newest last
}

// get returns a version of a workspace's scorecards; nil: not here.
func (s *sets) get(workspace string, version uint64) *scorecard.Set {
	if version == 0 {
		return s.shipped
	}

	s.mu.RLock()
	defer s.mu.RUnlock()

	for _, set := range s.of[workspace] {
		if set.Version == version {
			return set
		}
	}

	return nil
}

// add compiles a version of a workspace's scorecards and keeps it, unless there are newer ones enough.
func (s *sets) add(workspace string, version uint64, document []byte) (*scorecard.Set, error) {
	if set := s.get(workspace, version); set != nil {
		return set, nil
	}

	set, err := scorecard.Parse(document)
	if err != nil {
		return nil, unusable("scorecards", fmt.Errorf("compiling version %d of %q: %w", version, workspace, err))
	}

	set.Version = version

	s.mu.Lock()
	defer s.mu.Unlock()

	if s.of == nil {
		s.of = map[string][]*scorecard.Set{}
	}

	all := append(slices.Clone(s.of[workspace]), set)
	slices.SortFunc(all, func(x, y *scorecard.Set) int {
		if x.Version < y.Version {
			return -1
		}

		return 1
	})
	s.of[workspace] = all[max(0, len(all)-maxVersions):]

	return set, nil
}
