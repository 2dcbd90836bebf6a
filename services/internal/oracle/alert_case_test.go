package oracle_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

func setRules(version uint64, document string) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_SetRules{
		SetRules: &logv1.SetRules{Version: version, Document: []byte(document)},
	}}
}

func setSource(source string, silent bool, last int64) *logv1.Record {
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_SetSource{
		SetSource: &logv1.SetSource{Source: source, Silent: silent, LastEventMicros: last},
	}}
}

func onAlert(id, alert string, c *logv1.AlertCommand) *logv1.Record {
	c.CommandId, c.AccountId, c.AlertId, c.Author = id, "acme", alert, "jo"
	return &logv1.Record{Workspace: "w", Payload: &logv1.Record_AlertCommand{AlertCommand: c}}
}

func resolveAlert(id, alert string) *logv1.Record {
	return onAlert(id, alert, &logv1.AlertCommand{Command: &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}}})
}

func snoozeAlert(id, alert string, until int64, worse bool) *logv1.Record {
	return onAlert(id, alert, &logv1.AlertCommand{Command: &logv1.AlertCommand_Snooze{
		Snooze: &logv1.Snooze{UntilMicros: until, UntilWorse: worse},
	}})
}

// acme is the account of these cases, and firedAt the id of its alert of a rule.
func firedAt(rule string, at int64) string {
	return alertID(oracle.Subject{Workspace: "w", Account: "acme"}, rule, at)
}

// decide folds a log by both, under any grouping and crashes, and returns what became of each alert.
func decide(t *testing.T, messages ...oracle.Message) lives {
	t.Helper()
	var all lives
	some(t, 20, func(t *rapid.T) {
		e := newEngineWith(t, fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse}, newTable(t))
		e.run(messages, anything())
		e.requireWorld(oracle.Replay(messages, realOptions()))
		all = e.alerts()
	})
	return all
}

// kinds are what happened to an alert, in order.
func (h lives) kinds(id string) []string {
	var kinds []string
	for _, t := range h[id] {
		kinds = append(kinds, t.Kind)
	}
	return kinds
}

const held = `
rules:
  - {name: first, summary: first, severity: info, when: 'tickets_7d >= 1'}
  - {name: second, summary: second, severity: info, when: 'tickets_7d >= 1', inhibited_by: [first]}
`

// Nobody may have to wait for the next event to hear of what an alert held back that they have just ended.
func TestEndingAnAlertByHandFreesWhatItHeldBack(t *testing.T) {
	t.Parallel()
	h := decide(t,
		message(noon, setRules(1, held), event("a", noon, ticket("t", 1))),
		message(noon+hour, resolveAlert("c", firedAt("first", noon))),
		message(noon+2*hour))
	require.Equal(t, []string{"fired", "resolved"}, h.kinds(firedAt("first", noon)))
	require.Equal(t, []string{"fired"}, h.kinds(firedAt("second", noon+hour)))
}

func TestAnAlertThatEndsAsleepNoLongerSleeps(t *testing.T) {
	t.Parallel()
	id := firedAt("first", noon)
	h := decide(t,
		message(noon, setRules(1, held), event("a", noon, ticket("t", 1))),
		message(noon+hour, snoozeAlert("c", id, noon+day, true)),
		message(noon+2*hour, resolveAlert("d", id)))
	require.Equal(t, []string{"fired", "snoozed", "resolved"}, h.kinds(id))
	require.Equal(t, noon+day, h[id][1].Alert.Until)
	require.Zero(t, h[id][2].Alert.Until, "unset unless snoozed")
	require.False(t, h[id][2].Alert.UntilWorse)
}

// Only what took effect counts by its id: a command that was refused is examined anew.
func TestARefusedCommandMayTakeEffectLater(t *testing.T) {
	t.Parallel()
	id := firedAt("first", noon)
	h := decide(t,
		message(noon, setRules(1, held), event("a", noon, ticket("t", 1))),
		message(noon+hour, snoozeAlert("c", id, noon, false)),
		message(noon+2*hour, snoozeAlert("c", id, noon+day, false)),
		message(noon+3*hour, snoozeAlert("c", id, noon+2*day, false)))
	require.Equal(t, []string{"fired", "snoozed"}, h.kinds(id))
	require.Equal(t, noon+day, h[id][1].Alert.Until)
}

const watchful = `
rules:
  - {name: unseen, summary: unseen, severity: info, when: 'measures.days_since_seen >= 2.0'}
`

// The account is out of its load when the load closes, not when the sweep gets to it, or an event does first.
func TestALiveEventTakesAnAccountOutOfAClosedLoadAsOfItsClosing(t *testing.T) {
	t.Parallel()
	h := decide(t,
		message(noon, setRules(1, watchful), history("l", "a", noon-hour, usage("f"))),
		message(noon+1, closeLoad("l")),
		message(noon+3*day, event("b", noon+3*day, usage("f"))))
	fired := h[firedAt("unseen", noon-12*hour+2*day)]
	require.NotEmpty(t, fired)
	require.False(t, fired[0].Alert.Quiet, "it fired when the load had long ended")
}

const silence = `
rules:
  - {name: mute, on: source, summary: mute, severity: info, when: silent}
`

// Two of those that watch the sources may see another last event; the one who has seen more is right.
func TestOfTwoDecisionsAboutASourceTheLaterLastEventCounts(t *testing.T) {
	t.Parallel()
	h := decide(t,
		message(noon, setRules(1, silence), setSource("usage", true, noon-9*hour)),
		message(noon+1, setSource("usage", true, noon-7*hour)),
		message(noon+2, setSource("usage", false, noon-8*hour)))
	mute := oracle.Subject{Workspace: "w", Source: "usage"}
	require.Equal(t, []string{"fired"}, h.kinds(alertID(mute, "mute", noon)))
}

const young = `
rules:
  - {name: known, summary: known, severity: info, when: 'age_days >= 3'}
`

// A late event can make an account older and change nothing else.
func TestAnAccountThatALateEventMakesOlderIsReviewed(t *testing.T) {
	t.Parallel()
	h := decide(t,
		message(noon, setRules(1, young), event("a", noon, usage("f"))),
		message(noon+1, event("b", noon-4*day, failedLogin())))
	require.Equal(t, []string{"fired"}, h.kinds(firedAt("known", noon+1)))
}

// ticketRecord opens a ticket of acme, again if need be, or closes it.
func ticketRecord(round, n int, open bool, at int64) *logv1.Record {
	action := eventv1.Ticket_ACTION_CLOSED
	if open {
		action = eventv1.Ticket_ACTION_REOPENED
	}
	return event(fmt.Sprintf("%03d-%d", round, n), at, ticket(fmt.Sprint(n), action))
}

// A review that is left out because nothing can happen forgets what a review would: a process that has just begun leaves
// none out.
func TestWhatIsRememberedOfAlertsDoesNotDependOnRestarts(t *testing.T) {
	t.Parallel()
	messages := []oracle.Message{
		message(noon, setRules(1, held), event("a", noon, ticket("t", eventv1.Ticket_ACTION_OPENED))),
		message(noon+1, resolveAlert("c", firedAt("first", noon))),
		message(noon+7*day-hour, event("b", noon+7*day-hour, usage("f"))),
		message(noon+7*day+hour, event("c", noon+7*day-hour, usage("f"))), // changes nothing that counts
	}
	some(t, 30, func(t *rapid.T) {
		options := fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse}
		calm, wild := newEngineWith(t, options, newTable(t)), newEngineWith(t, options, newTable(t))
		calm.run(messages, nothing())
		wild.run(messages, anything())
		require.Equal(t, calm.stored(), wild.stored())
	})
}

const lasting = `
rules:
  - {name: first, summary: first, severity: info, when: 'measures.open_tickets >= 1.0', keep_firing_for: 1d}
`

// What a command leaves is looked at when its message ends, not as of some time before it.
func TestACommandUnderNewRulesDoesNotTakeTheAccountBackInTime(t *testing.T) {
	t.Parallel()
	id := firedAt("first", noon)
	said := &logv1.AlertCommand{Note: "I know", Command: &logv1.AlertCommand_Comment{Comment: &logv1.Comment{}}}
	h := decide(t,
		message(noon, setRules(1, lasting), event("a", noon, ticket("t", eventv1.Ticket_ACTION_OPENED))),
		message(noon+hour, event("b", noon+hour, ticket("t", eventv1.Ticket_ACTION_CLOSED))),
		message(noon+3*hour, event("c", noon+hour, usage("f")), setRules(2, silence), onAlert("c", id, said),
			event("d", noon+hour, usage("f"))))
	require.Equal(t, []string{"fired", "commented", "resolved"}, h.kinds(id))
	require.Equal(t, noon+3*hour, h[id][2].At)
}
