package alert

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/wire"
)

// idBytes is how much of a hash an alert's id is: no two of 10^9 alerts have the same.
const idBytes = 15

// ID is that of the alert of a rule that fired at a time.
func (k Key) ID(rule string, fired Time) string {
	var b []byte
	for _, part := range [...]string{k.Workspace, k.Account, k.Source, rule} {
		b = wire.Append(b, part)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(fired)) //nolint:gosec // bit pattern only
	sum := sha256.Sum256(b)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:idBytes]))
}

// record notes that something happened to an open alert.
func (w *work) record(e *entry, kind alertv1.Transition_Kind, author, note, command string) {
	e.alert.Revision++
	snapshot := w.snapshot(e)
	w.transitions = append(w.transitions, &alertv1.Transition{
		TransitionId: snapshot.GetAlertId() + "-" + strconv.FormatUint(uint64(e.alert.Revision), 10),
		Kind:         kind, At: timestamp(w.review.At), Author: author, Note: note, CommandId: command, Alert: snapshot,
	})
}

// snapshot is an alert as it is now.
func (w *work) snapshot(e *entry) *alertv1.Alert {
	a, r := e.alert, w.review
	s := &alertv1.Alert{
		AlertId: r.ID(e.rule, a.Fired), Revision: a.Revision, Rule: e.rule, RulesVersion: a.Version,
		State: a.State, Severity: a.Severity, AccountId: r.Account, Source: r.Source,
		Since: timestamp(a.Since), FireTime: timestamp(a.Fired), StateTime: timestamp(a.StateAt),
		AcknowledgedBy: a.Acknowledged, Assignee: a.Assignee, SnoozeUntilWorse: a.UntilWorse,
		Escalation: a.Escalation, Flapping: a.Flapping, Quiet: a.Quiet, Opportunity: a.Opportunity,
	}
	if a.SnoozeUntil != 0 {
		s.SnoozeUntil = timestamp(a.SnoozeUntil)
	}
	if a.State == alertv1.State_STATE_RESOLVED {
		s.ResolveTime = timestamp(a.StateAt)
	}
	for i := range a.Drivers {
		s.Drivers = append(s.Drivers, a.Drivers[i].proto())
	}
	if one := r.Rules.Rule(e.rule); one != nil {
		s.HeldBy = w.heldBy(one)
		describe(s, one)
	}
	if r.Subject != nil {
		if w.subject == nil {
			w.subject = r.Subject()
		}
		s.Subject = w.subject
	}
	return s
}

// describe adds what the rule says.
func describe(s *alertv1.Alert, one *rule.Rule) {
	s.Summary, s.RunbookUrl = one.Summary, one.RunbookURL
	if len(one.Labels) > 0 {
		s.Labels = make(map[string]string, len(one.Labels))
	}
	for _, l := range one.Labels {
		s.Labels[l.Name] = l.Value
	}
}

func (d *Driver) proto() *alertv1.Driver {
	m := scorecard.Measure(d.Measure)
	out := &alertv1.Driver{
		Measure: m.Name(), Unit: m.Unit(), Before: float(d.Before), After: float(d.After), ScoreChange: micros(d.Change),
	}
	if d.Day != 0 {
		out.BeforeDate = time.Unix(int64(d.Day)*(day/1_000_000), 0).UTC().Format(time.DateOnly)
	}
	return out
}

func float(v *int64) *float64 {
	if v == nil {
		return nil
	}
	f := micros(*v)
	return &f
}

func micros(v int64) float64 { return float64(v) / 1_000_000 }

func timestamp(t Time) *timestamppb.Timestamp { return timestamppb.New(time.UnixMicro(t)) }
