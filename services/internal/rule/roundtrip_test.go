package rule_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/rule"
)

// TestDocumentsAreReadAsWritten writes random rules as documents, in either style of YAML, and reads them back.
func TestDocumentsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 5))
		want := make([]rule.Rule, random.IntN(8))
		doc := "kind: rules\nrules:"
		if len(want) == 0 {
			doc += " []"
		}
		for i := range want {
			want[i] = randomRule(random, i)
			doc += "\n" + written(&want[i], random.IntN(2) == 0)
		}
		set, err := rule.Parse([]byte(doc))
		require.NoError(t, err, "seed %d:\n%s", seed, doc)
		require.Len(t, set.Rules, len(want))
		for i, r := range set.Rules {
			w := &want[i]
			require.Equal(t, [...]any{
				w.Name, w.Summary, w.Owner, w.RunbookURL, w.OnSource, w.Severity, w.For, w.KeepFiringFor, w.EscalateAfter,
				w.Opportunity,
			}, [...]any{
				r.Name, r.Summary, r.Owner, r.RunbookURL, r.OnSource, r.Severity, r.For, r.KeepFiringFor, r.EscalateAfter,
				r.Opportunity,
			}, "seed %d:\n%s", seed, doc)
			for _, pair := range [][2][]string{
				{w.Scope.Plans, r.Scope.Plans}, {w.Scope.Segments, r.Scope.Segments}, {w.Scope.Stages, r.Scope.Stages},
				{w.InhibitedBy, r.InhibitedBy}, {w.Sources, r.Sources},
			} {
				require.Equal(t, append([]string{}, pair[0]...), append([]string{}, pair[1]...), "seed %d:\n%s", seed, doc)
			}
			require.Equal(t, append([]rule.Label{}, w.Labels...), append([]rule.Label{}, r.Labels...))
		}
	}
}

// randomRule is a rule of which the conditions are left out.
func randomRule(random *rand.Rand, i int) rule.Rule {
	text := func() string {
		const letters = `abc XYZ 0123 äß: #'"{}[]&*!|>%@-,?\=<` + "`"
		b := []rune("x")
		for range random.IntN(20) {
			b = append(b, []rune(letters)[random.IntN(len([]rune(letters)))])
		}
		return string(b)
	}
	span := func() int64 { return (time.Duration(random.IntN(90*86_400)) * time.Second).Microseconds() }
	r := rule.Rule{
		Name: fmt.Sprintf("r%d_%d", i, random.IntN(1000)), Summary: text(), Severity: rule.Severity(1 + random.IntN(3)),
		For: span(), KeepFiringFor: span(), EscalateAfter: span() + time.Minute.Microseconds(), Owner: text(),
		RunbookURL: "https://example.com/" + strconv.Itoa(random.IntN(1000)), OnSource: random.IntN(4) == 0,
	}
	if r.EscalateAfter > (90 * 24 * time.Hour).Microseconds() {
		r.EscalateAfter = 0
	}
	for n := range random.IntN(3) {
		r.Labels = append(r.Labels, rule.Label{Name: fmt.Sprintf("l_%d", n), Value: text()})
	}
	if r.OnSource {
		return r
	}
	r.Opportunity = random.IntN(2) == 0
	r.Sources = rule.Sources()[:random.IntN(5)]
	r.Scope = rule.Scope{Stages: []string{"steady", "renewal"}[:random.IntN(3)]}
	for n := range random.IntN(3) {
		r.Scope.Plans = append(r.Scope.Plans, text()+strconv.Itoa(n))
		r.Scope.Segments = append(r.Scope.Segments, strconv.Itoa(n)+text())
	}
	return r
}

// written is a rule in a document.
func written(r *rule.Rule, flow bool) string {
	span := func(micros int64) string { return strconv.FormatInt(micros/1_000_000, 10) + "s" }
	escalate := "never"
	if r.EscalateAfter > 0 {
		escalate = span(r.EscalateAfter)
	}
	lines := []string{
		"name: " + r.Name, "summary: " + quoted(r.Summary), "severity: " + r.Severity.String(), "for: " + span(r.For),
		"keep_firing_for: " + span(r.KeepFiringFor), "escalate_after: " + escalate, "owner: " + quoted(r.Owner),
		"runbook_url: " + quoted(r.RunbookURL),
	}
	var labels []string
	for _, l := range r.Labels {
		labels = append(labels, l.Name+": "+quoted(l.Value))
	}
	lines = append(lines, "labels: {"+strings.Join(labels, ", ")+"}")
	if r.OnSource {
		lines = append(lines, "on: source", "when: silent")
	} else {
		lines = append(lines, "when: score < 50", "opportunity: "+strconv.FormatBool(r.Opportunity),
			"sources: "+list(r.Sources), "inhibited_by: []",
			"scope: {plans: "+list(r.Scope.Plans)+", segments: "+list(r.Scope.Segments)+", stages: "+list(r.Scope.Stages)+"}")
	}
	if flow {
		return "  - {" + strings.Join(lines, ", ") + "}"
	}
	return "  - " + strings.Join(lines, "\n    ")
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func list(all []string) string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = quoted(s)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
