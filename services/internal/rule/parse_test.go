package rule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

func micros(d time.Duration) int64 { return d.Microseconds() }

func TestParse(t *testing.T) {
	t.Parallel()
	set, err := rule.Parse([]byte(minimal))
	require.NoError(t, err)
	require.Zero(t, set.Version, "it is the caller's to set")

	t.Run("everything of a rule is there", func(t *testing.T) {
		t.Parallel()
		r := set.Rule("first")
		require.Same(t, set.Rules[0], r)
		require.Equal(t, "The first one", r.Summary)
		require.Equal(t, rule.SeverityCritical, r.Severity)
		require.Equal(t, micros(24*time.Hour), r.For)
		require.Equal(t, micros(30*time.Minute), r.KeepFiringFor)
		require.Equal(t, micros(2*time.Hour), r.EscalateAfter)
		require.Equal(t, rule.OwnerAccount, r.Owner)
		require.Equal(t, []rule.Label{{Name: "team", Value: "success"}, {Name: "tier", Value: "1"}}, r.Labels)
		require.Equal(t, "https://example.com/runbook", r.RunbookURL)
		require.Equal(t, rule.Scope{Plans: []string{"gold"}, Stages: []string{"steady", "renewal"}}, r.Scope)
		require.Equal(t, []string{"usage", "login"}, r.Sources)
		require.False(t, r.OnSource)
		require.False(t, r.Opportunity)
		require.Empty(t, r.Measures)
	})
	t.Run("measures are listed in the order of the conditions, asked for or looked up", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []scorecard.Measure{scorecard.NPS, scorecard.CSAT}, set.Rule("second").Measures)
		doc := strings.NewReplacer("score < 30", `measures["pulse"] < 2 && measures.nps > 1`,
			"score > 40", `measures.nps < 2 || !("ces" in measures) || stage == "steady"`).Replace(minimal)
		set, err := rule.Parse([]byte(doc))
		require.NoError(t, err)
		require.Equal(t, []scorecard.Measure{scorecard.Pulse, scorecard.NPS, scorecard.CES}, set.Rule("first").Measures)
	})
	t.Run("a rule is found by its name", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"first"}, set.Rule("second").InhibitedBy)
		require.True(t, set.Rule("third").OnSource)
		require.Nil(t, set.Rule("fourth"))
	})
	t.Run("no rules are rules too", func(t *testing.T) {
		t.Parallel()
		set, err := rule.Parse([]byte("rules: []"))
		require.NoError(t, err)
		require.Empty(t, set.Rules)
	})
}

func TestEscalationBySeverity(t *testing.T) {
	t.Parallel()
	for severity, want := range map[string]time.Duration{"critical": time.Hour, "warning": 24 * time.Hour, "info": 0} {
		t.Run(severity+" has its own time", func(t *testing.T) {
			t.Parallel()
			doc := "rules: [{name: a, summary: s, when: score < 1, severity: " + severity + "}]"
			set, err := rule.Parse([]byte(doc))
			require.NoError(t, err)
			require.Equal(t, micros(want), set.Rules[0].EscalateAfter)
			require.Equal(t, severity, set.Rules[0].Severity.String())

			set, err = rule.Parse([]byte(strings.Replace(doc, "name: a", "name: a, escalate_after: never", 1)))
			require.NoError(t, err)
			require.Zero(t, set.Rules[0].EscalateAfter)
		})
	}
	require.Empty(t, rule.Severity(0).String())
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0s": 0, "45s": 45 * time.Second, "30m": 30 * time.Minute, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "1d2h3m4s": 26*time.Hour + 3*time.Minute + 4*time.Second, "90d": 90 * 24 * time.Hour,
		"7776000s": 90 * 24 * time.Hour,
	} {
		t.Run(text+" is a duration", func(t *testing.T) {
			t.Parallel()
			set, err := rule.Parse([]byte(strings.Replace(minimal, "for: 1d", "for: "+text, 1)))
			require.NoError(t, err)
			require.Equal(t, micros(want), set.Rules[0].For)
		})
	}
	for _, text := range []string{"d", "1", "1w", "1 d", "+1d", "1d1d", "1h1d", "1D", "1e3s", "9999999999s", "91d", "٣d", `""`, "1d "} {
		t.Run(text+" is none", func(t *testing.T) {
			t.Parallel()
			_, err := rule.Parse([]byte(strings.Replace(minimal, "for: 1d", "for: '"+strings.Trim(text, `"`)+"'", 1)))
			require.Error(t, err)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add(rule.ShippedDocument())
	for _, c := range wrongs() {
		f.Add([]byte(strings.Replace(minimal, c.old, c.with, 1)))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, err := rule.Parse(doc)
		if err != nil {
			require.Nil(t, set)
			var problems rule.Problems
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems)
			return
		}
		for _, r := range set.Rules {
			require.Same(t, r, set.Rule(r.Name))
			require.NotEmpty(t, r.Severity.String())
			holds, known := r.When(account{stage: "steady", band: "healthy"})
			require.True(t, known || !holds)
			r.InScope(account{})
			r.SourceWhen("usage", true)
			require.LessOrEqual(t, r.For, micros(90*24*time.Hour))
			for _, name := range r.InhibitedBy {
				require.NotNil(t, set.Rule(name))
			}
		}
	})
}
