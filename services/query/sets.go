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
	// gone is, for each workspace, the versions that were looked for in vain, so that it is done once.
	gone map[string][]uint64
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

// add compiles a version of a workspace's scorecards.
func (s *sets) add(workspace string, version uint64, document []byte) error {
	if s.get(workspace, version) != nil {
		return nil
	}

	set, err := scorecard.Parse(document)
	if err != nil {
		return fmt.Errorf("compiling scorecards %d of %q: %w", version, workspace, err)
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

	return nil
}

// isGone says whether a version was looked for in vain.
func (s *sets) isGone(workspace string, version uint64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()

	return slices.Contains(s.gone[workspace], version)
}

// setGone notes that a version is not in force any more.
func (s *sets) setGone(workspace string, version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.gone == nil {
		s.gone = map[string][]uint64{}
	}

	all := append(slices.Clone(s.gone[workspace]), version)
	s.gone[workspace] = all[max(0, len(all)-maxVersions):]
}
