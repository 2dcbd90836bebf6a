package rule

import (
	"slices"
	"strings"
)

// inhibitions checks that what rules are inhibited by exists, is about accounts, and is not inhibited by them in turn.
func (p *parser) inhibitions(rules []parsed) {
	by := make(map[string]*parsed, len(rules))
	for i := range rules {
		by[rules[i].Name] = &rules[i]
	}
	for _, r := range rules {
		for i, name := range r.InhibitedBy {
			switch other := by[name]; {
			case name == "": // reported
			case other == nil:
				p.Reportf(r.inhibitedBy[i], CodeUnknownRule, "there is no rule %.64s", name)
			case other.OnSource:
				p.Reportf(r.inhibitedBy[i], CodeInhibitor, "%s is on sources; list the sources under sources instead", name)
			}
		}
	}
	p.cycles(rules, by)
}

// cycles reports each cycle once, at the first of its rules in the document.
func (p *parser) cycles(rules []parsed, by map[string]*parsed) {
	done := map[string]bool{} // rules from which no further cycle is reported
	var visit func(r *parsed, way []string)
	visit = func(r *parsed, way []string) {
		if i := slices.Index(way, r.Name); i >= 0 {
			p.Reportf(r.inhibitedBy[0], CodeInhibitorCycle, "rules inhibit each other: %s",
				strings.Join(append(way[i:], r.Name), " by "))
			return
		}
		if done[r.Name] {
			return
		}
		for _, name := range r.InhibitedBy {
			if other := by[name]; other != nil {
				visit(other, append(way, r.Name))
			}
		}
		done[r.Name] = true
	}
	for i := range rules {
		visit(&rules[i], nil)
	}
}
