package fold_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

const rulesDocument = `kind: rules
rules:
  - name: urgent
    severity: critical
    summary: An urgent ticket is open for long
    when: urgent_ticket_hours >= 24
    escalate_after: 2h
  - name: small
    severity: warning
    summary: Few seats
    when: profile.seats > 0.0 && profile.seats < 5.0
    resolve: profile.seats >= 8.0
    for: 90m
    escalate_after: never
  - name: quiet
    severity: warning
    summary: Nobody was there for days
    when: measures.days_since_seen >= 3.0
    sources: [usage]
    escalate_after: never
  - name: broken
    on: source
    severity: critical
    summary: A source is silent
    when: silent
    escalate_after: 1h
`

func rules(version uint64, document string) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_SetRules{
		SetRules: &logv1.SetRules{Version: version, Document: []byte(document)},
	}}
}

func source(name string, silent bool, last time.Time) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_SetSource{
		SetSource: &logv1.SetSource{Source: name, Silent: silent, LastEventMicros: last.UnixMicro()},
	}}
}

func seats(id, account string, at time.Time, n int64) *logv1.Record {
	return event(&eventv1.Event{
		MessageId: id, AccountId: account, OccurredAt: timestamppb.New(at),
		Body: &eventv1.Event_Account{Account: &eventv1.Account{Seats: &n}},
	})
}

func ticket(id, account string, at time.Time, action eventv1.Ticket_Action) *logv1.Record {
	return event(&eventv1.Event{
		MessageId: id, AccountId: account, OccurredAt: timestamppb.New(at),
		Body: &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{
			TicketId: "t", Action: action, Severity: eventv1.Ticket_SEVERITY_URGENT,
		}},
	})
}

func alertCommand(id, account, alert string, c *logv1.AlertCommand) *logv1.Record {
	c.CommandId, c.AccountId, c.AlertId, c.Author = id, account, alert, "ann"
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_AlertCommand{AlertCommand: c}}
}

func acknowledge() *logv1.AlertCommand {
	return &logv1.AlertCommand{Command: &logv1.AlertCommand_Acknowledge{Acknowledge: &logv1.Acknowledge{}}}
}

// outbox are the records on their way to ALERTS.
func (r *rig) outbox() []*logv1.AlertRecord {
	r.t.Helper()
	r.commit()
	var all []*logv1.AlertRecord
	for _, key := range r.p.Outbox() {
		var entry logv1.AlertRecords
		require.NoError(r.t, proto.Unmarshal(r.values[key], &entry))
		all = append(all, entry.GetRecords()...)
	}
	return all
}

// told says what the outbox holds: account or source, rule, what happened, hours after start.
func (r *rig) told() []string {
	r.t.Helper()
	told := []string{}
	for _, one := range r.outbox() {
		t := one.GetTransition()
		kind := strings.ToLower(strings.TrimPrefix(t.GetKind().String(), "KIND_"))
		told = append(told, t.GetAlert().GetAccountId()+t.GetAlert().GetSource()+" "+t.GetAlert().GetRule()+" "+kind+" "+
			t.GetAt().AsTime().Sub(start).String())
	}
	return told
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	t.Run("a timer rings at its time, however late the next message is", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), seats("1", "a", start, 3))
		require.Empty(t, r.told())
		require.Equal(t, start.Add(90*time.Minute).UnixMicro(), r.p.NextTimer())
		r.reopen()
		require.Equal(t, start.Add(90*time.Minute).UnixMicro(), r.p.NextTimer(), "timers are stored")
		r.send(start.Add(5*h), tick())
		require.Empty(t, r.told(), "the account has not been woken yet")
		r.reopen() // before it is woken
		require.True(t, r.p.Waking())
		r.sweep(9)
		require.Equal(t, []string{"a small fired 1h30m0s"}, r.told())
		r.send(start.Add(6*h), seats("2", "a", start.Add(6*h), 6))
		r.send(start.Add(7*h), seats("3", "a", start.Add(7*h), 8))
		require.Equal(t, []string{"a small fired 1h30m0s", "a small resolved 7h0m0s"}, r.told())
	})
	t.Run("an event does not overtake a timer that was due before it", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), seats("1", "a", start, 3))
		r.send(start.Add(2*h), seats("2", "a", start.Add(2*h), 9))
		require.Equal(t, []string{"a small fired 1h30m0s", "a small resolved 2h0m0s"}, r.told())
	})
	t.Run("an urgent ticket raises an alert after a day, which is escalated, over midnight", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), ticket("1", "a", start, eventv1.Ticket_ACTION_OPENED))
		r.send(start.Add(27*h), tick())
		r.sweep(99)
		require.Equal(t, []string{"a urgent fired 24h0m0s", "a urgent escalated 26h0m0s"}, r.told())
		r.send(start.Add(27*h), ticket("2", "a", start.Add(27*h), eventv1.Ticket_ACTION_CLOSED))
		require.Equal(t, "a urgent resolved 27h0m0s", r.told()[2])
	})
	t.Run("commands count once, and what is wrong is refused", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), seats("1", "a", start, 3))
		r.send(start.Add(2*h), tick())
		r.sweep(9)
		id := r.outbox()[0].GetTransition().GetAlert().GetAlertId()
		at := start.Add(3 * h)
		r.send(at, alertCommand("c1", "a", id, acknowledge()), alertCommand("c1", "a", id, acknowledge()),
			alertCommand("c2", "a", id, acknowledge()), alertCommand("c3", "b", id, acknowledge()),
			alertCommand("c4", "a", "other", acknowledge()), alertCommand("", "a", id, acknowledge()),
			alertCommand("c5", "a", id, &logv1.AlertCommand{Revision: 1, Command: &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}}}),
			alertCommand("c6", "a", id, &logv1.AlertCommand{Command: &logv1.AlertCommand_Comment{Comment: &logv1.Comment{}}}),
			alertCommand("c7", "a", id, &logv1.AlertCommand{Command: &logv1.AlertCommand_Assign{
				Assign: &logv1.Assign{Assignee: strings.Repeat("x", 257)},
			}}))
		require.Equal(t, []string{"a small fired 1h30m0s", "a small acknowledged 3h0m0s"}, r.told())
		require.Equal(t, []string{
			alert.CodeAcknowledged, "unknown_account", alert.CodeNotOpen, health.CodeInvalidValue, alert.CodeChanged,
			health.CodeInvalidValue, health.CodeInvalidValue,
		}, codes(r.refused))
		require.Equal(t, "assign.assignee", r.refused[6].Field)
		require.Equal(t, "ann", r.outbox()[1].GetTransition().GetAuthor())
		require.Equal(t, "c1", r.outbox()[1].GetTransition().GetCommandId())
		r.send(at.Add(h), alertCommand("c4", "a", id, &logv1.AlertCommand{
			Command: &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}},
		}))
		require.Equal(t, "a small resolved 4h0m0s", r.told()[2], "an id that was refused is examined anew")
	})
	t.Run("the id of a command counts for its alert", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), seats("1", "a", start, 3), ticket("2", "a", start, eventv1.Ticket_ACTION_OPENED))
		r.send(start.Add(25*h), tick())
		r.sweep(9)
		small, urgent := r.outbox()[0].GetTransition().GetAlert(), r.outbox()[1].GetTransition().GetAlert()
		r.send(start.Add(25*h), alertCommand("c1", "a", small.GetAlertId(), acknowledge()),
			alertCommand("c1", "a", urgent.GetAlertId(), acknowledge()),
			alertCommand("c1", "a", urgent.GetAlertId(), &logv1.AlertCommand{
				Command: &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}},
			}))
		require.Equal(t, []string{"a small acknowledged 25h0m0s", "a urgent acknowledged 25h0m0s"}, r.told()[2:])
	})
	t.Run("what is published leaves the outbox with the next commit", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), seats("1", "a", start, 3))
		r.send(start.Add(2*h), tick())
		r.sweep(9)
		require.Len(t, r.told(), 1)
		r.p.Published(1, 77)
		require.True(t, r.p.Pending())
		require.Empty(t, r.told())
		r.reopen()
		require.Empty(t, r.p.Outbox())
		require.EqualValues(t, 77, r.p.AlertsLast)
		require.NotContains(t, r.values, store.OutboxKey(0))
	})
	t.Run("other rules take effect where they stand in the log", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), seats("1", "a", start, 3), seats("2", "b", start, 30))
		r.send(start.Add(2*h), tick())
		r.sweep(9)
		r.send(start.Add(3*h), rules(2, strings.ReplaceAll(rulesDocument, "name: small", "name: tiny")))
		r.send(start.Add(4*h), tick()) // the sweep is late
		r.sweep(9)
		r.send(start.Add(5*h), rules(1, rulesDocument), rules(3, "kind: nonsense"))
		require.Equal(t, []string{
			"a small fired 1h30m0s", "a small resolved 3h0m0s", "a tiny fired 4h30m0s", // pending since the rule is there
		}, r.told())
		require.Equal(t, []string{"invalid_rules"}, codes(r.refused))
	})
	t.Run("what a load leaves behind is quiet", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, strings.ReplaceAll(rulesDocument, "    for: 90m\n", "")))
		past := start.Add(-20 * 24 * h)
		r.send(start, historical("l", seats("1", "a", past, 3)))
		require.Empty(t, r.told(), "within the load nothing is reviewed")
		r.send(start.Add(h/2), closeLoad("l"))
		r.sweep(9)
		require.Equal(t, "a small fired "+(-12*h-19*24*h).String(), r.told()[0], "at the first midnight after it")
		for _, one := range r.outbox() {
			require.True(t, one.GetTransition().GetAlert().GetQuiet())
		}
		before := len(r.outbox())
		r.send(start.Add(h), seats("2", "b", start.Add(h), 3))
		require.False(t, r.outbox()[before].GetTransition().GetAlert().GetQuiet())
	})
	t.Run("a muted partition tells nobody", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.muted = true
		r.reopen()
		r.send(start, rules(1, strings.ReplaceAll(rulesDocument, "    for: 90m\n", "")), seats("1", "a", start, 3))
		require.Empty(t, r.told())
		require.Equal(t, 1, r.account("a").Alerts().Open())
	})
}

func TestSilentSources(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	t.Run("measures stand still, alerts wait, and one alert tells of the source", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, rules(1, rulesDocument), usage("1", "a", start))
		r.send(start.Add(24*h), source("usage", true, start))
		r.send(start.Add(10*24*h), tick())
		r.sweep(99)
		require.True(t, r.account("a").Still(0))
		require.Equal(t, []string{
			"usage broken fired 24h0m0s", "usage broken escalated 25h0m0s", "usage broken escalated 26h0m0s",
			"usage broken escalated 27h0m0s",
		}, r.told())
		r.reopen()
		r.send(start.Add(10*24*h), source("usage", false, start.Add(10*24*h)))
		r.sweep(99)
		require.Equal(t, []string{"usage broken resolved 240h0m0s", "a quiet fired 240h0m0s"}, r.told()[4:])
		require.False(t, r.account("a").Still(0))
	})
	t.Run("partitions other than the first raise no alert of it", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.number = 3
		r.reopen()
		r.send(start, rules(1, rulesDocument), usage("1", "a", start))
		r.send(start.Add(24*h), source("usage", true, start))
		require.Empty(t, r.told())
	})
	t.Run("the later last event holds, and of the same the one that says silent", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		silent := func() fold.Silence { return r.p.Workspace("w").Silence[health.SourceUsage] }
		r.send(start, usage("1", "a", start), source("usage", true, start), source("usage", false, start))
		require.True(t, silent().Silent)
		r.send(start, source("usage", false, start.Add(h)), source("usage", true, start), source("fax", true, start))
		require.Equal(t, fold.Silence{Last: start.Add(h).UnixMicro()}, silent())
		require.EqualValues(t, 2, r.p.Workspace("w").Change)
		r.commit()
		require.Equal(t, []string{"unknown_source"}, codes(r.refused))
	})
	t.Run("commands reach an alert about a source", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.send(start, alertCommand("c0", "", "x", acknowledge()), rules(1, rulesDocument), usage("1", "a", start))
		r.send(start.Add(24*h), source("usage", true, start))
		id := r.outbox()[0].GetTransition().GetAlert().GetAlertId()
		at := start.Add(24*h + h/2)
		r.send(at, alertCommand("c1", "", id, acknowledge()), alertCommand("c2", "", id, acknowledge()))
		require.Equal(t, []string{"usage broken fired 24h0m0s", "usage broken acknowledged 24h30m0s"}, r.told())
		require.Equal(t, []string{alert.CodeNotOpen, alert.CodeAcknowledged}, codes(r.refused))
	})
}
