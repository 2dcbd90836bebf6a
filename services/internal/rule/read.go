package rule

import (
	"slices"

	"hale.dev/services/internal/document"
)

// onAccount lists the keys that mean nothing for a rule on sources: it looks at no account, and nothing holds its alerts.
//
//nolint:gochecknoglobals // a constant table
var onAccount = []string{"resolve", "scope", "opportunity", "inhibited_by", "sources"}

// rule reads a rule; false where it is no mapping.
func (p *parser) rule(n document.Node, taken map[string]bool) (parsed, bool) {
	at, ok := p.Mapping(n, []string{"name", "summary", "severity", "when"}, slices.Concat(onAccount, []string{
		"on", "for", "keep_firing_for", "escalate_after", "owner", "labels", "runbook_url",
	}))
	if !ok {
		return parsed{}, false
	}
	r := parsed{Rule: &Rule{}}
	r.Name = p.name(at, taken)
	r.OnSource = p.on(at)
	r.Summary = p.line(at, "summary")
	r.Severity = p.severity(at)
	r.Owner = p.line(at, "owner")
	r.RunbookURL = p.url(at)
	r.Labels = p.labels(at)
	p.times(at, r.Rule)
	if r.OnSource {
		p.sourceRule(at, &r)
	} else {
		p.accountRule(at, &r)
	}
	if r.cost > maxRuleCost {
		p.Reportf(n, CodeWhenCost, "its conditions could cost %d units for one account; at most %d are allowed",
			r.cost, maxRuleCost)
	}
	return r, true
}

func (p *parser) sourceRule(at document.Keys, r *parsed) {
	for _, key := range onAccount {
		if n, ok := at[key]; ok {
			p.Reportf(n, CodeSourceRule, "%s means nothing for a rule on sources", key)
		}
	}
	if n, ok := at["owner"]; ok && r.Owner == OwnerAccount {
		p.Reportf(n, CodeSourceRule, "%s means nothing for a rule on sources", OwnerAccount)
	}
	p.sourceConditions(at, r)
}

func (p *parser) accountRule(at document.Keys, r *parsed) {
	if n, ok := at["opportunity"]; ok {
		r.Opportunity, _ = p.Flag(n)
	}
	if n, ok := at["sources"]; ok {
		r.Sources, _ = p.entries(n, Sources(), CodeSource, "source")
	}
	if n, ok := at["inhibited_by"]; ok {
		r.InhibitedBy, r.inhibitedBy = p.entries(n, nil, "", "")
	}
	if n, ok := at["scope"]; ok {
		r.Scope = p.scope(n)
	}
	p.accountConditions(at, r)
}

func (p *parser) name(at document.Keys, taken map[string]bool) string {
	n, ok := at["name"]
	if !ok {
		return ""
	}
	name, ok := p.Text(n)
	switch {
	case !ok:
	case !ruleName.MatchString(name):
		p.Reportf(n, CodeName, "a name begins with a-z and has up to 63 of a-z, 0-9 and _")
	case taken[name]:
		p.Reportf(n, CodeDuplicateRule, "a rule %s exists already", name)
	}
	taken[name] = true
	return name
}

// on says whether the rule is about sources.
func (p *parser) on(at document.Keys) bool {
	n, ok := at["on"]
	if !ok {
		return false
	}
	text, ok := p.Text(n)
	if ok && text != "account" && text != "source" {
		p.Reportf(n, CodeSubject, "unknown %q; a rule is on account or source", text)
	}
	return text == "source"
}

func (p *parser) severity(at document.Keys) Severity {
	n, ok := at["severity"]
	if !ok {
		return 0
	}
	text, ok := p.Text(n)
	if !ok {
		return 0
	}
	for s := SeverityInfo; s <= SeverityCritical; s++ {
		if s.String() == text {
			return s
		}
	}
	p.Reportf(n, CodeSeverity, "unknown severity %q; known are info, warning and critical", text)
	return 0
}

func (p *parser) scope(n document.Node) Scope {
	var s Scope
	at, _ := p.Mapping(n, nil, []string{"segments", "plans", "stages"})
	if n, ok := at["segments"]; ok {
		s.Segments, _ = p.entries(n, nil, "", "")
	}
	if n, ok := at["plans"]; ok {
		s.Plans, _ = p.entries(n, nil, "", "")
	}
	if n, ok := at["stages"]; ok {
		s.Stages, _ = p.entries(n, stages(), CodeStage, "stage")
	}
	return s
}
