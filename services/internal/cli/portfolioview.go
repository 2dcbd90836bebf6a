package cli

import (
	"slices"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// portfolioView holds the sections that were asked for; the others are nil, and left out.
type portfolioView struct {
	AsOf          string            `json:"as_of"`
	Currency      string            `json:"currency"`
	OtherCurrency int32             `json:"other_currency_accounts"`
	Total         *groupView        `json:"total,omitempty"`
	Bands         []groupView       `json:"bands,omitzero"`
	Segments      []groupView       `json:"segments,omitzero"`
	Owners        []groupView       `json:"owners,omitzero"`
	Stages        []groupView       `json:"stages,omitzero"`
	Movements     []movementView    `json:"movements,omitzero"`
	Months        []retentionView   `json:"months,omitzero"`
	Cohorts       []cohortView      `json:"cohorts,omitzero"`
	Renewals      []renewalView     `json:"renewals,omitzero"`
	Overdue       []renewalView     `json:"overdue_renewals,omitzero"`
	Expansions    []candidateView   `json:"expansions,omitzero"`
	References    []candidateView   `json:"references,omitzero"`
	Surveys       []surveyMonthView `json:"surveys,omitzero"`
}

type groupView struct {
	Name      string   `json:"name"`
	Accounts  int32    `json:"accounts"`
	Scored    int32    `json:"scored"`
	Score     *float64 `json:"score"`
	ARR       float64  `json:"arr"`
	ARRAtRisk float64  `json:"arr_at_risk"`
}

type movementView struct {
	FromBand string  `json:"from_band"`
	ToBand   string  `json:"to_band"`
	Accounts int32   `json:"accounts"`
	ARR      float64 `json:"arr"`
}

type retentionView struct {
	Month           string   `json:"month"`
	Accounts        int32    `json:"accounts"`
	ChurnedAccounts int32    `json:"churned_accounts"`
	OpeningARR      float64  `json:"opening_arr"`
	ExpansionARR    float64  `json:"expansion_arr"`
	ContractionARR  float64  `json:"contraction_arr"`
	ChurnedARR      float64  `json:"churned_arr"`
	NewARR          float64  `json:"new_arr"`
	GrossRetention  *float64 `json:"gross_retention"`
	NetRetention    *float64 `json:"net_retention"`
	RenewableARR    float64  `json:"renewable_arr"`
	RenewedARR      float64  `json:"renewed_arr"`
	NetRenewalRate  *float64 `json:"net_renewal_rate"`
	LogoChurn       *float64 `json:"logo_churn"`
}

type cohortView struct {
	Month         string    `json:"month"`
	Accounts      int32     `json:"accounts"`
	OpeningARR    float64   `json:"opening_arr"`
	NetRetention  []float64 `json:"net_retention"`
	LogoRetention []float64 `json:"logo_retention"`
}

type renewalView struct {
	AccountID   string   `json:"account_id"`
	Name        string   `json:"name"`
	RenewalDate string   `json:"renewal_date"`
	ARR         *float64 `json:"arr"`
	Score       *float64 `json:"score"`
	Band        string   `json:"band"`
	Owner       string   `json:"owner"`
	Likelihood  *float64 `json:"likelihood"`
	Overdue     bool     `json:"overdue"`
}

type candidateView struct {
	AccountID string   `json:"account_id"`
	Name      string   `json:"name"`
	Score     float64  `json:"score"`
	ARR       *float64 `json:"arr"`
	Owner     string   `json:"owner"`
	Reasons   []string `json:"reasons"`
}

type surveyMonthView struct {
	Segment      string   `json:"segment"`
	Month        string   `json:"month"`
	NPS          *float64 `json:"nps"`
	NPSAnswers   int64    `json:"nps_answers"`
	CSAT         *float64 `json:"csat"`
	CSATAnswers  int64    `json:"csat_answers"`
	CES          *float64 `json:"ces"`
	CESAnswers   int64    `json:"ces_answers"`
	ResponseRate *float64 `json:"response_rate"`
	Sent         int64    `json:"sent"`
}

// viewPortfolio is the answer with the sections that are wanted; none named: all.
func viewPortfolio(r *healthv1.GetPortfolioResponse, sections []string) portfolioView {
	v := portfolioView{
		AsOf: timeText(r.GetAsOf()), Currency: r.GetCurrency(), OtherCurrency: r.GetOtherCurrencyAccounts(),
	}

	for section, fill := range map[string]func(){
		"groups": func() {
			total := viewGroup(r.GetTotal())
			v.Total, v.Bands, v.Segments = &total, views(r.GetBands(), viewGroup), views(r.GetSegments(), viewGroup)
			v.Owners, v.Stages = views(r.GetOwners(), viewGroup), views(r.GetStages(), viewGroup)
		},
		"movements": func() { v.Movements = views(r.GetMovements(), viewMovement) },
		"retention": func() { v.Months = views(r.GetMonths(), viewRetention) },
		"cohorts":   func() { v.Cohorts = views(r.GetCohorts(), viewCohort) },
		"renewals": func() {
			v.Renewals, v.Overdue = views(r.GetRenewals(), viewRenewal), views(r.GetOverdueRenewals(), viewRenewal)
		},
		"expansions": func() { v.Expansions = views(r.GetExpansions(), viewCandidate) },
		"references": func() { v.References = views(r.GetReferences(), viewCandidate) },
		"surveys":    func() { v.Surveys = views(r.GetSurveys(), viewSurveyMonth) },
	} {
		if len(sections) == 0 || slices.Contains(sections, section) {
			fill()
		}
	}

	return v
}

// views turns messages into views; there may be none, but the list is there.
func views[M, V any](messages []M, view func(M) V) []V {
	out := make([]V, 0, len(messages))
	for _, m := range messages {
		out = append(out, view(m))
	}

	return out
}

func viewGroup(g *healthv1.Group) groupView {
	return groupView{
		Name: g.GetName(), Accounts: g.GetAccounts(), Scored: g.GetScored(), Score: g.Score,
		ARR: g.GetArr(), ARRAtRisk: g.GetArrAtRisk(),
	}
}

func viewMovement(m *healthv1.Movement) movementView {
	return movementView{
		FromBand: bandName(m.GetFromBand()), ToBand: bandName(m.GetToBand()), Accounts: m.GetAccounts(), ARR: m.GetArr(),
	}
}

func viewRetention(m *healthv1.Retention) retentionView {
	return retentionView{
		Month: m.GetMonth(), Accounts: m.GetAccounts(), ChurnedAccounts: m.GetChurnedAccounts(),
		OpeningARR: m.GetOpeningArr(), ExpansionARR: m.GetExpansionArr(), ContractionARR: m.GetContractionArr(),
		ChurnedARR: m.GetChurnedArr(), NewARR: m.GetNewArr(), GrossRetention: m.GrossRetention,
		NetRetention: m.NetRetention, RenewableARR: m.GetRenewableArr(), RenewedARR: m.GetRenewedArr(),
		NetRenewalRate: m.NetRenewalRate, LogoChurn: m.LogoChurn,
	}
}

func viewCohort(c *healthv1.Cohort) cohortView {
	return cohortView{
		Month: c.GetMonth(), Accounts: c.GetAccounts(), OpeningARR: c.GetOpeningArr(),
		NetRetention: c.GetNetRetention(), LogoRetention: c.GetLogoRetention(),
	}
}

func viewRenewal(r *healthv1.Renewal) renewalView {
	return renewalView{
		AccountID: r.GetAccountId(), Name: r.GetName(), RenewalDate: r.GetRenewalDate(), ARR: r.Arr, Score: r.Score,
		Band: bandName(r.GetBand()), Owner: r.GetOwner(), Likelihood: r.Likelihood, Overdue: r.GetOverdue(),
	}
}

func viewCandidate(c *healthv1.Candidate) candidateView {
	return candidateView{
		AccountID: c.GetAccountId(), Name: c.GetName(), Score: c.GetScore(), ARR: c.Arr, Owner: c.GetOwner(),
		Reasons: c.GetReasons(),
	}
}

func viewSurveyMonth(s *healthv1.SurveyFigure) surveyMonthView {
	return surveyMonthView{
		Segment: s.GetSegment(), Month: s.GetMonth(), NPS: s.Nps, NPSAnswers: s.GetNpsAnswers(), CSAT: s.Csat,
		CSATAnswers: s.GetCsatAnswers(), CES: s.Ces, CESAnswers: s.GetCesAnswers(), ResponseRate: s.ResponseRate,
		Sent: s.GetSent(),
	}
}
