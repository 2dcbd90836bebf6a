package sender

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

const (
	maxLabel      = 256 // bytes of a label's name
	maxLabelValue = 1024
	maxAnnotation = 8 << 10
)

//nolint:tagliatelle // as Alertmanager spells them
type alertmanagerAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     string            `json:"startsAt,omitempty"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (a *Alertmanager) alert(n *Notification, t *alertv1.Transition, now time.Time) alertmanagerAlert {
	one := &Notification{Workspace: n.Workspace, Alerts: []*alertv1.Transition{t}, Links: n.Links}
	v := newView(one, plain)
	title, text := a.texts(v)

	if a.Title == "" { // Alertmanager says the state itself
		title = line(v.Alerts[0].Name + ": " + v.Alerts[0].about())
	}

	return alertmanagerAlert{
		Labels: labels(n.Workspace, t.GetAlert()), Annotations: annotations(&v.Alerts[0], title, text),
		StartsAt: precise(t.GetAlert().GetFireTime()), EndsAt: a.endsAt(t, now), GeneratorURL: v.Alerts[0].URL,
	}
}

// endsAt is when an alert is over, as far as Alertmanager is concerned. What sleeps or is held back is over until it
// fires again: Alertmanager must not tell anybody of it. What is active ends by itself when Hale no longer sends it.
func (a *Alertmanager) endsAt(t *alertv1.Transition, now time.Time) string {
	alert := t.GetAlert()

	switch {
	case alert.GetResolveTime() != nil:
		return precise(alert.GetResolveTime())
	case alert.GetState() == alertv1.State_STATE_SNOOZED, alert.GetState() == alertv1.State_STATE_RESOLVED,
		len(alert.GetHeldBy()) > 0:
		return precise(t.GetAt())
	default:
		return now.Add(resendsMissed * a.Resend()).UTC().Format(time.RFC3339Nano)
	}
}

func precise(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}

	return t.AsTime().UTC().Format(time.RFC3339Nano)
}

// labels are what Alertmanager knows an alert by: those of Hale, then those of the rule, which take no other's place.
func labels(workspace string, a *alertv1.Alert) map[string]string {
	labels := map[string]string{}

	for name, value := range map[string]string{
		"alertname": a.GetRule(), "workspace": workspace, "account": a.GetAccountId(), "source": a.GetSource(),
		"severity": severityName(a), "owner": a.GetSubject().GetOwner(), "segment": a.GetSubject().GetSegment(),
	} {
		if value = labelValue(value); value != "" { // an empty label is none
			labels[name] = value
		}
	}

	for _, name := range slices.Sorted(maps.Keys(a.GetLabels())) {
		if value := labelValue(a.GetLabels()[name]); value != "" {
			labels[freeName(labelName(name), labels)] = value
		}
	}

	return labels
}

// freeName is a name that is not taken: with label_ before it, then with a number behind it.
func freeName(name string, labels map[string]string) string {
	if reserved(name) {
		name = "label_" + name
	}

	free := name
	for i := 2; labels[free] != ""; i++ {
		free = name + "_" + strconv.Itoa(i)
	}

	return free
}

// reserved tells whether Hale gives the label itself, to this alert or another.
func reserved(name string) bool {
	switch name {
	case "alertname", "workspace", "account", "source", "severity", "owner", "segment":
		return true
	default:
		return false
	}
}

// labelName makes a name that Prometheus allows: [a-zA-Z_][a-zA-Z0-9_]*, and not two underscores in front, which mark
// its own.
func labelName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		default:
			return '_'
		}
	}, name)

	if strings.HasPrefix(name, "__") {
		name = "_" + strings.TrimLeft(name, "_")
	}

	if name == "" || name == "_" || name[0] >= '0' && name[0] <= '9' {
		name = "label_" + name
	}

	return name[:min(len(name), maxLabel)]
}

func labelValue(value string) string { return cutBytes(strings.TrimSpace(plain(value)), maxLabelValue) }

// annotations are what Alertmanager passes on, the empty left out.
func annotations(a *alertView, title, text string) map[string]string {
	annotations := map[string]string{}

	for name, value := range map[string]string{
		"summary": title, "description": text, "alert_id": a.ID, "account_name": a.Name, "state": a.State,
		"score": a.Score, "band": a.Band, "arr_at_risk": a.ARRAtRisk, "renewal_date": a.RenewalDate,
		"assignee": a.Assignee, "acknowledged_by": a.AcknowledgedBy, "runbook_url": a.RunbookURL, "account_url": a.AccountURL,
	} {
		if value != "" {
			annotations[name] = cutBytes(value, maxAnnotation)
		}
	}

	return annotations
}
