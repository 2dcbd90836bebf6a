package scorecard

func (p *parser) cards(n node) []*Card {
	elements, ok := p.sequence(n, maxCards)
	if ok && len(elements) == 0 {
		p.reportf(n, CodeMissingKey, "at least one scorecard is needed")
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
		p.reportf(n, CodeName, "a name begins with a-z and has up to 63 of a-z, 0-9, _ and -")
	case taken[name]:
		p.reportf(n, CodeDuplicateCard, "a scorecard %s exists already", name)
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
			p.reportf(e, CodeUnknownSource, "unknown source %q; known are usage, login and ticket", name)
		case set&source != 0:
			p.reportf(e, CodeDuplicateSource, "%s stands here twice", name)
		}
		set |= source
	}
	return set
}
