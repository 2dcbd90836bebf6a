package sender

import (
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// PagerDuty's limits, https://developer.pagerduty.com/docs/send-alert-event.
const (
	pagerDutySummary = 1024
	pagerDutyKey     = 255
)

type pagerDutyEvent struct {
	RoutingKey  string            `json:"routing_key"`
	EventAction string            `json:"event_action"`
	DedupKey    string            `json:"dedup_key"`
	Client      string            `json:"client"`
	ClientURL   string            `json:"client_url,omitempty"`
	Links       []pagerDutyLink   `json:"links,omitempty"`
	Payload     *pagerDutyPayload `json:"payload"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type pagerDutyPayload struct {
	Summary       string         `json:"summary"`
	Source        string         `json:"source"`
	Severity      string         `json:"severity"`
	Timestamp     string         `json:"timestamp,omitempty"`
	Component     string         `json:"component,omitempty"`
	Group         string         `json:"group,omitempty"`
	Class         string         `json:"class,omitempty"`
	CustomDetails map[string]any `json:"custom_details"`
}

func (p *PagerDuty) event(n *Notification, t *alertv1.Transition, key string) *pagerDutyEvent {
	one := &Notification{Workspace: n.Workspace, Alerts: []*alertv1.Transition{t}, Links: n.Links}
	v := newView(one, plain)
	a := &v.Alerts[0]
	title, text := p.texts(v)

	if p.Title == "" { // PagerDuty shows the state itself
		title = line(a.Name + ": " + a.about())
	}

	event := &pagerDutyEvent{
		RoutingKey: key, EventAction: action(t.GetAlert().GetState()), DedupKey: cutBytes(a.ID, pagerDutyKey),
		Client: agent, ClientURL: a.URL,
		Payload: &pagerDutyPayload{
			Summary: cut(title, pagerDutySummary), Source: fallback("hale", joinFilled("/", line(v.Workspace), line(a.subject()))),
			Severity: pagerDutySeverity(t.GetAlert().GetSeverity()), Timestamp: a.FireTime, Component: line(a.Name),
			Group: line(a.Segment), Class: line(a.Rule), CustomDetails: details(v, a, text),
		},
	}

	for _, l := range []pagerDutyLink{{a.URL, "Alert"}, {a.AccountURL, "Account"}, {a.RunbookURL, "What to do"}} {
		if l.Href != "" {
			event.Links = append(event.Links, l)
		}
	}

	return event
}

func pagerDutySeverity(s alertv1.Severity) string {
	switch s {
	case alertv1.Severity_SEVERITY_CRITICAL:
		return "critical"
	case alertv1.Severity_SEVERITY_WARNING:
		return "warning"
	case alertv1.Severity_SEVERITY_INFO, alertv1.Severity_SEVERITY_UNSPECIFIED:
		return "info"
	}

	return "info"
}

// details are what is known of an alert, the empty left out.
func details(v *view, a *alertView, text string) map[string]any {
	details := map[string]any{}

	for name, value := range map[string]string{
		"text": text, "workspace": v.Workspace, "rule": a.Rule, "state": a.State, "account": a.Account, "source": a.Source,
		"score": a.Score, "band": a.Band, "stage": a.Stage, "owner": a.Owner, "segment": a.Segment, "plan": a.Plan,
		"arr": a.ARR, "arr_at_risk": a.ARRAtRisk, "renewal_date": a.RenewalDate, "assignee": a.Assignee,
		"acknowledged_by": a.AcknowledgedBy, "since": a.Since, "escalation": a.Escalation, "note": a.Note, "author": a.Author,
	} {
		if value != "" {
			details[name] = value
		}
	}

	drivers := map[string]string{}
	for _, d := range a.Drivers {
		drivers[d.Measure] = strings.TrimSpace(fallback("no data", d.Before) + " -> " + fallback("no data", d.After) + " " + d.Unit)
	}

	if len(drivers) > 0 {
		details["drivers"] = drivers
	}

	if len(a.Labels) > 0 {
		details["labels"] = a.Labels
	}

	return details
}
