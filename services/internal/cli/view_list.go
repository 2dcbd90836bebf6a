package cli

import healthv1 "hale.dev/proto/gen/hale/health/v1"

// listedView is an account of a list with all its fields.
type listedView struct {
	summaryView

	Computed    *float64           `json:"computed_score"`
	Overridden  bool               `json:"overridden"`
	Industry    string             `json:"industry"`
	Seats       int64              `json:"seats"`
	RenewalDate string             `json:"renewal_date"`
	CreatedDate string             `json:"created_date"`
	Parent      string             `json:"parent"`
	ChurnDate   string             `json:"churn_date"`
	Change1     *float64           `json:"score_change_1d"`
	Change7     *float64           `json:"score_change_7d"`
	Change30    *float64           `json:"score_change_30d"`
	ARRAtRisk   *float64           `json:"arr_at_risk"`
	Dimensions  map[string]float64 `json:"dimensions"`
	Measures    map[string]float64 `json:"measures"`
	Traits      map[string]string  `json:"traits"`
	Scorecard   string             `json:"scorecard"`
}

func viewListed(s *healthv1.AccountSummary) listedView {
	return listedView{
		summaryView: viewSummary(s),
		Computed:    s.ComputedScore, Overridden: s.GetOverridden(), Industry: s.GetIndustry(), Seats: s.GetSeats(),
		RenewalDate: s.GetRenewalDate(), CreatedDate: s.GetCreatedDate(), Parent: s.GetParent(),
		ChurnDate: s.GetChurnDate(), Change1: s.ScoreChange_1D, Change7: s.ScoreChange_7D, Change30: s.ScoreChange_30D,
		ARRAtRisk: s.ArrAtRisk, Dimensions: orEmpty(s.GetDimensions()), Measures: orEmpty(s.GetMeasures()),
		Traits: orEmpty(s.GetTraits()), Scorecard: s.GetScorecard(),
	}
}

// orEmpty is the map; an empty one for none, so that programs always find an object.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}

	return m
}
