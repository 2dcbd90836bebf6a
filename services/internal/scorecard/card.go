package scorecard

import "hale.dev/services/internal/document"

func (p *parser) cards(n document.Node) []*Card {
	elements, ok := p.Sequence(n, maxCards)
	if ok && len(elements) == 0 {
		p.Reportf(n, CodeMissingKey, "at least one scorecard is needed")
	}
	cards := make([]*Card, 0, len(elements))
	names := map[string]bool{}
	for i, e := range elements {
		at, ok := p.Mapping(e, []string{"name", "dimensions"}, []string{"when", "connected"})
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

func (p *parser) cardName(at document.Keys, taken map[string]bool) string {
	n, ok := at["name"]
	if !ok {
		return ""
	}
	name, ok := p.Text(n)
	switch {
	case !ok:
	case !cardName.MatchString(name):
		p.Reportf(n, CodeName, "a name begins with a-z and has up to 63 of a-z, 0-9, _ and -")
	case taken[name]:
		p.Reportf(n, CodeDuplicateCard, "a scorecard %s exists already", name)
	}
	taken[name] = true
	return name
}

// connected reads the sources whose silence counts.
func (p *parser) connected(at document.Keys) Source {
	var set Source
	n, ok := at["connected"]
	if !ok {
		return set
	}
	elements, _ := p.Sequence(n, maxCards)
	for _, e := range elements {
		name, ok := p.Text(e)
		if !ok {
			continue
		}
		source, ok := sources[name]
		switch {
		case !ok:
			p.Reportf(e, CodeUnknownSource, "unknown source %q; known are usage, login and ticket", name)
		case set&source != 0:
			p.Reportf(e, CodeDuplicateSource, "%s stands here twice", name)
		}
		set |= source
	}
	return set
}
