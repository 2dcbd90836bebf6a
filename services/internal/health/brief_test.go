package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

func TestAnswersAreWhatSurveyMeasuresAreMadeOf(t *testing.T) {
	t.Parallel()
	set := standard(t)
	rapid.Check(t, func(t *rapid.T) {
		facts := append(someFacts(t), on(0, usage("a", "f")), on(7, ticket("rated", closed, rating(5))),
			on(2, answered("", nps, 8, 0)), on(1, answered("", csat, 2, 5)))
		a := apply(t, health.New(), facts...)
		m := a.Measures(set)

		var promoters, detractors, answers, good, content, last int64
		for _, d := range a.Answers() {
			require.Less(t, last, int64(d.Day), "oldest first, each day once")
			last = int64(d.Day)
			promoters, detractors, answers = promoters+d.Promoters, detractors+d.Detractors, answers+d.NPS
			if d.Day > today()-90 {
				good, content = good+d.CSATGood, content+d.CSAT
			}
		}
		require.InDelta(t, m[scorecard.NPS].Micros, (promoters-detractors)*100*one/answers, 1)
		require.InDelta(t, m[scorecard.CSAT].Micros, good*100*one/content, 1)
	})
}

func TestBriefDays(t *testing.T) {
	t.Parallel()
	a := health.New()
	_, known := a.FirstDay()
	require.False(t, known)
	_, known = a.LastSeen()
	require.False(t, known)

	a = apply(t, health.New(), on(9, sent(ces)), on(4, usage("a", "f")))
	first, _ := a.FirstDay()
	require.Equal(t, today()-9, first)
	last, _ := a.LastSeen()
	require.Equal(t, today()-4, last)
}
