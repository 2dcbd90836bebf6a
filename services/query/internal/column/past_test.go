package column_test

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

func TestPast(t *testing.T) {
	t.Parallel()

	const today, month = health.Day(20_528), health.Month(674) // 2026-03-16

	r := &column.Row{Day: today}
	r.SetPast(
		[]health.DayEnd{
			{Day: today - 32, Band: health.BandHealthy}, // too long ago
			{Day: today - 31, Band: health.BandAtRisk},
			{Day: today - 1, Band: health.BandSteady},
			{Day: today, Band: health.BandHealthy}, // has not ended
		},
		[]health.MonthEnd{
			{Month: month - 2, ARR: scorecard.Value{Micros: 7, Known: true}, Renewal: today, HasRenewal: true},
			{Month: month - 1, ARR: scorecard.Value{Known: true}},
			{Month: month},
		},
		[]health.SurveyFact{
			{Day: today - 16, Sent: 3, CES: 1, CESSum: math.MaxUint32 - 5},
			{Day: today - 2, Answered: 1, NPS: 2, Promoters: 1},
			{Day: today, Sent: 4, Answered: 1, NPS: 1, Detractors: 1, CSAT: 2, CSATGood: 1, CES: 1, CESSum: math.MaxUint32 + 7},
		},
	)

	for ago, want := range map[health.Day]health.Band{
		-1: 0, 0: 0, 1: health.BandSteady, 2: 0, 30: 0, 31: health.BandAtRisk, 32: 0,
	} {
		require.Equal(t, want, r.BandAt(today-ago), ago)
	}

	require.Equal(t, []column.MonthEnd{
		{ARR: 7, Month: month - 2, Renewal: today},
		{ARR: 0, Month: month - 1, Renewal: column.NoDay},
		{ARR: -1, Month: month, Renewal: column.NoDay},
	}, r.Months)
	require.Equal(t, []column.SurveyMonth{
		{Month: month - 1, Sent: 3, CES: 1, CESSum: math.MaxUint32 - 5},
		{
			Month: month, Sent: 4, Answered: 2, NPS: 3, Promoters: 1, Detractors: 1, CSAT: 2, CSATGood: 1, CES: 1,
			CESSum: math.MaxUint32, // no sum wraps around
		},
	}, r.Surveys)
	require.EqualValues(t, 16, unsafe.Sizeof(column.MonthEnd{}))
	require.EqualValues(t, 40, unsafe.Sizeof(column.SurveyMonth{}))

	r.SetPast(nil, nil, nil)
	require.Equal(t, &column.Row{Day: today}, r)
}
