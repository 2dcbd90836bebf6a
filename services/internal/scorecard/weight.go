package scorecard

import (
	"slices"

	"hale.dev/services/internal/document"
)

func (p *parser) dimensions(n document.Node) []Dimension {
	elements, ok := p.Sequence(n, maxCards)
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
		p.Reportf(n, CodeWeightSum, "the weights of all dimensions add up to %d, not 100", total)
	}
	return dimensions
}

// dimension reads a dimension; false where its weight is not known for a problem reported.
func (p *parser) dimension(n document.Node, names map[string]bool, taken map[Measure]bool) (Dimension, bool) {
	at, ok := p.Mapping(n, []string{"name", "measures"}, []string{"weight"})
	if !ok {
		return Dimension{}, false
	}
	d := Dimension{Name: p.dimensionName(at, names)}
	known := false
	if list, there := at["measures"]; there {
		d.Measures, known = p.measures(list, taken)
	}
	for _, w := range d.Measures {
		d.Weight += w.Weight
	}
	if n, stated := at["weight"]; stated {
		weight, valid := p.Integer(n, CodeWeight, 1, percent)
		if known && valid && weight != d.Weight {
			p.Reportf(n, CodeWeightSum, "weight is %d, but the measures' weights add up to %d", weight, d.Weight)
		}
	}
	return d, known
}

// measures reads a dimension's measures; false where a weight is not known.
func (p *parser) measures(n document.Node, taken map[Measure]bool) ([]Weighted, bool) {
	elements, ok := p.Sequence(n, maxCards)
	if ok && len(elements) == 0 {
		p.Reportf(n, CodeMissingKey, "at least one measure is needed")
		return nil, false
	}
	all := make([]Weighted, 0, len(elements))
	for _, e := range elements {
		w, known := p.weighted(e, taken)
		ok = ok && known
		all = append(all, w)
	}
	return all, ok
}

func (p *parser) dimensionName(at document.Keys, taken map[string]bool) string {
	n, ok := at["name"]
	if !ok {
		return ""
	}
	name, ok := p.Text(n)
	switch {
	case !ok:
	case !slices.Contains(DimensionNames(), name):
		p.Reportf(n, CodeUnknownDimension, "unknown dimension %q; known are %s", name, document.List(DimensionNames()))
	case taken[name]:
		p.Reportf(n, CodeDuplicateDimension, "dimension %s stands in this scorecard twice", name)
	}
	taken[name] = true
	return name
}

// weighted reads a measure of a dimension; false where its weight is not known.
func (p *parser) weighted(n document.Node, taken map[Measure]bool) (Weighted, bool) {
	at, ok := p.Mapping(n, []string{"name", "weight"}, []string{"curve"})
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
	w.Weight, ok = p.Integer(weight, CodeWeight, 1, percent)
	return w, ok
}

// measure reads a measure's name; it returns the measure with its own curve.
func (p *parser) measure(n document.Node, taken map[Measure]bool) (Measure, Curve) {
	name, ok := p.Text(n)
	if !ok {
		return 0, nil
	}
	m, ok := MeasureByName(name)
	if !ok {
		p.Reportf(n, CodeUnknownMeasure, "unknown measure %q", name)
		return 0, nil
	}
	if taken[m] {
		p.Reportf(n, CodeDuplicateMeasure, "measure %s stands in this scorecard twice", name)
	}
	taken[m] = true
	return m, m.Curve()
}
