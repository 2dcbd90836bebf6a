package rule

import "slices"

// When says whether the rule's condition holds for an account. Known is false where it cannot be computed, as something
// it asks for has no data; it then does not hold. A rule about sources holds for no account.
func (r *Rule) When(s Subject) (holds, known bool) {
	if r.when == nil {
		return false, false
	}
	return r.when.Eval(s)
}

// Resolve says whether the rule's resolve condition holds for an account; known as in When, given is false where the
// rule has none.
func (r *Rule) Resolve(s Subject) (holds, known, given bool) {
	if r.resolve == nil {
		return false, false, false
	}
	holds, known = r.resolve.Eval(s)
	return holds, known, true
}

// InScope says whether the rule looks at an account.
func (r *Rule) InScope(s Subject) bool {
	return includes(r.Scope.Stages, s.Stage) &&
		includes(r.Scope.Segments, func() string { return s.ProfileText("segment") }) &&
		includes(r.Scope.Plans, func() string { return s.ProfileText("plan") })
}

// includes says whether a list is empty, or has what of returns.
func includes(list []string, of func() string) bool {
	return len(list) == 0 || slices.Contains(list, of())
}

// SourceWhen says whether the condition of a rule about sources holds for one. A rule about accounts holds for none.
func (r *Rule) SourceWhen(name string, silent bool) bool {
	if r.sourceWhen == nil {
		return false
	}
	holds, _ := r.sourceWhen.Eval(source{name, silent})
	return holds
}
