package sender

import (
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// maxShown is how many alerts a text tells of; how many more there are it says.
const maxShown = 50

// view is what templates see: texts only, fit to be shown where they are sent. docs/notify.md lists the fields; they
// are only ever added.
type view struct {
	Workspace string
	Status    string // of the most urgent alert
	Counts    string // how many alerts are in which state
	More      string // how many alerts there are beside those in Alerts; empty: none
	Alerts    []alertView
}

type alertView struct {
	ID, Rule, State, Severity, Summary string
	What, At, Author, Note             string // the transition
	Account, Name, Source              string
	Score, Band, Stage                 string
	Owner, Segment, Plan               string
	ARR, ARRAtRisk, RenewalDate        string
	Assignee, AcknowledgedBy           string
	Since, FireTime, ResolveTime       string
	SnoozeUntil                        string
	Escalation                         string // how many times; empty: never
	Flapping, Opportunity              bool
	URL, AccountURL, RunbookURL        string
	Drivers                            []driverView
	Labels                             map[string]string
}

type driverView struct {
	Measure, Before, After, Unit, ScoreChange, BeforeDate string
}

// newView shows a notification, each text cleaned for where it goes.
func newView(n *Notification, clean func(string) string) *view {
	v := &view{Workspace: clean(n.Workspace), Status: statusOf(n.Alerts), Counts: countsOf(n)}

	shown := min(len(n.Alerts), maxShown)
	for _, transition := range n.Alerts[:shown] {
		v.Alerts = append(v.Alerts, viewAlert(transition, n.Links, clean))
	}

	if more := len(n.Alerts) - shown + n.Truncated; more > 0 {
		v.More = strconv.Itoa(more)
	}

	return v
}

func viewAlert(t *alertv1.Transition, links Links, clean func(string) string) alertView {
	a := t.GetAlert()
	s := subjectOf(a.GetSubject())
	v := alertView{
		ID: clean(a.GetAlertId()), Rule: clean(a.GetRule()), State: stateName(a), Severity: severityName(a),
		Summary: clean(a.GetSummary()), What: kindName(t.GetKind()), At: viewTime(t.GetAt()), Author: clean(t.GetAuthor()),
		Note: clean(t.GetNote()), Account: clean(a.GetAccountId()), Name: clean(nameOf(a)), Source: clean(a.GetSource()),
		Score: viewNumber(s.Score), Band: bandName(s), Stage: stageName(s),
		Owner: clean(s.GetOwner()), Segment: clean(s.GetSegment()), Plan: clean(s.GetPlan()),
		ARR: clean(viewMoney(s.Arr, s.GetCurrency())), ARRAtRisk: clean(viewMoney(s.ArrAtRisk, s.GetCurrency())),
		RenewalDate: clean(s.GetRenewalDate()), Assignee: clean(a.GetAssignee()), AcknowledgedBy: clean(a.GetAcknowledgedBy()),
		Since: viewTime(a.GetSince()), FireTime: viewTime(a.GetFireTime()), ResolveTime: viewTime(a.GetResolveTime()),
		SnoozeUntil: viewTime(a.GetSnoozeUntil()), Flapping: a.GetFlapping(), Opportunity: a.GetOpportunity(),
		URL: links.Alert(a.GetAlertId()), AccountURL: links.Account(a.GetAccountId()), RunbookURL: webURL(a.GetRunbookUrl()),
		Labels: map[string]string{},
	}

	if a.GetEscalation() > 0 {
		v.Escalation = strconv.FormatUint(uint64(a.GetEscalation()), 10)
	}

	for _, d := range a.GetDrivers() {
		v.Drivers = append(v.Drivers, viewDriver(d, clean))
	}

	for name, value := range a.GetLabels() {
		v.Labels[name] = clean(value)
	}

	return v
}

func viewDriver(d *alertv1.Driver, clean func(string) string) driverView {
	v := driverView{
		Measure: clean(d.GetMeasure()), Before: viewNumber(d.Before), After: viewNumber(d.After), Unit: clean(d.GetUnit()),
		BeforeDate: clean(d.GetBeforeDate()),
	}

	if change := d.GetScoreChange(); change != 0 {
		v.ScoreChange = viewChange(change)
	}

	return v
}

// subjectOf is what is known of an account: nothing, if nothing was said.
func subjectOf(s *alertv1.Subject) *alertv1.Subject {
	if s == nil {
		return &alertv1.Subject{}
	}

	return s
}

// nameOf is what people call what an alert is about.
func nameOf(a *alertv1.Alert) string {
	switch {
	case a.GetSubject().GetName() != "":
		return a.GetSubject().GetName()
	case a.GetAccountId() != "":
		return a.GetAccountId()
	default:
		return "source " + a.GetSource()
	}
}

// viewTime shows a time to the second, in UTC; empty: there is none.
func viewTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}

	return t.AsTime().UTC().Format(time.RFC3339)
}

// countsOf says how many alerts are in which state.
func countsOf(n *Notification) string {
	var parts []string

	for _, state := range states() {
		count := 0
		for _, t := range n.Alerts {
			if t.GetAlert().GetState() == state {
				count++
			}
		}

		if count > 0 {
			parts = append(parts, strconv.Itoa(count)+" "+stateText(state))
		}
	}

	if n.Truncated > 0 {
		parts = append(parts, strconv.Itoa(n.Truncated)+" more")
	}

	return strings.Join(parts, ", ")
}
