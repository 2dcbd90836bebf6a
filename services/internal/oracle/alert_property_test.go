package oracle_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// requireWholeLives checks what is true of every alert, whatever the rules are.
func requireWholeLives(t require.TestingT, all lives) {
	for id, life := range all {
		require.Equal(t, "fired", life[0].Kind, "alert %s begins by firing", id)
		for i, one := range life {
			require.Equal(t, i+1, one.Revision, "revisions of alert %s have no gaps", id)
			require.Equal(t, i > 0, one.Kind != "fired", "alert %s fires once", id)
			require.Equal(t, i == len(life)-1 && one.Alert.State == "resolved", one.Kind == "resolved",
				"alert %s resolves once, and nothing comes after it", id)
			require.False(t, i > 0 && one.At < life[i-1].At, "time does not go back: %+v", life)
			require.False(t, one.Kind == "held" && len(one.Alert.HeldBy) == 0, "something holds what is held")
			require.False(t, one.Kind == "released" && len(one.Alert.HeldBy) > 0, "nothing holds what is released")
			require.LessOrEqual(t, one.Alert.Escalation, 3)
			require.False(t, one.Kind == "fired" && len(one.Alert.HeldBy) > 0, "what is held back does not fire")
		}
	}
	for _, of := range all.byRule() {
		for i := 1; i < len(of); i++ {
			before, next := of[i-1], of[i]
			end := before[len(before)-1]
			require.Equal(t, "resolved", end.Kind, "one alert of a rule at a time: %+v", next[0])
			require.Less(t, before[0].At, next[0].At)
			require.LessOrEqual(t, end.At, next[0].At)
		}
	}
}

// byRule are the alerts of each rule and subject in the order in which they fired.
func (h lives) byRule() map[string][][]oracle.Transition {
	of := map[string][][]oracle.Transition{}
	for _, id := range h.ids() {
		first := h[id][0]
		key := first.Workspace + "/" + first.Account + "/" + first.Source + "/" + first.Alert.Rule
		of[key] = append(of[key], h[id])
	}
	return of
}

func TestEveryAlertFiresOnceAndResolvesOnceInAnyGroupingAndCrashes(t *testing.T) {
	t.Parallel()
	some(t, 10, func(t *rapid.T) {
		messages, _ := genAlertLog(t, 16, 0)
		t.Log(tale(messages))
		options := fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse}
		calm, wild := newEngineWith(t, options, newTable(t)), newEngineWith(t, options, newTable(t))
		calm.run(messages, nothing())
		wild.run(messages, anything())
		requireWholeLives(t, wild.alerts())
		require.Equal(t, calm.rejects, wild.rejects)
		require.Equal(t, calm.stored(), wild.stored(), "the same log gives the same alerts, with the same ids, and equal bytes")
	})
}

// swing goes up and down between what lets a rule fire and what lets its alert end.
const swing = `
rules:
  - {name: many, summary: many, severity: info, when: 'measures.open_tickets >= 8.0', resolve: 'measures.open_tickets < 4.0'}
`

// Between the two conditions nothing happens, wherever the number goes: neither does an alert end, nor does another fire.
func TestAnAlertDoesNotFlapInsideItsHysteresis(t *testing.T) {
	t.Parallel()
	set, err := rule.Parse([]byte(swing))
	require.NoError(t, err)
	some(t, 50, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 40).Draw(t, "open tickets")
		messages := []oracle.Message{message(noon, setRules(1, swing))}
		wanted, open := []string(nil), false
		for i, n := range steps {
			m := message(noon + int64(i+1)*1000)
			for ticket := range 6 {
				m.Records = append(m.Records, ticketRecord(i, ticket, ticket < n, m.Time))
			}
			messages = append(messages, m)
			switch points := int64(2 * n); { // a normal ticket weighs 2
			case !open && points >= 8:
				wanted, open = append(wanted, "fired"), true
			case open && points < 4:
				wanted, open = append(wanted, "resolved"), false
			}
		}
		e := newEngineWith(t, fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse, Rules: set}, newTable(t))
		e.run(messages, anything())
		var told []string
		for _, life := range e.alerts().byRule()["w/acme//many"] {
			for _, one := range life {
				if one.Alert.Flapping { // it ends only after a day: there is nothing more to see here
					return
				}
				told = append(told, one.Kind)
			}
		}
		require.Equal(t, wanted, told)
	})
}

// alertTally counts what generated logs led to.
func (n tally) alerts(w *oracle.World) {
	for _, r := range w.Rejects() {
		n["refused "+r.Code]++
	}
	for _, log := range w.Alerts() {
		for _, one := range log {
			what := one.Kind
			if one.Source != "" {
				what += " source"
			}
			n[what]++
			if one.Note == "clear" || one.Note == "worse" || one.Note == "time" || one.Note == "out_of_scope" || one.Note == "rule_removed" {
				n["note "+one.Note]++
			}
			for _, by := range one.Alert.HeldBy {
				n["held by "+by]++
			}
			n.alert(one)
		}
	}
}

func (n tally) alert(one oracle.Transition) {
	a := one.Alert
	for what, is := range map[string]bool{
		"flapping": a.Flapping, "quiet": a.Quiet && one.Kind == "fired", "by hand": one.Kind == "resolved" && one.CommandID != "",
		"held asleep": one.Kind == "held" && a.State == "snoozed", "twice escalated": a.Escalation > 1,
		"at midnight": one.At%day == 0 && one.Kind == "fired", "pending first": a.Since < a.Fired,
	} {
		if is {
			n[what]++
		}
	}
	for _, d := range a.Drivers {
		if d.Change != 0 {
			n["driver"]++
		}
	}
}

func TestGeneratedLogsReachEveryCornerOfAlerts(t *testing.T) {
	t.Parallel()
	worlds := rapid.Custom(func(t *rapid.T) *oracle.World {
		_, world := genAlertLog(t, 24, 0)
		return world
	})
	wanted := []string{
		"fired", "acknowledged", "snoozed", "woke", "escalated", "assigned", "commented", "held", "released", "resolved",
		"fired source", "acknowledged source", "snoozed source", "resolved source",
		"note clear", "note worse", "note time", "note out_of_scope", "note rule_removed", "held by churned", "held by source:usage",
		"refused alert_not_open", "refused alert_changed", "refused alert_acknowledged", "refused alert_snooze",
		"refused unknown_source", "refused unknown_account", "refused invalid_value",
		"flapping", "quiet", "by hand", "held asleep", "twice escalated", "at midnight", "pending first", "driver",
	}
	n := tally{}
	for seed := 0; len(wanted) > 0; seed++ {
		n["seeds"]++
		require.Less(t, seed, 200, "never reached: %v", wanted)
		n.alerts(worlds.Example(seed))
		wanted = slices.DeleteFunc(wanted, func(what string) bool { return n[what] > 0 })
	}
	t.Log(n["seeds"])
	for _, what := range slices.Sorted(maps.Keys(n)) {
		t.Log(what, n[what])
	}
}
