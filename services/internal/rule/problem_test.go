package rule_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/document"
	"hale.dev/services/internal/rule"
)

// minimal is a good document that the bad ones are made from by replacing parts of it.
const minimal = `kind: rules
rules:
  - name: first
    summary: The first one
    severity: critical
    when: score < 30
    resolve: score > 40
    for: 1d
    escalate_after: 2h
    keep_firing_for: 30m
    owner: "@account"
    labels: {team: success, tier: "1"}
    runbook_url: https://example.com/runbook
    scope:
      plans: [gold]
      stages: [steady, renewal]
    sources: [usage, login]
  - name: second
    summary: The second one
    severity: warning
    when: measures.nps < 0 && has(measures.csat)
    inhibited_by: [first]
  - name: third
    on: source
    summary: A source is away
    severity: info
    when: silent && source != "survey"
`

type bad struct {
	says, old, with, field, code, line string
}

// wrongs has a document for each way to be wrong.
func wrongs() []bad {
	const (
		first, second, third = "rules[0]", "rules[1]", "rules[2]"
		when                 = "when: score < 30"
	)
	scripts := strings.Repeat(" || profile.traits.exists(a, profile.traits.exists(b, a == b))", 3)
	return []bad{
		{"an unknown key of the document", "kind: rules", "colour: red", "colour", rule.CodeUnknownKey, "line 1:"},
		{"another kind of file", "kind: rules", "kind: scorecards", "kind", rule.CodeWrongType, "line 1:"},
		{"no YAML", "kind: rules", "kind: [", "", rule.CodeYAML, ""},
		{"an alias", "summary: The first one", "summary: *x", "", rule.CodeYAMLFeature, "line 4:"},
		{"a list of rules that is none", "rules:\n  - name: first", "rules: 7\nx:\n  - name: first", "rules", rule.CodeWrongType, "line 2:"},
		{"an unknown key of a rule", "for: 1d", "fro: 1d", first + ".fro", rule.CodeUnknownKey, "line 8:"},
		{"a key twice", "for: 1d", "name: first", first + ".name", rule.CodeDuplicateKey, "line 8:"},
		{"a label twice", "tier: \"1\"", "team: \"1\"", first + ".labels.team", rule.CodeDuplicateKey, "line 12:"},
		{"a rule without a name", "- name: second\n    summary", "- summary", second + ".name", rule.CodeMissingKey, "line 18:"},
		{"a rule without a summary", "    summary: The second one\n", "", second + ".summary", rule.CodeMissingKey, "line 18:"},
		{"a rule without a severity", "    severity: warning\n", "", second + ".severity", rule.CodeMissingKey, "line 18:"},
		{"a rule without a condition", "    " + when + "\n", "", first + ".when", rule.CodeMissingKey, "line 3:"},
		{"a name with a dash", "name: third", "name: thi-rd", third + ".name", rule.CodeName, "line 23:"},
		{"a name that is too long", "name: third", "name: a" + strings.Repeat("b", 63), third + ".name", rule.CodeName, "line 23:"},
		{"a name twice", "name: third", "name: second", third + ".name", rule.CodeDuplicateRule, "line 23:"},
		{"an empty summary", "The first one", `" "`, first + ".summary", rule.CodeText, "line 4:"},
		{"a summary of two lines", "The first one", "|\n      The\n      first", first + ".summary", rule.CodeText, ""},
		{"a summary that is too long", "The first one", strings.Repeat("x", 1025), first + ".summary", rule.CodeText, "line 4:"},
		{"a severity that is none", "severity: info", "severity: page", third + ".severity", rule.CodeSeverity, "line 26:"},
		{"a rule on something else", "on: source", "on: user", third + ".on", rule.CodeSubject, "line 24:"},
		{"a scope on a source", "on: source", "on: source\n    scope: {plans: [gold]}", third + ".scope", rule.CodeSourceRule, "line 25:"},
		{"a resolve condition on a source", "on: source", "on: source\n    resolve: silent", third + ".resolve", rule.CodeSourceRule, "line 25:"},
		{"the owner of no account", "on: source", "on: source\n    owner: \"@account\"", third + ".owner", rule.CodeSourceRule, "line 25:"},
		{"a duration without a unit", "for: 1d", `for: "90"`, first + ".for", rule.CodeDuration, "line 8:"},
		{"a duration that is a number", "for: 1d", "for: 90", first + ".for", rule.CodeWrongType, "line 8:"},
		{"a duration with its units turned", "for: 1d", "for: 2h1d", first + ".for", rule.CodeDuration, "line 8:"},
		{"a duration with a point", "for: 1d", "for: 1.5h", first + ".for", rule.CodeDuration, "line 8:"},
		{"a duration below zero", "for: 1d", "for: -1h", first + ".for", rule.CodeDuration, "line 8:"},
		{"a duration that is too long", "for: 1d", "for: 90d1s", first + ".for", rule.CodeDuration, "line 8:"},
		{"an escalation at once", "escalate_after: 2h", "escalate_after: 59s", first + ".escalate_after", rule.CodeDuration, "line 9:"},
		{"an opportunity that is text", "for: 1d", `opportunity: "yes"`, first + ".opportunity", rule.CodeWrongType, "line 8:"},
		{"labels that are a list", "labels: {team: success, tier: \"1\"}", "labels: [team]", first + ".labels", rule.CodeWrongType, "line 12:"},
		{"a label with a dash", "team: success", "te-am: success", first + ".labels.te-am", rule.CodeLabel, "line 12:"},
		{"a label of Prometheus's own", "team: success", "__team: success", first + ".labels.__team", rule.CodeLabel, "line 12:"},
		{"a label that is a number", `tier: "1"`, "tier: 1", first + ".labels.tier", rule.CodeWrongType, "line 12:"},
		{"a label without a value", `tier: "1"`, `tier: ""`, first + ".labels.tier", rule.CodeText, "line 12:"},
		{"too many labels", `team: success`, labels(33), first + ".labels", rule.CodeTooLarge, "line 12:"},
		{"a runbook that is a file", "https://example.com/runbook", "file:///etc/passwd", first + ".runbook_url", rule.CodeURL, "line 13:"},
		{"a runbook without a host", "https://example.com/runbook", "https:/runbook", first + ".runbook_url", rule.CodeURL, "line 13:"},
		{"a runbook with a password", "https://example.com/runbook", "https://u:p@example.com", first + ".runbook_url", rule.CodeURL, "line 13:"},
		{"a plan twice", "[gold]", "[gold, gold]", first + ".scope.plans[1]", rule.CodeDuplicateEntry, "line 15:"},
		{"a stage that is none", "[steady, renewal]", "[steady, happy]", first + ".scope.stages[1]", rule.CodeStage, "line 16:"},
		{"an unknown key of a scope", "plans: [gold]", "bands: [gold]", first + ".scope.bands", rule.CodeUnknownKey, "line 15:"},
		{"a source that is none", "[usage, login]", "[usage, crm]", first + ".sources[1]", rule.CodeSource, "line 17:"},
		{"an inhibitor that is not there", "[first]", "[fourth]", second + ".inhibited_by[0]", rule.CodeUnknownRule, "line 22:"},
		{"an inhibitor on sources", "[first]", "[third]", second + ".inhibited_by[0]", rule.CodeInhibitor, "line 22:"},
		{"a rule that inhibits itself", "[first]", "[second]", second + ".inhibited_by[0]", rule.CodeInhibitorCycle, "line 22:"},
		{"rules that inhibit each other", "    sources: [usage, login]", "    inhibited_by: [second]", first + ".inhibited_by[0]", rule.CodeInhibitorCycle, "line 17:"},
		{"a condition that breaks off", when, "when: score <", first + ".when", rule.CodeWhenInvalid, "line 6: column 8:"},
		{"a condition on a map literal", when, `when: "{1: 2} == {1: 2}"`, first + ".when", rule.CodeWhenInvalid, "line 6:"},
		{"a condition that is a number", when, "when: score", first + ".when", rule.CodeWhenType, "line 6:"},
		{"a comparison of a text with a number", when, "when: band < 30", first + ".when", rule.CodeWhenInvalid, "line 6: column 6:"},
		{"a name that does not exist", when, "when: scorn < 30", first + ".when", rule.CodeWhenName, "line 6: column 1:"},
		{"a measure that does not exist", when, "when: measures.happiness < 30", first + ".when", rule.CodeWhenName, "line 6:"},
		{"a dimension that does not exist", when, "when: dimensions.money < 30", first + ".when", rule.CodeWhenName, "line 6:"},
		{"a band that does not exist", when, `when: band == "red"`, first + ".when", rule.CodeWhenName, "line 6:"},
		{"a source that does not exist", `source != "survey"`, `source != "crm"`, third + ".when", rule.CodeWhenName, "line 27:"},
		{"a score on a source", `source != "survey"`, "score < 30", third + ".when", rule.CodeWhenName, "line 27:"},
		{"the time", when, "when: now() > timestamp(0)", first + ".when", rule.CodeWhenName, "line 6:"},
		{"a division by zero", when, "when: score / 0.0 < 30", first + ".when", rule.CodeWhenDivision, "line 6:"},
		{"a remainder by zero", when, "when: age_days % 0 == 0", first + ".when", rule.CodeWhenDivision, "line 6:"},
		{"a divisor that could be zero", when, "when: score / profile.arr < 30", first + ".when", rule.CodeWhenDivision, "line 6:"},
		{"a condition that could take too long", when, "when: 1 > 2" + scripts, first + ".when", rule.CodeWhenCost, "line 6:"},
		{"a resolve condition that is wrong", "resolve: score > 40", "resolve: score +", first + ".resolve", rule.CodeWhenInvalid, "line 7:"},
	}
}

func labels(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("l%d: x", i)
	}
	return strings.Join(all, ", ")
}

// problems parses a document that is bad.
func problems(t *testing.T, doc string) rule.Problems {
	t.Helper()
	set, err := rule.Parse([]byte(doc))
	require.Nil(t, set)
	var found rule.Problems
	require.ErrorAs(t, err, &found, "the error is %v", err)
	require.NotEmpty(t, found)
	return found
}

func TestParseReportsProblems(t *testing.T) {
	t.Parallel()
	for _, c := range wrongs() {
		t.Run("it refuses "+c.says, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, minimal, c.old)
			found := problems(t, strings.Replace(minimal, c.old, c.with, 1))
			i := slices.IndexFunc(found, func(p rule.Problem) bool { return p.Field == c.field && p.Code == c.code })
			require.GreaterOrEqual(t, i, 0, "%s", found)
			require.Contains(t, found[i].Message, c.line)
		})
	}
}

func TestEveryCodeIsReported(t *testing.T) {
	t.Parallel()
	reported := map[string]bool{}
	for _, c := range wrongs() {
		reported[c.code] = true
	}
	require.ElementsMatch(t, codes(t), slices.Collect(maps.Keys(reported)))
}

func TestParseBoundsDocuments(t *testing.T) {
	t.Parallel()
	many := func(n int, when string) string {
		var b strings.Builder
		b.WriteString("rules:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {name: r%d, summary: s, severity: info, when: '%s'}\n", i, when)
		}
		return b.String()
	}
	t.Run("a hundred rules are taken", func(t *testing.T) {
		t.Parallel()
		set, err := rule.Parse([]byte(many(100, "score < 1")))
		require.NoError(t, err)
		require.Len(t, set.Rules, 100)
	})
	t.Run("one more is refused", func(t *testing.T) {
		t.Parallel()
		found := problems(t, many(101, "score < 1"))
		require.Equal(t, rule.CodeTooLarge, found[0].Code)
		require.Equal(t, "rules", found[0].Field)
	})
	t.Run("a megabyte is refused", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, rule.CodeTooLarge, problems(t, "# "+strings.Repeat("x", document.MaxBytes))[0].Code)
	})
	t.Run("rules that are dear together are refused", func(t *testing.T) {
		t.Parallel()
		dear := `profile.traits.exists(k, k == "a") || profile.traits.exists(k, k == "b")`
		_, err := rule.Parse([]byte(many(10, dear)))
		require.NoError(t, err)
		found := problems(t, many(100, dear))
		require.Len(t, found, 1)
		require.Equal(t, rule.CodeWhenCost, found[0].Code)
		require.Equal(t, "rules", found[0].Field)
	})
	t.Run("two conditions of a rule that are dear together are refused", func(t *testing.T) {
		t.Parallel()
		dear := strings.Repeat(`profile.traits.exists(k, k == "a") || `, 12) + "false"
		doc := "rules: [{name: a, summary: s, severity: info, when: '" + dear + "'%s}]"
		_, err := rule.Parse(fmt.Appendf(nil, doc, ""))
		require.NoError(t, err)
		found := problems(t, fmt.Sprintf(doc, ", resolve: '"+dear+"'"))
		require.Len(t, found, 1)
		require.Equal(t, rule.CodeWhenCost, found[0].Code)
		require.Equal(t, "rules[0]", found[0].Field)
	})
}

func TestProblemsAreToldTogether(t *testing.T) {
	t.Parallel()
	doc := strings.NewReplacer("critical", "page", "score < 30", "score <").Replace(minimal)
	text := problems(t, doc).Error()
	require.True(t, strings.HasPrefix(text, "rules document: 2 problems:\n  rules[0].severity: line 5: "), text)
	require.Contains(t, text, "(when_invalid)")
}
