package scorecard

import "hale.dev/services/internal/document"

func (p *parser) milestones(n document.Node) []Milestone {
	elements, _ := p.Sequence(n, maxMilestones)
	milestones := make([]Milestone, 0, len(elements))
	seen := map[string]bool{}
	last := int64(0)
	for _, e := range elements {
		at, ok := p.Mapping(e, nil, []string{"feature", "due_day"})
		if !ok {
			continue
		}
		feature := p.feature(e, at, seen)
		due, ok := p.due(e, at)
		if ok && due < last {
			p.Reportf(at["due_day"], CodeMilestoneOrder, "due_day %d comes after %d; milestones stand in order", due, last)
		}
		last = max(last, due)
		milestones = append(milestones, Milestone{Feature: feature, DueDay: int32(due)}) //nolint:gosec // at most maxDueDay
	}
	return milestones
}

// feature reads the feature of a milestone.
func (p *parser) feature(e document.Node, at document.Keys, seen map[string]bool) string {
	n, ok := at["feature"]
	if !ok {
		p.Reportf(e.Child(e.Node, "feature"), CodeMilestoneFeature, "a milestone needs a feature")
		return ""
	}
	feature, ok := p.Text(n)
	switch {
	case !ok:
	case feature == "" || len(feature) > maxFeature:
		p.Reportf(n, CodeMilestoneFeature, "a feature has 1 to %d bytes", maxFeature)
	case seen[feature]:
		p.Reportf(n, CodeDuplicateMilestone, "feature %q is a milestone already", feature)
	}
	seen[feature] = true
	return feature
}

func (p *parser) due(e document.Node, at document.Keys) (int64, bool) {
	n, ok := at["due_day"]
	if !ok {
		p.Reportf(e.Child(e.Node, "due_day"), CodeMissingKey, "due_day is missing")
		return 0, false
	}
	return p.Integer(n, CodeMilestoneDay, 0, maxDueDay)
}
