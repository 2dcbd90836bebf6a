package scorecard_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/document"
	"hale.dev/services/internal/scorecard"
)

// minimal is a good document that the bad ones are made from by replacing parts of it.
const minimal = `kind: scorecards
milestones:
  - feature: invite
    due_day: 7
  - feature: report
    due_day: 30
scorecards:
  - name: young
    when: age_days < 30
    connected: [usage]
    dimensions:
      - name: adoption
        weight: 60
        measures:
          - name: active_users
            weight: 50
          - name: features_used
            weight: 10
            curve: [[0, 0], [2.5, 50], [8, 100]]
      - name: sentiment
        measures:
          - name: nps
            weight: 40
  - name: rest
    dimensions:
      - name: support
        weight: 100
        measures:
          - name: open_tickets
            weight: 100
`

// problems parses a document that is bad.
func problems(t *testing.T, doc string) scorecard.Problems {
	t.Helper()
	set, err := scorecard.Parse([]byte(doc))
	require.Nil(t, set)
	var found scorecard.Problems
	require.ErrorAs(t, err, &found, "the error is %v", err)
	require.NotEmpty(t, found)
	return found
}

func TestParseReportsProblems(t *testing.T) {
	t.Parallel()
	const (
		young     = "scorecards[0]"
		rest      = "scorecards[1]"
		adoption  = young + ".dimensions[0]"
		active    = adoption + ".measures[0]"
		features  = adoption + ".measures[1]"
		sentiment = young + ".dimensions[1]"
	)
	for _, c := range []struct {
		says, old, with    string
		field, code, lines string
	}{
		{"an unknown key of the document", "kind: scorecards", "colour: red", "colour", scorecard.CodeUnknownKey, "line 1:"},
		{"another kind of file", "kind: scorecards", "kind: rules", "kind", scorecard.CodeWrongType, "line 1:"},
		{"a key that is long", "kind:", strings.Repeat("k", 90) + ":", strings.Repeat("k", 64) + "...", scorecard.CodeUnknownKey, "line 1:"},
		{"an unknown key of a card", "connected: [usage]", "conectd: [usage]", young + ".conectd", scorecard.CodeUnknownKey, "line 10:"},
		{"a key twice", "    connected: [usage]", "    name: young", young + ".name", scorecard.CodeDuplicateKey, "line 10:"},
		{"a card without a name", "  - name: rest\n    dimensions", "  - dimensions", rest + ".name", scorecard.CodeMissingKey, "line 24:"},
		{"a card that is text", "  - name: rest\n    dimensions:", "  - rest\nx:", rest, scorecard.CodeWrongType, "line 24:"},
		{"a name that is a number", "name: rest", "name: 7", rest + ".name", scorecard.CodeWrongType, "line 24:"},
		{"a name with capitals", "name: rest", "name: Rest", rest + ".name", scorecard.CodeName, "line 24:"},
		{"a name that is too long", "name: rest", "name: a" + strings.Repeat("b", 63), rest + ".name", scorecard.CodeName, "line 24:"},
		{"a name twice", "name: rest", "name: young", rest + ".name", scorecard.CodeDuplicateCard, "line 24:"},

		{"no condition on a card before the last", "    when: age_days < 30\n", "", young + ".when", scorecard.CodeWhenMissing, "line 8:"},
		{"a condition on the last card", "name: rest", "name: rest\n    when: age_days < 3", rest + ".when", scorecard.CodeWhenOnLast, "line 25:"},
		{"a condition that is a number", "when: age_days < 30", "when: 30", young + ".when", scorecard.CodeWrongType, "line 9:"},
		{"a condition that breaks off", "age_days < 30", "age_days <", young + ".when", scorecard.CodeWhenInvalid, "line 9: column 11:"},
		{"a condition that is a number by type", "age_days < 30", "age_days", young + ".when", scorecard.CodeWhenType, "line 9:"},
		{"a variable that does not exist", "age_days < 30", "age < 30", young + ".when", scorecard.CodeWhenName, "line 9: column 1:"},
		{"a measure that does not exist", "age_days < 30", "measures.npx < 30", young + ".when", scorecard.CodeWhenName, "line 9: there is no measure npx"},
		{"a measure that does not exist, in has()", "age_days < 30", "has(measures.npx)", young + ".when", scorecard.CodeWhenName, "line 9:"},
		{"a measure that does not exist, in brackets", "age_days < 30", `measures["npx"] > 1.0`, young + ".when", scorecard.CodeWhenName, "line 9:"},
		{"a measure that does not exist, before in", "when: age_days < 30", `when: '"npx" in measures'`, young + ".when", scorecard.CodeWhenName, "line 9:"},
		{"a field that does not exist", "age_days < 30", `profile.tier == "x"`, young + ".when", scorecard.CodeWhenName, "line 9: profile has no field tier"},
		{"a stage that does not exist", "age_days < 30", `stage == "onbording"`, young + ".when", scorecard.CodeWhenName, "line 9:"},
		{"a stage that does not exist, in a list", "age_days < 30", `stage in ["steady", "x"]`, young + ".when", scorecard.CodeWhenName, "line 9:"},
		{"types that cannot be compared", "age_days < 30", `profile.arr > "x"`, young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{"a pattern that is no pattern", "age_days < 30", `profile.name.matches("(")`, young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{"a pattern from the profile", "age_days < 30", `profile.name.matches(profile.plan)`, young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{"a map literal", "when: age_days < 30", `when: '{"a": 1}.size() > 0'`, young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{"a time zone", "age_days < 30", `timestamp(profile.name).getHours("Asia/Tokyo") > 1`, young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{"a loop variable with one of our names", "when: age_days < 30", `when: "[1].exists(profile, profile == 1)"`, young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{"a condition that is too long", "age_days < 30", strings.Repeat("age_days < 3 || ", 300) + "true", young + ".when", scorecard.CodeWhenInvalid, "line 9:"},
		{
			"a condition that could take long", "age_days < 30",
			`profile.traits.all(a, profile.traits.all(b, profile.traits.all(c, a == b || b == c)))`,
			young + ".when", scorecard.CodeWhenCost, "line 9:",
		},

		{"connected as text", "connected: [usage]", "connected: usage", young + ".connected", scorecard.CodeWrongType, "line 10:"},
		{"an unknown source", "connected: [usage]", "connected: [usage, email]", young + ".connected[1]", scorecard.CodeUnknownSource, "line 10:"},
		{"a source twice", "connected: [usage]", "connected: [usage, usage]", young + ".connected[1]", scorecard.CodeDuplicateSource, "line 10:"},
		{"a source that is a number", "connected: [usage]", "connected: [1]", young + ".connected[0]", scorecard.CodeWrongType, "line 10:"},

		{"an unknown dimension", "name: adoption", "name: adaption", adoption + ".name", scorecard.CodeUnknownDimension, "line 12:"},
		{"a dimension twice", "name: sentiment", "name: adoption", sentiment + ".name", scorecard.CodeDuplicateDimension, "line 20:"},
		{"a stated weight that is not the sum", "weight: 60", "weight: 61", adoption + ".weight", scorecard.CodeWeightSum, "line 13:"},
		{"a stated weight that is text", "weight: 60", "weight: most", adoption + ".weight", scorecard.CodeWeight, "line 13:"},
		{"weights that are not 100", "weight: 40", "weight: 41", young + ".dimensions", scorecard.CodeWeightSum, "line 12:"},
		{"no dimensions", "dimensions:\n      - name: support\n        weight: 100\n        measures:\n          - name: open_tickets\n            weight: 100", "dimensions: []", rest + ".dimensions", scorecard.CodeWeightSum, "line 25:"},
		{"dimensions that are a mapping", "dimensions:\n      - name: support\n", "dimensions:\n        name: support\n", rest + ".dimensions", scorecard.CodeWrongType, "line 26:"},
		{"no measures", "measures:\n          - name: open_tickets\n            weight: 100", "measures: []", rest + ".dimensions[0].measures", scorecard.CodeMissingKey, "line 28:"},
		{"a dimension without measures", "        measures:\n          - name: open_tickets\n            weight: 100\n", "", rest + ".dimensions[0].measures", scorecard.CodeMissingKey, "line 26:"},

		{"an unknown measure", "name: active_users", "name: actve_users", active + ".name", scorecard.CodeUnknownMeasure, "line 15:"},
		{"a measure twice", "name: features_used", "name: active_users", features + ".name", scorecard.CodeDuplicateMeasure, "line 17:"},
		{"a measure twice in two dimensions", "name: nps", "name: active_users", sentiment + ".measures[0].name", scorecard.CodeDuplicateMeasure, "line 22:"},
		{"a measure without weight", "            weight: 40\n", "", sentiment + ".measures[0].weight", scorecard.CodeMissingKey, "line 22:"},
		{"weight 0", "weight: 40", "weight: 0", sentiment + ".measures[0].weight", scorecard.CodeWeight, "line 23:"},
		{"weight 101", "weight: 40", "weight: 101", sentiment + ".measures[0].weight", scorecard.CodeWeight, "line 23:"},
		{"a weight with decimals", "weight: 40", "weight: 40.0", sentiment + ".measures[0].weight", scorecard.CodeWeight, "line 23:"},
		{"a weight in hexadecimal", "weight: 40", "weight: 0x28", sentiment + ".measures[0].weight", scorecard.CodeWeight, "line 23:"},
		{"a weight out of int64", "weight: 40", "weight: 99999999999999999999", sentiment + ".measures[0].weight", scorecard.CodeWeight, "line 23:"},

		{"a curve that is text", "curve: [[0, 0], [2.5, 50], [8, 100]]", "curve: linear", features + ".curve", scorecard.CodeWrongType, "line 19:"},
		{"a curve of one point", "[[0, 0], [2.5, 50], [8, 100]]", "[[0, 0]]", features + ".curve", scorecard.CodeCurvePoints, "line 19:"},
		{"a curve of 51 points", "[[0, 0], [2.5, 50], [8, 100]]", "[" + strings.Repeat("[1, 1],", 51) + "]", features + ".curve", scorecard.CodeTooLarge, "line 19:"},
		{"a curve that falls back", "[2.5, 50]", "[9, 50]", features + ".curve[2]", scorecard.CodeCurveOrder, "line 19: value 8 is not above the one before it, 9"},
		{"a curve that stands still", "[2.5, 50]", "[0.0, 50]", features + ".curve[1]", scorecard.CodeCurveOrder, "line 19:"},
		{"a point of three numbers", "[2.5, 50]", "[2.5, 50, 1]", features + ".curve[1]", scorecard.CodeWrongType, "line 19:"},
		{"a point that is a number", "[2.5, 50]", "2.5", features + ".curve[1]", scorecard.CodeWrongType, "line 19:"},
		{"points above 100", "[8, 100]", "[8, 100.000001]", features + ".curve[2][1]", scorecard.CodeCurveRange, "line 19:"},
		{"points below 0", "[[0, 0]", "[[0, -1]", features + ".curve[0][1]", scorecard.CodeCurveRange, "line 19:"},
		{"seven decimals", "2.5", "2.1234567", features + ".curve[1][0]", scorecard.CodePrecision, "line 19:"},
		{"an exponent", "2.5", "25e-1", features + ".curve[1][0]", scorecard.CodeNumber, "line 19:"},
		{"a number in quotes", "2.5", "'2.5'", features + ".curve[1][0]", scorecard.CodeNumber, "line 19:"},
		{"infinity", "2.5", ".inf", features + ".curve[1][0]", scorecard.CodeNumber, "line 19:"},
		{"no number", "2.5", ".nan", features + ".curve[1][0]", scorecard.CodeNumber, "line 19:"},
		{"a value above 10^12", "8, 100", "1000000000000.000001, 100", features + ".curve[2][0]", scorecard.CodeNumber, "line 19:"},

		{"milestones that are text", "milestones:\n  - feature: invite\n    due_day: 7\n  - feature: report\n    due_day: 30", "milestones: none", "milestones", scorecard.CodeWrongType, "line 2:"},
		{"a milestone that is text", "  - feature: invite\n    due_day: 7", "  - invite", "milestones[0]", scorecard.CodeWrongType, "line 3:"},
		{"a milestone without a feature", "  - feature: invite\n    due_day: 7", "  - due_day: 7", "milestones[0].feature", scorecard.CodeMilestoneFeature, "line 3:"},
		{"a milestone with an empty feature", "feature: invite", "feature: ''", "milestones[0].feature", scorecard.CodeMilestoneFeature, "line 3:"},
		{"a feature that is too long", "feature: invite", "feature: " + strings.Repeat("x", 257), "milestones[0].feature", scorecard.CodeMilestoneFeature, "line 3:"},
		{"a feature that is a number", "feature: invite", "feature: 5", "milestones[0].feature", scorecard.CodeWrongType, "line 3:"},
		{"a milestone twice", "feature: report", "feature: invite", "milestones[1].feature", scorecard.CodeDuplicateMilestone, "line 5:"},
		{"a milestone without a day", "    due_day: 7\n", "", "milestones[0].due_day", scorecard.CodeMissingKey, "line 3:"},
		{"a due day below 0", "due_day: 7", "due_day: -1", "milestones[0].due_day", scorecard.CodeMilestoneDay, "line 4:"},
		{"a due day after ten years", "due_day: 30", "due_day: 3651", "milestones[1].due_day", scorecard.CodeMilestoneDay, "line 6:"},
		{"due days that fall", "due_day: 7", "due_day: 31", "milestones[1].due_day", scorecard.CodeMilestoneOrder, "line 6:"},

		{"an anchor", "name: rest", "name: &a rest", "", scorecard.CodeYAMLFeature, "line 24:"},
		{"an alias", "name: rest", "name: *a", "", scorecard.CodeYAMLFeature, "line 24:"},
		{"a merge key", "  - name: rest", "  - <<: {}\n    name: rest", "", scorecard.CodeYAMLFeature, "line 24:"},
		{"a tag", "name: rest", "name: !!str rest", "", scorecard.CodeYAMLFeature, "line 24:"},
		{"a complex key", "name: rest", "? name\n    : rest", "", scorecard.CodeYAMLFeature, "line 24:"},
		{"a bracket that is not closed", "connected: [usage]", "connected: [usage", "", scorecard.CodeYAML, "line 1"},
		{"a second document", "scorecards:\n", "---\nscorecards:\n", "", scorecard.CodeYAML, ""},
		{"brackets nested deeply", "[usage]", strings.Repeat("[", 17) + strings.Repeat("]", 17), "", scorecard.CodeTooLarge, "line 10:"},
	} {
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, 1, strings.Count(minimal, c.old), "%q has one place", c.old)
			found := problems(t, strings.Replace(minimal, c.old, c.with, 1))
			for _, p := range found {
				if p.Field == c.field && p.Code == c.code && strings.HasPrefix(p.Message, c.lines) {
					return
				}
			}
			require.Fail(t, "not reported", "want %s %s %q in:\n%v", c.field, c.code, c.lines, found)
		})
	}
}

func TestParseReportsProblemsOfTheWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ says, doc, field, code string }{
		{"an empty document", "", "", scorecard.CodeYAML},
		{"only a comment", "# nothing\n", "", scorecard.CodeYAML},
		{"null", "null\n", "", scorecard.CodeWrongType},
		{"a list", "- a\n", "", scorecard.CodeWrongType},
		{"no scorecards", "milestones: []\n", "scorecards", scorecard.CodeMissingKey},
		{"an empty list of scorecards", "scorecards: []\n", "scorecards", scorecard.CodeMissingKey},
		{"null for scorecards", "scorecards:\n", "scorecards", scorecard.CodeWrongType},
		{"invalid UTF-8", "scorecards: \"\xff\"\n", "", scorecard.CodeYAML},
		{"a zero byte", "scorecards: \"\x00\"\n", "", scorecard.CodeYAML},
		{"a byte too many", "# " + strings.Repeat("x", document.MaxBytes), "", scorecard.CodeTooLarge},
		{"too many tokens", "a: [" + strings.Repeat("1,", 20_000) + "]", "", scorecard.CodeTooLarge},
		{"51 scorecards", "scorecards: [" + strings.Repeat("a,", 51) + "]", "scorecards", scorecard.CodeTooLarge},
		{"a deep indentation", strings.Repeat(" ", 64) + "a: b\n", "", scorecard.CodeTooLarge},
		{"dashes without end", strings.Repeat("- ", 5000) + "a\n", "", scorecard.CodeTooLarge},
		{"an alias bomb", "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nscorecards: [*c]\n", "", scorecard.CodeYAMLFeature},
	} {
		t.Run(c.says, func(t *testing.T) {
			t.Parallel()
			first := problems(t, c.doc)[0]
			require.Equal(t, c.field, first.Field)
			require.Equal(t, c.code, first.Code, "%v", first)
		})
	}
}

func TestParseReportsAllProblems(t *testing.T) {
	t.Parallel()
	t.Run("in the order of the document", func(t *testing.T) {
		t.Parallel()
		doc := strings.NewReplacer("due_day: 7", "due_day: 31", "name: nps", "name: npx", "name: rest", "name: Rest").Replace(minimal)
		var codes []string
		for _, p := range problems(t, doc) {
			codes = append(codes, p.Code)
		}
		require.Equal(t, []string{
			scorecard.CodeMilestoneOrder, scorecard.CodeUnknownMeasure, scorecard.CodeName,
		}, codes)
	})
	t.Run("up to a thousand", func(t *testing.T) {
		t.Parallel()
		var doc strings.Builder
		for i := range 3000 {
			doc.WriteString("k" + strconv.Itoa(i) + ": 1\n")
		}
		require.Len(t, problems(t, doc.String()), 1000)
	})
}

func TestProblemsError(t *testing.T) {
	t.Parallel()
	one := scorecard.Problem{Field: "scorecards[0].name", Code: scorecard.CodeName, Message: "line 2: bad"}
	require.EqualError(t, scorecard.Problems{one},
		"scorecards document: scorecards[0].name: line 2: bad (name_invalid)")
	require.EqualError(t, scorecard.Problems{one, {Code: scorecard.CodeYAML, Message: "is empty"}},
		"scorecards document: 2 problems:\n  scorecards[0].name: line 2: bad (name_invalid)\n  is empty (yaml_invalid)")
}
