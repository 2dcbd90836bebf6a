package scorecard_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/scorecard"
)

func TestParse(t *testing.T) {
	t.Parallel()
	set, err := scorecard.Parse([]byte(minimal))
	require.NoError(t, err)

	t.Run("milestones are in order", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []scorecard.Milestone{{Feature: "invite", DueDay: 7}, {Feature: "report", DueDay: 30}}, set.Milestones)
	})
	t.Run("the version is the caller's to set", func(t *testing.T) {
		t.Parallel()
		require.Zero(t, set.Version)
	})
	t.Run("cards, dimensions, measures and curves are all there", func(t *testing.T) {
		t.Parallel()
		young, rest := set.Cards[0], set.Cards[1]
		require.Equal(t, "young", young.Name)
		require.Equal(t, scorecard.SourceUsage, young.Connected)
		require.Equal(t, []scorecard.Dimension{
			{Name: "adoption", Weight: 60, Measures: []scorecard.Weighted{
				{Measure: scorecard.ActiveUsers, Weight: 50, Curve: scorecard.ActiveUsers.Curve()},
				{Measure: scorecard.FeaturesUsed, Weight: 10, Curve: scorecard.Curve{
					{X: 0, Y: 0}, {X: 2_500_000, Y: 50_000_000}, {X: 8_000_000, Y: 100_000_000},
				}},
			}},
			{Name: "sentiment", Weight: 40, Measures: []scorecard.Weighted{
				{Measure: scorecard.NPS, Weight: 40, Curve: scorecard.NPS.Curve()},
			}},
		}, young.Dimensions)
		require.Equal(t, "rest", rest.Name)
		require.Zero(t, rest.Connected)
	})
	t.Run("what stands in the shipped file as an example is right", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, uncommented(t, "#   milestones:", "milestones: []\n"))
		require.NoError(t, uncommented(t, "#   curve:", ""))
	})
}

// uncommented parses the shipped document with an example of its comments in force.
func uncommented(t *testing.T, example, replaced string) error {
	t.Helper()
	doc := strings.Replace(string(scorecard.ShippedDocument()), replaced, "", 1)
	before, after, ok := strings.Cut(doc, example)
	require.True(t, ok)
	indent := before[strings.LastIndex(before, "\n")+1:]
	lines := strings.SplitAfter(indent+example+after, "\n")
	for i := 0; strings.HasPrefix(lines[i], indent+"#   "); i++ {
		lines[i] = indent + strings.TrimPrefix(lines[i], indent+"#   ")
	}
	_, err := scorecard.Parse([]byte(strings.TrimSuffix(before, indent) + strings.Join(lines, "")))
	return err
}

func TestParseReadsSpellings(t *testing.T) {
	t.Parallel()
	for says, change := range map[string][2]string{
		"carriage returns":            {"\n", "\r\n"},
		"a document mark":             {"kind: scorecards", "---\nkind: scorecards"},
		"no kind":                     {"kind: scorecards\n", ""},
		"quotes":                      {"name: rest", `name: "rest"`},
		"a folded condition":          {"when: age_days < 30", "when: >-\n      age_days\n      < 30"},
		"a literal condition":         {"when: age_days < 30", "when: |\n      age_days\n      < 30"},
		"brackets":                    {"      - name: sentiment\n        measures:\n          - name: nps\n            weight: 40\n", "      - {name: sentiment, measures: [{name: nps, weight: 40}]}\n"},
		"six decimals and zeros":      {"2.5", "2.50000000"},
		"a milestone due at once":     {"due_day: 7", "due_day: 0"},
		"two milestones the same day": {"due_day: 7", "due_day: 30"},
		"comments":                    {"connected: [usage]", "connected: # all\n      - usage # one\n      # two"},
		"the widest curve":            {"[[0, 0], [2.5, 50], [8, 100]]", "[[-1000000000000, 0], [1000000000000, 100]]"},
	} {
		t.Run("it takes "+says, func(t *testing.T) {
			t.Parallel()
			set, err := scorecard.Parse([]byte(strings.ReplaceAll(minimal, change[0], change[1])))
			require.NoError(t, err)
			require.Len(t, set.Cards, 2)
			require.Equal(t, "young", set.Select(account{age: 29}).Name)
			require.Equal(t, "rest", set.Select(account{age: 30}).Name)
		})
	}
}

func TestShipped(t *testing.T) {
	t.Parallel()
	t.Run("it is parsed once", func(t *testing.T) {
		t.Parallel()
		first := scorecard.Shipped()
		require.Same(t, first, scorecard.Shipped())
	})
	t.Run("its document cannot be changed by a caller", func(t *testing.T) {
		t.Parallel()
		clear(scorecard.ShippedDocument())
		require.Contains(t, string(scorecard.ShippedDocument()), "scorecards:")
	})
	t.Run("it defines no milestones and has version 0", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, scorecard.Shipped().Milestones)
		require.Zero(t, scorecard.Shipped().Version)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add(scorecard.ShippedDocument())
	f.Add([]byte("scorecards: [{name: a, when: 'stage == \"x\"', dimensions: []}]"))
	f.Add([]byte("a: &a [*a]\n? b\n: !t |\n  c"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, err := scorecard.Parse(doc)
		if err != nil {
			require.Nil(t, set)
			var problems scorecard.Problems
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems)
			return
		}
		card := set.Select(account{stage: "onboarding", age: 10})
		require.NotNil(t, card, "the last card takes the rest")
		total := int64(0)
		for _, d := range card.Dimensions {
			total += d.Weight
			for _, m := range d.Measures {
				points := m.Curve.Points(0)
				require.True(t, points >= 0 && points <= 100_000_000)
			}
		}
		require.Equal(t, int64(100), total)
	})
}
