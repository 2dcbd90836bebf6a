package scorecard

import (
	"regexp"
	"slices"

	"hale.dev/services/internal/fixed"
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

// dimensionNames in the order of docs/scorecard.md.
//
//nolint:gochecknoglobals // a constant table
var dimensionNames = []string{"adoption", "engagement", "support", "sentiment", "relationship"}

// sources by name.
//
//nolint:gochecknoglobals // a constant table
var sources = map[string]Source{"usage": SourceUsage, "login": SourceLogin, "ticket": SourceTicket}

//nolint:gochecknoglobals // a constant
var cardName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// Parse reads, checks and compiles a document. The error is of type Problems and lists all that is wrong.
// The set's Version is left 0.
func Parse(doc []byte) (*Set, error) {
	body, problems := syntaxTree(doc)
	if len(problems) > 0 {
		return nil, problems
	}
	p := parser{}
	set := p.set(node{Node: body})
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return set, nil
}

// parser reads the parts of a document.
type parser struct {
	reader

	conditions *environment // made when first needed
}

func (p *parser) set(n node) *Set {
	set := &Set{}
	at, ok := p.mapping(n, []string{"scorecards"}, []string{"kind", "milestones"})
	if !ok {
		return set
	}
	if k, ok := at["kind"]; ok {
		if text, ok := p.text(k); ok && text != kind {
			p.report(k, CodeWrongType, "must be %s", kind)
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

func (p *parser) milestones(n node) []Milestone {
	elements, _ := p.sequence(n, maxMilestones)
	milestones := make([]Milestone, 0, len(elements))
	seen := map[string]bool{}
	last := int64(0)
	for _, e := range elements {
		at, ok := p.mapping(e, nil, []string{"feature", "due_day"})
		if !ok {
			continue
		}
		feature := p.feature(e, at, seen)
		due, ok := p.due(e, at)
		if ok && due < last {
			p.report(at["due_day"], CodeMilestoneOrder, "due_day %d comes after %d; milestones stand in order", due, last)
		}
		last = max(last, due)
		milestones = append(milestones, Milestone{Feature: feature, DueDay: int32(due)}) //nolint:gosec // at most maxDueDay
	}
	return milestones
}

// feature reads the feature of a milestone.
func (p *parser) feature(e node, at keys, seen map[string]bool) string {
	n, ok := at["feature"]
	if !ok {
		p.report(e.child(e.Node, "feature"), CodeMilestoneFeature, "a milestone needs a feature")
		return ""
	}
	feature, ok := p.text(n)
	switch {
	case !ok:
	case feature == "" || len(feature) > maxFeature:
		p.report(n, CodeMilestoneFeature, "a feature has 1 to %d bytes", maxFeature)
	case seen[feature]:
		p.report(n, CodeDuplicateMilestone, "feature %q is a milestone already", feature)
	}
	seen[feature] = true
	return feature
}

func (p *parser) due(e node, at keys) (int64, bool) {
	n, ok := at["due_day"]
	if !ok {
		p.report(e.child(e.Node, "due_day"), CodeMissingKey, "due_day is missing")
		return 0, false
	}
	return p.integer(n, CodeMilestoneDay, 0, maxDueDay)
}

func (p *parser) cards(n node) []*Card {
	elements, ok := p.sequence(n, maxCards)
	if ok && len(elements) == 0 {
		p.report(n, CodeMissingKey, "at least one scorecard is needed")
	}
	cards := make([]*Card, 0, len(elements))
	names := map[string]bool{}
	for i, e := range elements {
		at, ok := p.mapping(e, []string{"name", "dimensions"}, []string{"when", "connected"})
		if !ok {
			continue
		}
		c := &Card{Name: p.cardName(at, names), Connected: p.connected(at)}
		c.when = p.when(e, at, i == len(elements)-1)
		if d, ok := at["dimensions"]; ok {
			c.Dimensions = p.dimensions(d)
		}
		cards = append(cards, c)
	}
	return cards
}

func (p *parser) cardName(at keys, taken map[string]bool) string {
	n, ok := at["name"]
	if !ok {
		return ""
	}
	name, ok := p.text(n)
	switch {
	case !ok:
	case !cardName.MatchString(name):
		p.report(n, CodeName, "a name begins with a-z and has up to 63 of a-z, 0-9, _ and -")
	case taken[name]:
		p.report(n, CodeDuplicateCard, "a scorecard %s exists already", name)
	}
	taken[name] = true
	return name
}

// connected reads the sources whose silence counts.
func (p *parser) connected(at keys) Source {
	var set Source
	n, ok := at["connected"]
	if !ok {
		return set
	}
	elements, _ := p.sequence(n, maxCards)
	for _, e := range elements {
		name, ok := p.text(e)
		if !ok {
			continue
		}
		source, ok := sources[name]
		switch {
		case !ok:
			p.report(e, CodeUnknownSource, "unknown source %q; known are usage, login and ticket", name)
		case set&source != 0:
			p.report(e, CodeDuplicateSource, "%s stands here twice", name)
		}
		set |= source
	}
	return set
}

func (p *parser) dimensions(n node) []Dimension {
	elements, ok := p.sequence(n, maxCards)
	if !ok {
		return nil
	}
	dimensions := make([]Dimension, 0, len(elements))
	names, measures := map[string]bool{}, map[Measure]bool{}
	total, whole := int64(0), true
	for _, e := range elements {
		d, ok := p.dimension(e, names, measures)
		whole = whole && ok
		total += d.Weight
		dimensions = append(dimensions, d)
	}
	if whole && total != percent {
		p.report(n, CodeWeightSum, "the weights of all dimensions add up to %d, not 100", total)
	}
	return dimensions
}

// dimension reads a dimension; false where its weight is not known for a problem reported.
func (p *parser) dimension(n node, names map[string]bool, taken map[Measure]bool) (Dimension, bool) {
	at, ok := p.mapping(n, []string{"name", "measures"}, []string{"weight"})
	if !ok {
		return Dimension{}, false
	}
	d := Dimension{Name: p.dimensionName(at, names)}
	elements, ok := p.sequence(at["measures"], maxCards)
	if ok && len(elements) == 0 {
		p.report(at["measures"], CodeMissingKey, "at least one measure is needed")
	}
	for _, e := range elements {
		w, known := p.weighted(e, taken)
		ok = ok && known
		d.Weight += w.Weight
		d.Measures = append(d.Measures, w)
	}
	if n, stated := at["weight"]; stated {
		weight, valid := p.integer(n, CodeWeight, 1, percent)
		if ok && valid && weight != d.Weight {
			p.report(n, CodeWeightSum, "weight is %d, but the measures' weights add up to %d", weight, d.Weight)
		}
	}
	return d, ok
}

func (p *parser) dimensionName(at keys, taken map[string]bool) string {
	n, ok := at["name"]
	if !ok {
		return ""
	}
	name, ok := p.text(n)
	switch {
	case !ok:
	case !slices.Contains(dimensionNames, name):
		p.report(n, CodeUnknownDimension, "unknown dimension %q; known are %s", name, list(dimensionNames))
	case taken[name]:
		p.report(n, CodeDuplicateDimension, "dimension %s stands in this scorecard twice", name)
	}
	taken[name] = true
	return name
}

// weighted reads a measure of a dimension; false where its weight is not known.
func (p *parser) weighted(n node, taken map[Measure]bool) (Weighted, bool) {
	at, ok := p.mapping(n, []string{"name", "weight"}, []string{"curve"})
	if !ok {
		return Weighted{}, false
	}
	var w Weighted
	if name, ok := at["name"]; ok {
		w.Measure, w.Curve = p.measure(name, taken)
	}
	if c, ok := at["curve"]; ok {
		w.Curve = p.curve(c)
	}
	weight, ok := at["weight"]
	if !ok {
		return w, false
	}
	w.Weight, ok = p.integer(weight, CodeWeight, 1, percent)
	return w, ok
}

// measure reads a measure's name; it returns the measure with its own curve.
func (p *parser) measure(n node, taken map[Measure]bool) (Measure, Curve) {
	name, ok := p.text(n)
	if !ok {
		return 0, nil
	}
	m, ok := MeasureByName(name)
	if !ok {
		p.report(n, CodeUnknownMeasure, "unknown measure %q", name)
		return 0, nil
	}
	if taken[m] {
		p.report(n, CodeDuplicateMeasure, "measure %s stands in this scorecard twice", name)
	}
	taken[m] = true
	return m, m.Curve()
}

func (p *parser) curve(n node) Curve {
	elements, ok := p.sequence(n, maxPoints)
	if !ok {
		return nil
	}
	if len(elements) < 2 {
		p.report(n, CodeCurvePoints, "a curve needs at least 2 points")
	}
	c := make(Curve, 0, len(elements))
	for _, e := range elements {
		point, ok := p.point(e)
		if !ok {
			continue
		}
		if len(c) > 0 && point.X <= c[len(c)-1].X {
			p.report(e, CodeCurveOrder, "value %s is not above the one before it, %s",
				fixed.Format(point.X), fixed.Format(c[len(c)-1].X))
		}
		c = append(c, point)
	}
	return c
}

// point reads [value, points].
func (p *parser) point(n node) (Point, bool) {
	pair, ok := p.sequence(n, maxPoints)
	if !ok {
		return Point{}, false
	}
	if len(pair) != 2 {
		p.report(n, CodeWrongType, "a point is [value, points]")
		return Point{}, false
	}
	x, okX := p.decimal(pair[0])
	y, okY := p.decimal(pair[1])
	if okY && (y < 0 || y > percent*fixed.One) {
		p.report(pair[1], CodeCurveRange, "points are from 0 to 100")
	}
	return Point{X: x, Y: y}, okX && okY
}
