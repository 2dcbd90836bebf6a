package cli

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// The views are what the structured formats print: the fields of the API under the same
// names, with enums in lower case and null for what has no data.

type accountView struct {
	AccountID   string          `json:"account_id"`
	Score       *float64        `json:"score"`
	Band        string          `json:"band"`
	Coverage    float64         `json:"coverage"`
	Stage       string          `json:"stage"`
	Scorecard   string          `json:"scorecard"`
	Version     uint64          `json:"scorecard_version"`
	Dimensions  []dimensionView `json:"dimensions"`
	Profile     profileView     `json:"profile"`
	AsOf        string          `json:"as_of"`
	Day         string          `json:"day"`
	Approximate bool            `json:"approximate"`
	Computed    *float64        `json:"computed_score"`
	ComputedAs  string          `json:"computed_band"`
	Override    *overrideView   `json:"override"`
	Children    *childrenView   `json:"children,omitempty"`
}

type childrenView struct {
	Accounts   int32              `json:"accounts"`
	Scored     int32              `json:"scored"`
	Score      *float64           `json:"score"`
	ARR        map[string]float64 `json:"arr"`
	Worst      string             `json:"worst_account_id"`
	WorstScore *float64           `json:"worst_score"`
}

type overrideView struct {
	Score      float64 `json:"score"`
	Author     string  `json:"author"`
	Reason     string  `json:"reason"`
	SetAt      string  `json:"set_at"`
	ExpireDate string  `json:"expire_date"`
}

type dimensionView struct {
	Name         string        `json:"name"`
	Score        *float64      `json:"score"`
	Weight       float64       `json:"weight"`
	Contribution float64       `json:"contribution"`
	Measures     []measureView `json:"measures"`
}

type measureView struct {
	Name         string   `json:"name"`
	Value        *float64 `json:"value"`
	Unit         string   `json:"unit"`
	WindowDays   int32    `json:"window_days"`
	Points       *float64 `json:"points"`
	Weight       float64  `json:"weight"`
	Contribution float64  `json:"contribution"`
}

type profileView struct {
	Name        string            `json:"name,omitempty"`
	Plan        string            `json:"plan,omitempty"`
	ARR         *float64          `json:"arr,omitempty"`
	Currency    string            `json:"currency,omitempty"`
	Seats       int64             `json:"seats,omitempty"`
	RenewalDate string            `json:"renewal_date,omitempty"`
	TermDays    int32             `json:"term_days,omitempty"`
	CreatedDate string            `json:"created_date,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Segment     string            `json:"segment,omitempty"`
	Industry    string            `json:"industry,omitempty"`
	Parent      string            `json:"parent,omitempty"`
	Stage       string            `json:"stage,omitempty"`
	ChurnDate   string            `json:"churn_date,omitempty"`
	Traits      map[string]string `json:"traits,omitempty"`
}

type summaryView struct {
	AccountID string   `json:"account_id"`
	Name      string   `json:"name"`
	Score     *float64 `json:"score"`
	Band      string   `json:"band"`
	Stage     string   `json:"stage"`
	ARR       *float64 `json:"arr"`
	Currency  string   `json:"currency"`
	Coverage  float64  `json:"coverage"`
	Owner     string   `json:"owner"`
	Segment   string   `json:"segment"`
	Plan      string   `json:"plan"`
}

type historyView struct {
	Day        string             `json:"day"`
	Score      *float64           `json:"score"`
	Band       string             `json:"band"`
	Coverage   float64            `json:"coverage"`
	Stage      string             `json:"stage"`
	Dimensions map[string]float64 `json:"dimensions"`
	Measures   map[string]float64 `json:"measures"`
	Scorecard  string             `json:"scorecard"`
	Version    uint64             `json:"scorecard_version"`
}

type rejectView struct {
	ID         uint64 `json:"id"`
	RejectedAt string `json:"rejected_at"`
	Code       string `json:"code"`
	Field      string `json:"field"`
	Message    string `json:"message"`
	MessageID  string `json:"message_id"`
	AccountID  string `json:"account_id"`
	Origin     string `json:"origin"`
	Body       string `json:"body"`
}

func viewAccount(h *healthv1.AccountHealth) accountView {
	v := accountView{
		AccountID: h.GetAccountId(), Score: h.Score, Band: bandName(h.GetBand()), Coverage: h.GetCoverage(),
		Stage: stageName(h.GetStage()), Scorecard: h.GetScorecard(), Version: h.GetScorecardVersion(),
		Dimensions: []dimensionView{}, Profile: viewProfile(h.GetProfile()),
		AsOf: timeText(h.GetAsOf()), Day: h.GetDay(), Approximate: h.GetApproximate(),
		Computed: h.ComputedScore, ComputedAs: bandName(h.GetComputedBand()),
	}

	if o := h.GetOverride(); o != nil {
		v.Override = &overrideView{
			Score: o.GetScore(), Author: o.GetAuthor(), Reason: o.GetReason(), SetAt: timeText(o.GetSetAt()),
			ExpireDate: o.GetExpireDate(),
		}
	}

	for _, d := range h.GetDimensions() {
		dv := dimensionView{
			Name: d.GetName(), Score: d.Score, Weight: d.GetWeight(), Contribution: d.GetContribution(),
			Measures: []measureView{},
		}

		for _, m := range d.GetMeasures() {
			dv.Measures = append(dv.Measures, measureView{
				Name: m.GetName(), Value: m.Value, Unit: m.GetUnit(), WindowDays: m.GetWindowDays(),
				Points: m.Points, Weight: m.GetWeight(), Contribution: m.GetContribution(),
			})
		}

		v.Dimensions = append(v.Dimensions, dv)
	}

	if c := h.GetChildren(); c != nil {
		v.Children = &childrenView{
			Accounts: c.GetAccounts(), Scored: c.GetScored(), Score: c.Score, ARR: c.GetArr(),
			Worst: c.GetWorstAccountId(), WorstScore: c.WorstScore,
		}
	}

	return v
}

func viewProfile(p *healthv1.Profile) profileView {
	if p == nil {
		return profileView{}
	}

	return profileView{
		Name: p.GetName(), Plan: p.GetPlan(), ARR: p.Arr, Currency: p.GetCurrency(), Seats: p.GetSeats(),
		RenewalDate: p.GetRenewalDate(), TermDays: p.GetTermDays(), CreatedDate: p.GetCreatedDate(),
		Owner: p.GetOwner(), Segment: p.GetSegment(), Industry: p.GetIndustry(), Parent: p.GetParent(),
		Stage: p.GetStage(), ChurnDate: p.GetChurnDate(), Traits: p.GetTraits(),
	}
}

func viewSummary(s *healthv1.AccountSummary) summaryView {
	return summaryView{
		AccountID: s.GetAccountId(), Name: s.GetName(), Score: s.Score, Band: bandName(s.GetBand()),
		Stage: stageName(s.GetStage()), ARR: s.Arr, Currency: s.GetCurrency(), Coverage: s.GetCoverage(),
		Owner: s.GetOwner(), Segment: s.GetSegment(), Plan: s.GetPlan(),
	}
}

func viewHistory(r *healthv1.HistoryRow) historyView {
	return historyView{
		Day: r.GetDay(), Score: r.Score, Band: bandName(r.GetBand()), Coverage: r.GetCoverage(),
		Stage: stageName(r.GetStage()), Dimensions: r.GetDimensions(), Measures: r.GetMeasures(),
		Scorecard: r.GetScorecard(), Version: r.GetScorecardVersion(),
	}
}

func viewReject(r *healthv1.Reject) rejectView {
	return rejectView{
		ID: r.GetId(), RejectedAt: timeText(r.GetRejectedAt()), Code: r.GetCode(), Field: r.GetField(),
		Message: r.GetMessage(), MessageID: r.GetMessageId(), AccountID: r.GetAccountId(),
		Origin: r.GetOrigin(), Body: string(r.GetBody()),
	}
}

// bandName is the band as people write it: at_risk.
func bandName(b healthv1.Band) string { return enumName(b.String(), "BAND_") }

// stageName is the stage as people write it: onboarding.
func stageName(s healthv1.Stage) string { return enumName(s.String(), "STAGE_") }

func enumName(name, prefix string) string {
	return strings.ToLower(strings.TrimPrefix(name, prefix))
}

func timeText(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}

	return t.AsTime().Format(time.RFC3339Nano)
}
