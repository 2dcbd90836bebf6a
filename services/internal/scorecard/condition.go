package scorecard

import (
	"sync"

	"hale.dev/services/internal/condition"
	"hale.dev/services/internal/document"
)

// maxCost bounds a condition: every change of an account evaluates its workspace's conditions.
const maxCost = 50_000

// conditions compiles them.
//
//nolint:gochecknoglobals // a constant, made when first needed
var conditions = sync.OnceValues(func() (*condition.Environment[Subject], error) {
	return condition.New(Names(), condition.Limits{Cost: maxCost, Division: true})
})

// codeOf is the code of a problem with a condition.
func codeOf(r condition.Reason) string {
	switch r {
	case condition.NotBool:
		return CodeWhenType
	case condition.UnknownName:
		return CodeWhenName
	case condition.TooCostly:
		return CodeWhenCost
	case condition.Invalid, condition.ZeroDivisor:
		return CodeWhenInvalid
	default:
		return CodeWhenInvalid
	}
}

// when reads a card's condition. All cards but the last need one.
func (p *parser) when(card document.Node, at document.Keys, last bool) *condition.Condition[Subject] {
	n, stated := at["when"]
	switch {
	case last && stated:
		p.Reportf(n, CodeWhenOnLast, "the last scorecard takes all that no other took and has no when")
		return nil
	case last:
		return nil
	case !stated:
		p.Reportf(card.Child(card.Node, "when"), CodeWhenMissing, "only the last scorecard may be without when")
		return nil
	}
	text, ok := p.Text(n)
	if !ok {
		return nil
	}
	environment, err := conditions()
	if err != nil {
		p.Reportf(n, CodeWhenInvalid, "%v", err)
		return nil
	}
	compiled, refusals := environment.Compile(text)
	for _, r := range refusals {
		p.Reportf(n, codeOf(r.Reason), "%s", r.Message)
	}
	return compiled
}
