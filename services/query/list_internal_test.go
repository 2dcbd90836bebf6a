package query

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// fullRow has something in every field that lists show.
func fullRow() *column.Row {
	r := &column.Row{
		Account: "acme", Name: "Acme", Score: 40e6, ScoreKnown: true, Band: healthv1.Band_BAND_AT_RISK,
		Stage: healthv1.Stage_STAGE_STEADY, ARR: 100e6, ARRKnown: true, Currency: "EUR", Coverage: 75e6, Owner: "kim",
		Segment: "smb", Plan: "gold", Computed: 50e6, Overridden: true, Industry: "steel", Seats: 5, Day: 20_000,
		Renewal: 20_010, Created: 19_000, Churn: 20_020, Parent: "group", Change1: 1e6, Change7: -2e6, Change30: 0,
		Card:   "standard",
		Traits: []health.Trait{{Name: "region", Trait: scorecard.Trait{Kind: scorecard.TraitText, Text: "emea"}}},
	}
	for i := range r.Dimensions {
		r.Dimensions[i] = column.None
	}

	for i := range r.Measures {
		r.Measures[i] = column.None
	}

	r.Dimensions[1], r.Measures[scorecard.NPS] = 30e6, -10e6

	return r
}

// setFields are the names of the fields that are set.
func setFields(s *healthv1.AccountSummary) map[string]bool {
	set := map[string]bool{}

	s.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		set[string(f.Name())] = true

		return true
	})

	return set
}

func TestMasks(t *testing.T) {
	t.Parallel()

	names := map[string]bool{}

	fields := (*healthv1.AccountSummary)(nil).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		names[string(fields.Get(i).Name())] = true
	}

	shown := func(paths ...string) map[string]bool {
		m, err := parseMask(&fieldmaskpb.FieldMask{Paths: paths})
		require.NoError(t, err)

		return setFields(summaries([]*column.Row{fullRow()}, m)[0])
	}

	require.Equal(t, names, shown("*"), "every field can be shown")

	for name := range names {
		require.Equal(t, map[string]bool{name: true}, shown(name))
	}

	require.Equal(t, map[string]bool{"name": true, "measures": true}, shown("measures", "name"))

	for _, dear := range []string{"dimensions", "measures", "traits"} {
		delete(names, dear)
	}

	require.Equal(t, names, shown(), "without a mask those that cost little are shown")

	_, err := parseMask(&fieldmaskpb.FieldMask{Paths: []string{"name", "mood"}})

	var bad *Error

	require.ErrorAs(t, err, &bad)
	require.Equal(t, "read_mask.paths[1]", bad.Violations[0].Field)
}

func TestSummaries(t *testing.T) {
	t.Parallel()

	s := summaries([]*column.Row{fullRow()}, allFields)[0]
	require.Equal(t, map[string]float64{"engagement": 30}, s.GetDimensions())
	require.Equal(t, map[string]float64{"nps": -10}, s.GetMeasures())
	require.Equal(t, map[string]string{"region": "emea"}, s.GetTraits())
	require.InDelta(t, 60, s.GetArrAtRisk(), 0)
	require.InDelta(t, -2, s.GetScoreChange_7D(), 0)
	require.InDelta(t, 50, s.GetComputedScore(), 0)
	require.Equal(t, "2024-10-14", s.GetRenewalDate())

	none := column.Row{Computed: column.None, Renewal: column.NoDay, Change1: column.None, Change7: column.None}
	s = summaries([]*column.Row{&none}, cheapFields)[0]
	require.Nil(t, s.Score)
	require.Nil(t, s.ComputedScore)
	require.Nil(t, s.ArrAtRisk)
	require.Nil(t, s.ScoreChange_7D)
	require.Empty(t, s.GetRenewalDate())
}
