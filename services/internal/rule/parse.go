package rule

import (
	"regexp"

	"hale.dev/services/internal/document"
)

const (
	maxRules   = 100
	maxEntries = 100  // of a list
	maxLabels  = 32   // of a rule
	maxText    = 1024 // bytes of a summary, a label's value and the like
	maxURL     = 2048 // bytes

	// maxRuleCost bounds the conditions of one rule, maxCost those of all together, in CEL's units of at most some
	// 20 ns: every change of an account evaluates them all.
	maxRuleCost = 10_000
	maxCost     = 100_000

	// kind is what a file that `hale apply` takes says it is.
	kind = "rules"
)

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

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
	set.onAccount, set.onSource = set.order(false), set.order(true)
	return set, nil
}

// parser reads the parts of a document.
type parser struct{ document.Reader }

func (p *parser) set(n document.Node) *Set {
	set := &Set{}
	at, ok := p.Mapping(n, []string{"rules"}, []string{"kind"})
	if !ok {
		return set
	}
	if k, ok := at["kind"]; ok {
		if text, ok := p.Text(k); ok && text != kind {
			p.Reportf(k, CodeWrongType, "must be %s", kind)
		}
	}
	list, ok := at["rules"]
	if !ok {
		return set
	}
	elements, _ := p.Sequence(list, maxRules)
	found := make([]parsed, 0, len(elements))
	taken := map[string]bool{}
	for _, e := range elements {
		if r, ok := p.rule(e, taken); ok {
			found = append(found, r)
			set.Rules = append(set.Rules, r.Rule)
		}
	}
	p.inhibitions(found)
	p.total(list, found)
	return set
}

// parsed is a rule with what is needed to check it against the others.
type parsed struct {
	*Rule

	inhibitedBy []document.Node // place of each of InhibitedBy
	cost        uint64
}

// total checks what the conditions of all rules could cost together.
func (p *parser) total(list document.Node, rules []parsed) {
	cost := uint64(0)
	for _, r := range rules {
		cost += r.cost
	}
	if cost > maxCost {
		p.Reportf(list, CodeWhenCost, "could cost %d units for one account, all rules together; at most %d are allowed",
			cost, maxCost)
	}
}
