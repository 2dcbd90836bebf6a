package fold

import (
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

const (
	// documentDays is for how many days a document that is no longer in force is kept: rows of history that it made are
	// kept as long.
	documentDays = 401
	// maxDocuments bounds how many documents of a workspace are kept, that in force included.
	maxDocuments = 64
)

// KeptVersion is a version of scorecards whose document is stored.
type KeptVersion struct {
	Version uint64
	// Until is the day on which another took its place; of the one in force it says nothing.
	Until health.Day
}

// keepDocument stores a document that has come into force, so that what it made can be explained later, and forgets
// those that have made nothing that is kept.
func (p *Partition) keepDocument(workspace string, version uint64, document []byte) {
	today := health.DayOf(p.LogTime)
	s := p.setOf(workspace)
	if n := len(s.Kept); n > 0 {
		s.Kept[n-1].Until = today
	}
	s.Kept = append(s.Kept, KeptVersion{Version: version})
	p.changed.put(store.ScorecardsVersionKey(workspace, version), document)
	gone := max(0, len(s.Kept)-maxDocuments)
	for gone < len(s.Kept)-1 && s.Kept[gone].Until < today-documentDays {
		gone++
	}
	for _, k := range s.Kept[:gone] {
		p.changed.delete(store.ScorecardsVersionKey(workspace, k.Version))
	}
	s.Kept = append([]KeptVersion(nil), s.Kept[gone:]...)
}

// CopyKeys returns the keys whose values belong to the partition as a whole, but for the ids of its accounts: those that
// Load needs, documents of scorecards that were in force before, and what is on its way to ALERTS.
func (p *Partition) CopyKeys() []string {
	keys := append(p.LoadKeys(), p.Outbox()...)
	for _, s := range p.Sets {
		for _, k := range s.Kept {
			keys = append(keys, store.ScorecardsVersionKey(s.Workspace, k.Version))
		}
	}
	return keys
}
