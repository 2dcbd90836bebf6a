package rule

import (
	"slices"

	"hale.dev/services/internal/condition"
	"hale.dev/services/internal/document"
)

// codeOf is the code of a problem with a condition.
func codeOf(r condition.Reason) string {
	switch r {
	case condition.NotBool:
		return CodeWhenType
	case condition.UnknownName:
		return CodeWhenName
	case condition.TooCostly:
		return CodeWhenCost
	case condition.ZeroDivisor:
		return CodeWhenDivision
	case condition.Invalid:
		return CodeWhenInvalid
	default:
		return CodeWhenInvalid
	}
}

// accountConditions reads the conditions of a rule on accounts.
func (p *parser) accountConditions(at document.Keys, r *parsed) {
	for _, c := range []struct {
		key  string
		into **condition.Condition[Subject]
	}{{"when", &r.when}, {"resolve", &r.resolve}} {
		compiled := compile(p, at, c.key, accountConditions)
		if compiled == nil {
			continue
		}
		*c.into = compiled
		r.cost += compiled.Cost()
		for _, path := range compiled.Asks() {
			if m, ok := measureIn(path); ok && !slices.Contains(r.Measures, m) {
				r.Measures = append(r.Measures, m)
			}
		}
	}
}

// sourceConditions reads the condition of a rule on sources.
func (p *parser) sourceConditions(at document.Keys, r *parsed) {
	if r.sourceWhen = compile(p, at, "when", sourceConditions); r.sourceWhen != nil {
		r.cost = r.sourceWhen.Cost()
	}
}

// compile reads a condition; nil where it is absent or cannot be used.
func compile[S any](
	p *parser, at document.Keys, key string, in func() (*condition.Environment[S], error),
) *condition.Condition[S] {
	n, ok := at[key]
	if !ok {
		return nil
	}
	text, ok := p.Text(n)
	if !ok {
		return nil
	}
	environment, err := in()
	if err != nil {
		p.Reportf(n, CodeWhenInvalid, "%v", err)
		return nil
	}
	compiled, refusals := environment.Compile(text)
	for _, refusal := range refusals {
		p.Reportf(n, codeOf(refusal.Reason), "%s", refusal.Message)
	}
	return compiled
}
