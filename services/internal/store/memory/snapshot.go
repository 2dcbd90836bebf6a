package memory

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// When a snapshot is due: small ones whenever something changed. Large ones cost the disk more than they save,
// so they wait until a fair part of them changed, or until they are old.
const (
	smallSnapshot = 8 << 20 // bytes
	changedShare  = 4       // one in 4 bytes
	maxIntervals  = 30      // intervals since the last one
)

// load reads every snapshot of the folder.
func (s *Store) load() error {
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return fmt.Errorf("making the snapshot folder: %w", err)
	}
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return fmt.Errorf("listing the snapshot folder: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(s.o.Dir, e.Name())
		if strings.HasSuffix(e.Name(), tempSuffix) { // a write that a crash ended
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("removing an unfinished snapshot: %w", err)
			}
			continue
		}
		if n, ok := parseName(e.Name()); ok {
			if err := s.loadPart(n, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadPart reads one snapshot. One that is damaged is set aside: the log has what it held.
func (s *Store) loadPart(n int, path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // the path is made of the configured folder
	if err != nil {
		return fmt.Errorf("reading snapshot of partition %d: %w", n, err)
	}
	p, err := decode(n, data)
	if err == nil {
		s.parts[n] = p
		return nil
	}
	aside := path + ".corrupt"
	s.o.Logger.Warn("snapshot is damaged: set aside, the log is replayed",
		slog.Int("partition", n), slog.String("kept_as", aside), slog.Any("error", err))
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("setting aside the damaged snapshot of partition %d: %w", n, err)
	}
	return nil
}

// keepSnapshots writes due snapshots until the store is closed.
func (s *Store) keepSnapshots() {
	defer close(s.done)
	tick := time.NewTicker(s.o.Interval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			if err := s.snapshot(false); err != nil {
				s.o.Logger.Warn("snapshot not written; the log still has everything", slog.Any("error", err))
			}
		}
	}
}

// snapshot writes the snapshots that are due, or all that changed. One that fails does not keep the others.
func (s *Store) snapshot(all bool) error {
	s.snap.Lock()
	defer s.snap.Unlock()
	s.mu.RLock()
	parts := make([]*part, 0, len(s.parts))
	for _, p := range s.parts {
		parts = append(parts, p)
	}
	s.mu.RUnlock()
	slices.SortFunc(parts, func(a, b *part) int { return a.n - b.n })
	var errs []error
	for _, p := range parts {
		if !p.due(all) {
			continue
		}
		if err := s.save(p); err != nil {
			errs = append(errs, fmt.Errorf("writing snapshot of partition %d: %w", p.n, err))
		}
	}
	return errors.Join(errs...)
}

// due reports whether a snapshot should be written now; it is asked once each interval.
func (p *part) due(all bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.age++
	if !p.changed {
		return false
	}
	return all || p.size < smallSnapshot || p.written >= p.size/changedShare || p.age >= maxIntervals
}

func (s *Store) save(p *part) error {
	head, values := p.freeze()
	size, err := writeFile(s.o.Dir, p.n, head, values)
	p.thaw(err == nil, size)
	return err
}
