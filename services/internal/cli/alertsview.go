package cli

import (
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

type alertView struct {
	AlertID        string            `json:"alert_id"`
	Revision       uint32            `json:"revision"`
	Rule           string            `json:"rule"`
	RulesVersion   uint64            `json:"rules_version"`
	State          string            `json:"state"`
	Severity       string            `json:"severity"`
	Summary        string            `json:"summary"`
	AccountID      string            `json:"account_id,omitempty"`
	Source         string            `json:"source,omitempty"`
	Since          string            `json:"since"`
	FireTime       string            `json:"fire_time"`
	ResolveTime    string            `json:"resolve_time,omitempty"`
	StateTime      string            `json:"state_time"`
	AcknowledgedBy string            `json:"acknowledged_by,omitempty"`
	Assignee       string            `json:"assignee,omitempty"`
	SnoozeUntil    string            `json:"snooze_until,omitempty"`
	UntilWorse     bool              `json:"snooze_until_worse,omitempty"`
	Escalation     uint32            `json:"escalation"`
	HeldBy         []string          `json:"held_by,omitempty"`
	SilencedBy     []string          `json:"silenced_by,omitempty"`
	Flapping       bool              `json:"flapping"`
	Quiet          bool              `json:"quiet"`
	Opportunity    bool              `json:"opportunity"`
	Account        *subjectView      `json:"account,omitempty"`
	Drivers        []moverView       `json:"drivers,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	RunbookURL     string            `json:"runbook_url,omitempty"`
}

type subjectView struct {
	Name        string   `json:"name"`
	Score       *float64 `json:"score"`
	Band        string   `json:"band"`
	Stage       string   `json:"stage"`
	Owner       string   `json:"owner"`
	Segment     string   `json:"segment"`
	Plan        string   `json:"plan"`
	ARR         *float64 `json:"arr"`
	ARRAtRisk   *float64 `json:"arr_at_risk"`
	Currency    string   `json:"currency"`
	RenewalDate string   `json:"renewal_date"`
}

type moverView struct {
	Measure     string   `json:"measure"`
	Before      *float64 `json:"before"`
	After       *float64 `json:"after"`
	Unit        string   `json:"unit"`
	ScoreChange float64  `json:"score_change"`
	BeforeDate  string   `json:"before_date"`
}

type transitionView struct {
	TransitionID string     `json:"transition_id"`
	Kind         string     `json:"kind"`
	At           string     `json:"at"`
	Author       string     `json:"author,omitempty"`
	Note         string     `json:"note,omitempty"`
	CommandID    string     `json:"command_id,omitempty"`
	Alert        *alertView `json:"alert,omitempty"`
}

type alertDeliveryView struct {
	Receiver     string `json:"receiver"`
	TransitionID string `json:"transition_id"`
	Status       string `json:"status"`
	At           string `json:"at"`
	Attempts     uint32 `json:"attempts"`
	Reason       string `json:"reason,omitempty"`
	NextTry      string `json:"next_try,omitempty"`
}

// trailView is an alert with all that happened to it.
type trailView struct {
	Alert      alertView           `json:"alert"`
	Trail      []transitionView    `json:"trail"`
	Deliveries []alertDeliveryView `json:"deliveries"`
}

func viewAlert(a *alertv1.Alert) alertView {
	v := alertView{
		AlertID: a.GetAlertId(), Revision: a.GetRevision(), Rule: a.GetRule(), RulesVersion: a.GetRulesVersion(),
		State: enumName(a.GetState().String(), "STATE_"), Severity: enumName(a.GetSeverity().String(), "SEVERITY_"),
		Summary: a.GetSummary(), AccountID: a.GetAccountId(), Source: a.GetSource(), Since: timeText(a.GetSince()),
		FireTime: timeText(a.GetFireTime()), ResolveTime: timeText(a.GetResolveTime()), StateTime: timeText(a.GetStateTime()),
		AcknowledgedBy: a.GetAcknowledgedBy(), Assignee: a.GetAssignee(), SnoozeUntil: timeText(a.GetSnoozeUntil()),
		UntilWorse: a.GetSnoozeUntilWorse(), Escalation: a.GetEscalation(), HeldBy: a.GetHeldBy(),
		SilencedBy: a.GetSilencedBy(), Flapping: a.GetFlapping(), Quiet: a.GetQuiet(), Opportunity: a.GetOpportunity(),
		Labels: a.GetLabels(), RunbookURL: a.GetRunbookUrl(),
	}

	if s := a.GetSubject(); s != nil && a.GetAccountId() != "" {
		v.Account = &subjectView{
			Name: s.GetName(), Score: s.Score, Band: bandName(s.GetBand()), Stage: stageName(s.GetStage()),
			Owner: s.GetOwner(), Segment: s.GetSegment(), Plan: s.GetPlan(), ARR: s.Arr, ARRAtRisk: s.ArrAtRisk,
			Currency: s.GetCurrency(), RenewalDate: s.GetRenewalDate(),
		}
	}

	for _, d := range a.GetDrivers() {
		v.Drivers = append(v.Drivers, moverView{
			Measure: d.GetMeasure(), Before: d.Before, After: d.After, Unit: d.GetUnit(), ScoreChange: d.GetScoreChange(),
			BeforeDate: d.GetBeforeDate(),
		})
	}

	return v
}

func viewTransition(t *alertv1.Transition) transitionView {
	v := transitionView{
		TransitionID: t.GetTransitionId(), Kind: enumName(t.GetKind().String(), "KIND_"), At: timeText(t.GetAt()),
		Author: t.GetAuthor(), Note: t.GetNote(), CommandID: t.GetCommandId(),
	}

	if t.GetAlert() != nil {
		alert := viewAlert(t.GetAlert())
		v.Alert = &alert
	}

	return v
}

func viewTrail(r *alertv1.GetAlertResponse) trailView {
	v := trailView{Alert: viewAlert(r.GetAlert()), Trail: []transitionView{}, Deliveries: []alertDeliveryView{}}

	for _, t := range r.GetTrail() {
		v.Trail = append(v.Trail, viewTransition(t))
	}

	for _, d := range r.GetDeliveries() {
		v.Deliveries = append(v.Deliveries, alertDeliveryView{
			Receiver: d.GetReceiver(), TransitionID: d.GetTransitionId(), Status: enumName(d.GetStatus().String(), "STATUS_"),
			At: timeText(d.GetAt()), Attempts: d.GetAttempts(), Reason: d.GetReason(), NextTry: timeText(d.GetNextTry()),
		})
	}

	return v
}
