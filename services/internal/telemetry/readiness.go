package telemetry

import (
	"slices"
	"strings"
	"sync"
)

// Readiness gathers the answers of named checks. The zero value has no check and is ready.
// It is safe for concurrent use.
type Readiness struct {
	mu     sync.Mutex
	checks []check
}

type check struct {
	name string
	ask  func() error
}

// NotReady names a part of the process that is not ready, and why.
type NotReady struct {
	// Name of the check, for example `scoring`.
	Name string `json:"name"`
	// Reason is for a person.
	Reason string `json:"reason"`
}

// Add adds a check: ask returns nil when its part is ready, else why it is not. It must
// return at once.
func (r *Readiness) Add(name string, ask func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.checks = append(r.checks, check{name: name, ask: ask})
}

// NotReady asks every check and returns those that are not ready, by name; none: ready.
func (r *Readiness) NotReady() []NotReady {
	r.mu.Lock()
	checks := slices.Clone(r.checks)
	r.mu.Unlock()

	var missing []NotReady

	for _, c := range checks {
		if err := c.ask(); err != nil {
			missing = append(missing, NotReady{Name: c.name, Reason: err.Error()})
		}
	}

	slices.SortStableFunc(missing, func(a, b NotReady) int { return strings.Compare(a.Name, b.Name) })

	return missing
}
