package scoring

import (
	"slices"

	"hale.dev/services/internal/store"
)

// simFaultKind is what befalls a call of a process to the outside.
type simFaultKind uint8

const (
	faultNone simFaultKind = iota
	// faultRefused: nothing is done, and that is known.
	faultRefused
	// faultLost: nothing is done, and that is not known.
	faultLost
	// faultUnanswered: it is done, and that is not known.
	faultUnanswered
	// faultLate: it is done later, when the caller has long gone on.
	faultLate
	// faultKilledBefore and faultKilledAfter: the process is killed before or after it is done.
	faultKilledBefore
	faultKilledAfter
	faultKinds
)

func (k simFaultKind) String() string {
	return [...]string{"no fault", "refused", "lost", "unanswered", "late", "killed before", "killed after"}[k]
}

// simFault will strike a call.
type simFault struct {
	kind    simFaultKind
	commits bool // only a commit is struck
	left    int  // calls before it
}

// strike returns what befalls the call at hand.
func (p *simProcess) strike(request *simRequest) simFaultKind {
	if p.fault.kind == faultNone || (p.fault.commits && request == nil) {
		return faultNone
	}
	if p.fault.left--; p.fault.left >= 0 {
		return faultNone
	}
	kind := p.fault.kind
	p.fault = simFault{}
	p.sim.count(kind.String())
	p.sim.sayf("%s: a call is struck: %s", p.group.name, kind)
	return kind
}

// simRequest is a commit on its way to the store.
type simRequest struct {
	owner  string
	commit *store.Commit
}

// clone copies a request: who sent it may use its bytes again.
func (r *simRequest) clone() *simRequest {
	c := *r.commit
	c.State = slices.Clone(c.State)
	c.Put, c.Append = cloneEntries(c.Put), cloneEntries(c.Append)
	c.Delete, c.Changed = slices.Clone(c.Delete), slices.Clone(c.Changed)
	return &simRequest{r.owner, &c}
}

func cloneEntries(entries []store.Entry) []store.Entry {
	out := make([]store.Entry, len(entries))
	for i, e := range entries {
		out[i] = store.Entry{Key: e.Key, Value: slices.Clone(e.Value)}
	}
	return out
}
