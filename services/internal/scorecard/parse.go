package scorecard

import (
	"regexp"

	"hale.dev/services/internal/document"
)

const (
	maxCards      = 50
	maxMilestones = 200
	maxPoints     = 50
	maxDueDay     = 3650
	maxFeature    = 256 // bytes, as in an event
	percent       = 100

	// kind is what a file that `hale apply` takes says it is.
	kind = "scorecards"
)

// DimensionNames returns the names of the dimensions, in the order of docs/scorecard.md.
func DimensionNames() []string {
	return []string{"adoption", "engagement", "support", "sentiment", "relationship"}
}

// sources by name.
//
//nolint:gochecknoglobals // a constant table
var sources = map[string]Source{"usage": SourceUsage, "login": SourceLogin, "ticket": SourceTicket}

var cardName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// Parse reads, checks and compiles a document. The error is of type Problems and lists all that is wrong.
// The set's Version is left 0.
func Parse(doc []byte) (*Set, error) {
	body, problems := document.Tree(doc)
	if len(problems) > 0 {
		return nil, Problems(problems)
	}
	p := parser{}
	set := p.set(body)
	if len(p.Problems) > 0 {
		return nil, Problems(p.Problems)
	}
	return set, nil
}

// parser reads the parts of a document.
type parser struct{ document.Reader }

func (p *parser) set(n document.Node) *Set {
	set := &Set{}
	at, ok := p.Mapping(n, []string{"scorecards"}, []string{"kind", "milestones"})
	if !ok {
		return set
	}
	if k, ok := at["kind"]; ok {
		if text, ok := p.Text(k); ok && text != kind {
			p.Reportf(k, CodeWrongType, "must be %s", kind)
		}
	}
	if m, ok := at["milestones"]; ok {
		set.Milestones = p.milestones(m)
	}
	if c, ok := at["scorecards"]; ok {
		set.Cards = p.cards(c)
	}
	return set
}
