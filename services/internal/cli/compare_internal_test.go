package cli

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func TestDrawCompare(t *testing.T) {
	t.Parallel()

	v := viewCompare(&healthv1.CompareHealthResponse{
		From:   &healthv1.ScorePoint{Day: "2026-03-03", Score: new(71.5), Band: healthv1.Band_BAND_STEADY},
		To:     &healthv1.ScorePoint{Day: "2026-03-10", Score: new(50.0), Band: healthv1.Band_BAND_AT_RISK},
		Change: new(-21.5), ScorecardChange: 0.5,
		Dimensions: []*healthv1.DimensionChange{{Name: "adoption", Change: -22, Measures: []*healthv1.MeasureChange{
			{
				Name: "features_used", Unit: "features", Change: -22, FromValue: new(5.0), ToValue: new(3.0), MoreDrivers: 4,
				Drivers: []*healthv1.Driver{{
					Kind: healthv1.Driver_KIND_FEATURE_STOPPED, Subject: "chart", Day: "2026-03-02", Text: "chart\x1b[2J was used no more",
				}},
			},
			{Name: "stickiness", Unit: "percent", Drivers: []*healthv1.Driver{{Text: "what changed nothing is not told"}}},
		}}},
	})

	var b bytes.Buffer
	require.NoError(t, drawCompare("ac\x1bme", v)(&b))
	require.Equal(t, `ac\x1bme
from 2026-03-03: score 71.5, steady
to   2026-03-10: score 50.0, at_risk

DIMENSION  MEASURE        FROM   TO  UNIT          CHANGE
adoption                                       -22.000000
           features_used   5.0  3.0  features  -22.000000
           stickiness        -    -  percent     0.000000
scorecard                                       +0.500000
change                                         -21.500000

features_used: chart\x1b[2J was used no more
features_used: and 4 more
`, b.String())
	require.Equal(t, driverView{
		Kind: "feature_stopped", Subject: "chart", Day: "2026-03-02", Text: "chart\x1b[2J was used no more",
	}, v.Dimensions[0].Measures[0].Drivers[0])
}

func TestDrawCompareWithoutAScore(t *testing.T) {
	t.Parallel()

	v := viewCompare(&healthv1.CompareHealthResponse{
		From: &healthv1.ScorePoint{Day: "2026-03-03"}, To: &healthv1.ScorePoint{Day: "2026-03-10", Score: new(50.0)},
	})

	var b bytes.Buffer
	require.NoError(t, drawCompare("acme", v)(&b))
	require.Contains(t, b.String(), "from 2026-03-03: score -, ")
	require.Regexp(t, `change +-\n$`, b.String())
	require.NotContains(t, b.String(), "scorecard", "it did not change")
}
