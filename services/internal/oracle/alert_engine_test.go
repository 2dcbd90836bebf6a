package oracle_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// alertID is the id of an alert, as package alert makes it.
func alertID(s oracle.Subject, rule string, fired int64) string {
	return alert.Key{Workspace: s.Workspace, Account: s.Account, Source: s.Source}.ID(rule, fired)
}

// micros reads a time of the engine; 0 where it is unset.
func micros(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMicro()
}

// lower is the last part of an enumeration's name, as in STATE_FIRING.
func lower(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

// transitionOf is a transition as the oracle would say it.
func transitionOf(r *logv1.AlertRecord) oracle.Transition {
	t, a := r.GetTransition(), r.GetTransition().GetAlert()
	is := oracle.Alert{
		Rule: a.GetRule(), Since: micros(a.GetSince()), Fired: micros(a.GetFireTime()), Entered: micros(a.GetStateTime()),
		Resolved: micros(a.GetResolveTime()), State: lower(a.GetState().String(), "STATE_"), HeldBy: a.GetHeldBy(),
		Escalation: int(a.GetEscalation()), Flapping: a.GetFlapping(), Quiet: a.GetQuiet(), Assignee: a.GetAssignee(),
		TakenBy: a.GetAcknowledgedBy(), Until: micros(a.GetSnoozeUntil()), UntilWorse: a.GetSnoozeUntilWorse(),
	}
	for _, d := range a.GetDrivers() {
		is.Drivers = append(is.Drivers, driverOf(d))
	}
	return oracle.Transition{
		Subject: oracle.Subject{Workspace: r.GetWorkspace(), Account: a.GetAccountId(), Source: a.GetSource()},
		AlertID: a.GetAlertId(), Revision: int(a.GetRevision()), Kind: lower(t.GetKind().String(), "KIND_"), At: micros(t.GetAt()),
		Author: t.GetAuthor(), Note: t.GetNote(), CommandID: t.GetCommandId(), Alert: is,
	}
}

func driverOf(d *alertv1.Driver) oracle.Driver {
	out := oracle.Driver{
		Measure: d.GetMeasure(), Before: valueOf(d.Before), After: valueOf(d.After), Change: valueOf(&d.ScoreChange).Micros,
	}
	if at, err := time.Parse(time.DateOnly, d.GetBeforeDate()); err == nil {
		out.Day = oracle.DayOf(at.UnixMicro())
	}
	return out
}

// valueOf reads a number that left the engine as a double.
func valueOf(f *float64) scorecard.Value {
	if f == nil {
		return scorecard.Value{}
	}
	return scorecard.Value{Micros: int64(math.Round(*f * 1_000_000)), Known: true}
}

// lives are what became of each alert, by its id. Which alert comes before which depends on the commits.
type lives map[string][]oracle.Transition

func historyOf(all []oracle.Transition) lives {
	h := lives{}
	for _, t := range all {
		h[t.AlertID] = append(h[t.AlertID], t)
	}
	return h
}

// alerts is the history that the engine has decided.
func (e *engine) alerts() lives {
	var all []oracle.Transition
	for _, r := range e.decided(e.partition.Outbox()) {
		all = append(all, transitionOf(r))
	}
	return historyOf(all)
}

// ids are the alerts by the time they fired, then by rule, so that the first that differs says most.
func (h lives) ids() []string {
	var ids []string
	for id := range h {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, y := h[a][0], h[b][0]
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Alert.Rule, y.Alert.Rule), cmp.Compare(a, b))
	})
	return ids
}

// requireAlerts compares what became of each alert.
func (e *engine) requireAlerts(want *oracle.World) {
	var all []oracle.Transition
	for _, log := range want.Alerts() {
		all = append(all, log...)
	}
	wanted, got := historyOf(all), e.alerts()
	for _, id := range wanted.ids() {
		require.Contains(e.t, got, id, "missing: %+v", wanted[id][0])
		require.Equal(e.t, wanted[id], got[id], "alert of rule %s of %v", wanted[id][0].Alert.Rule, wanted[id][0].Subject)
	}
	for _, id := range got.ids() {
		require.Contains(e.t, wanted, id, "too many: %+v", got[id][0])
	}
}
