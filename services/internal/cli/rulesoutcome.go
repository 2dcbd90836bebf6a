package cli

import (
	"cmp"
	"slices"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// trialOutcome gathers the alerts that would have been.
type trialOutcome struct {
	begins  string
	trimmed bool
	rules   []string
	alerts  map[string]*alertTrack // by id
}

// alertTrack is an alert: what it was at first and at last.
type alertTrack struct {
	last *alertv1.Alert
	// fired says that it did so in the time that was looked at.
	fired bool
	// undelivered says that it was held back all the time since it fired, or is quiet.
	undelivered bool
	flapped     bool
}

func newTrialOutcome(rules []string) *trialOutcome {
	return &trialOutcome{rules: rules, alerts: map[string]*alertTrack{}}
}

// take takes in a transition. Those of an alert come in order.
func (o *trialOutcome) take(t *alertv1.Transition) {
	alert := t.GetAlert()

	track := o.alerts[alert.GetAlertId()]
	if track == nil {
		track = &alertTrack{}
		o.alerts[alert.GetAlertId()] = track
	}

	if t.GetKind() == alertv1.Transition_KIND_FIRED {
		track.fired = true
		track.undelivered = alert.GetQuiet() || len(alert.GetHeldBy()) > 0
	}

	if t.GetKind() == alertv1.Transition_KIND_RELEASED {
		track.undelivered = alert.GetQuiet()
	}

	track.last, track.flapped = alert, track.flapped || alert.GetFlapping()
}

// outcomeView is what a test of rules found.
type outcomeView struct {
	Begins  string          `json:"begins"`
	Trimmed bool            `json:"log_trimmed"`
	Rules   []testedRule    `json:"rules"`
	Alerts  []wouldHaveBeen `json:"alerts"`
}

// wouldHaveBeen is an alert that would have been.
type wouldHaveBeen struct {
	Fired    string `json:"fired"`
	Resolved string `json:"resolved"`
	// Seconds from firing to its end, or to now.
	Seconds   int64    `json:"open_seconds"`
	Severity  string   `json:"severity"`
	AccountID string   `json:"account_id"`
	Source    string   `json:"source"`
	Rule      string   `json:"rule"`
	Summary   string   `json:"summary"`
	Flapping  bool     `json:"flapping"`
	Delivered bool     `json:"delivered"`
	HeldBy    []string `json:"held_by"`

	fired bool
}

// testedRule is what a rule came to.
type testedRule struct {
	Rule string `json:"rule"`
	// Fired counts the alerts that fired, Undelivered those of them that were held back all the time, or quiet.
	Fired       int     `json:"fired"`
	PerWeek     float64 `json:"fired_per_week"`
	Undelivered int     `json:"undelivered"`
	Open        int     `json:"open"`
	Flapping    int     `json:"flapping"`
	// Median of how long those that ended were open; nil: none ended.
	Median *int64 `json:"median_open_seconds"`

	ended []int64
}

// view sums up.
func (o *trialOutcome) view(now time.Time) outcomeView {
	v := outcomeView{Begins: o.begins, Trimmed: o.trimmed, Alerts: make([]wouldHaveBeen, 0, len(o.alerts))}

	for _, track := range o.alerts {
		v.Alerts = append(v.Alerts, track.view(now))
	}

	slices.SortFunc(v.Alerts, func(x, y wouldHaveBeen) int {
		return cmp.Or(cmp.Compare(seconds(x.Fired), seconds(y.Fired)), cmp.Compare(x.Fired, y.Fired),
			cmp.Compare(x.AccountID, y.AccountID), cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Source, y.Source))
	})

	v.Rules = o.sumUp(v.Alerts, now)

	return v
}

func (t *alertTrack) view(now time.Time) wouldHaveBeen {
	a := t.last
	end := now

	if a.GetResolveTime() != nil {
		end = a.GetResolveTime().AsTime()
	}

	held := a.GetHeldBy()
	if held == nil {
		held = []string{}
	}

	return wouldHaveBeen{
		Fired: timeText(a.GetFireTime()), Resolved: timeText(a.GetResolveTime()),
		Seconds:  int64(max(0, end.Sub(a.GetFireTime().AsTime())).Seconds()),
		Severity: enumName(a.GetSeverity().String(), "SEVERITY_"), AccountID: a.GetAccountId(), Source: a.GetSource(),
		Rule: a.GetRule(), Summary: a.GetSummary(), Flapping: t.flapped, Delivered: !t.undelivered, HeldBy: held,
		fired: t.fired,
	}
}

// sumUp counts by rule: those of the document in its order, then those that are only in the log.
func (o *trialOutcome) sumUp(alerts []wouldHaveBeen, now time.Time) []testedRule {
	rules := make([]testedRule, 0, len(o.rules))
	for _, name := range o.rules {
		rules = append(rules, testedRule{Rule: name})
	}

	for _, a := range alerts {
		i := slices.IndexFunc(rules, func(r testedRule) bool { return r.Rule == a.Rule })
		if i < 0 {
			i = len(rules)
			rules = append(rules, testedRule{Rule: a.Rule})
		}

		rules[i].count(a)
	}

	weeks := o.weeks(alerts, now)
	for i := range rules {
		rules[i].PerWeek = float64(rules[i].Fired) / weeks
		rules[i].Median = median(rules[i].ended)
	}

	return rules
}

func (r *testedRule) count(a wouldHaveBeen) {
	if a.fired {
		r.Fired++

		if !a.Delivered {
			r.Undelivered++
		}
	}

	if a.Flapping {
		r.Flapping++
	}

	if a.Resolved == "" {
		r.Open++
	} else {
		r.ended = append(r.ended, a.Seconds)
	}
}

// weeks is how long the time is that was looked at: since it begins, or since the first alert of history that was loaded.
// It is at least a day, or one alert would be many a week.
func (o *trialOutcome) weeks(alerts []wouldHaveBeen, now time.Time) float64 {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour

	texts := []string{o.begins}

	for _, a := range alerts {
		if a.fired {
			texts = append(texts, a.Fired)
		}
	}

	begins := now.Add(-day)

	for _, text := range texts {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && at.Before(begins) {
			begins = at
		}
	}

	return float64(now.Sub(begins)) / float64(week)
}

// median is the one in the middle, the earlier of two; nil: there is none.
func median(of []int64) *int64 {
	if len(of) == 0 {
		return nil
	}

	sorted := slices.Sorted(slices.Values(of))

	return &sorted[(len(sorted)-1)/2]
}
