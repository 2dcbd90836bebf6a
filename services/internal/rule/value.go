package rule

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"hale.dev/services/internal/document"
	"hale.dev/services/internal/scorecard"
)

// labelName is a name of a label that Prometheus takes; __ is its own.
var labelName = regexp.MustCompile(`^([a-zA-Z]|_[a-zA-Z0-9]|_$)[a-zA-Z0-9_]{0,62}$`)

func stages() []string { return scorecard.Stages() }

// line reads a text of one line; empty where the key is absent.
func (p *parser) line(at document.Keys, key string) string {
	n, ok := at[key]
	if !ok {
		return ""
	}
	return p.short(n)
}

// short reads a text of one line.
func (p *parser) short(n document.Node) string {
	text, ok := p.Text(n)
	if !ok {
		return ""
	}
	if strings.TrimSpace(text) == "" || len(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) {
		p.Reportf(n, CodeText, "must be one line of 1 to %d bytes", maxText)
	}
	return text
}

// entries reads a list of texts, each once; those of known only, unless that is nil. It returns the place of each too.
func (p *parser) entries(n document.Node, known []string, code, what string) ([]string, []document.Node) {
	elements, _ := p.Sequence(n, maxEntries)
	texts := make([]string, 0, len(elements))
	for _, e := range elements {
		text := p.short(e)
		switch {
		case text == "":
		case slices.Contains(texts, text):
			p.Reportf(e, CodeDuplicateEntry, "%.64s stands here twice", text)
		case known != nil && !slices.Contains(known, text):
			p.Reportf(e, code, "unknown %s %.64q; known are %s", what, text, document.List(known))
		}
		texts = append(texts, text)
	}
	return texts, elements
}

func (p *parser) url(at document.Keys) string {
	n, ok := at["runbook_url"]
	if !ok {
		return ""
	}
	text, ok := p.Text(n)
	if !ok {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || len(text) > maxURL {
		p.Reportf(n, CodeURL, "must be a URL that begins with https:// or http://, of at most %d bytes", maxURL)
	}
	return text
}

func (p *parser) labels(at document.Keys) []Label {
	n, ok := at["labels"]
	if !ok {
		return nil
	}
	pairs, _ := p.Pairs(n, maxLabels)
	labels := make([]Label, 0, len(pairs))
	for _, pair := range pairs {
		if !labelName.MatchString(pair.Name) {
			p.Reportf(pair.Value, CodeLabel,
				"%.64q is no name of a label: up to 64 of a-z, A-Z, 0-9 and _, not beginning with a digit or __", pair.Name)
		}
		labels = append(labels, Label{Name: pair.Name, Value: p.short(pair.Value)})
	}
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return labels
}
