package chain

import (
	"slices"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/oracle"
)

// decided is what a log decides.
type decided struct {
	// transitions by their ids.
	transitions map[string]*alertv1.Transition
	// refused are the codes for which commands about alerts were refused, by their ids: one for each time that they stand in
	// the log.
	refused map[string][]string
	// messages of each partition, for the oracle.
	messages [][]oracle.Message
}

// kinds counts the transitions of each kind.
func (d *decided) kinds() map[string]int {
	kinds := map[string]int{}
	for _, t := range d.transitions {
		kinds[kindName(t)]++
	}
	return kinds
}

func kindName(t *alertv1.Transition) string {
	return strings.ToLower(strings.TrimPrefix(t.GetKind().String(), "KIND_"))
}

// commanded returns what commands made, by their ids and in order, and which alerts end.
func (d *decided) commanded() (made map[string][]*alertv1.Transition, over map[string]bool) {
	made, over = map[string][]*alertv1.Transition{}, map[string]bool{}
	for alert, trail := range d.trails() {
		for _, t := range trail {
			if id := t.GetCommandId(); id != "" {
				made[id] = append(made[id], t)
			}
		}
		over[alert] = trail[len(trail)-1].GetKind() == alertv1.Transition_KIND_RESOLVED
	}
	return made, over
}

// rewritten counts the commands that stand in the log more than once: their first try was taken, and nobody heard of it.
func (d *decided) rewritten() int {
	times := map[string]int{}
	for _, messages := range d.messages {
		for _, m := range messages {
			for _, r := range m.Records {
				if id := r.GetAlertCommand().GetCommandId(); id != "" {
					times[id]++
				}
			}
		}
	}
	again := 0
	for _, n := range times {
		if n > 1 {
			again++
		}
	}
	return again
}

// trails returns the transitions of each alert, in order.
func (d *decided) trails() map[string][]*alertv1.Transition {
	trails := map[string][]*alertv1.Transition{}
	for _, t := range d.transitions {
		id := t.GetAlert().GetAlertId()
		trails[id] = append(trails[id], t)
	}
	for _, trail := range trails {
		slices.SortFunc(trail, func(a, b *alertv1.Transition) int {
			return int(a.GetAlert().GetRevision()) - int(b.GetAlert().GetRevision())
		})
	}
	return trails
}

// told counts the transitions that the webhook should have heard of and did not, those that it should not have heard of,
// and, by their reasons, those that were rightly left out.
func (d *decided) told(heard *hooked, noted *journal) (left map[string]int, untold, leaked int) {
	left = map[string]int{}
	for _, trail := range d.trails() {
		for i, t := range trail {
			reason := noted.reason(t.GetTransitionId())
			switch told := heard.by[t.GetTransitionId()] != ""; {
			case told && (!wanted(t) || holds(t)):
				leaked++
			case told, !wanted(t):
			case mayLeave(reason, trail[:i], t, trail[i+1:], heard):
				left[reason]++
			default:
				untold++
			}
		}
	}
	return left, untold, leaked
}

// wanted says whether a receiver is told of such a transition, unless it says otherwise.
func wanted(t *alertv1.Transition) bool {
	return slices.Contains([]alertv1.Transition_Kind{
		alertv1.Transition_KIND_FIRED, alertv1.Transition_KIND_WOKE, alertv1.Transition_KIND_ESCALATED,
		alertv1.Transition_KIND_RELEASED, alertv1.Transition_KIND_RESOLVED,
	}, t.GetKind())
}

// holds says whether something holds the transition back. That an alert ended is told nevertheless.
func holds(t *alertv1.Transition) bool {
	return len(t.GetAlert().GetHeldBy()) > 0 && t.GetKind() != alertv1.Transition_KIND_RESOLVED
}

// mayLeave says whether a transition may be left out for a reason, by what came before and after it.
func mayLeave(
	reason string, before []*alertv1.Transition, t *alertv1.Transition, after []*alertv1.Transition, heard *hooked,
) bool {
	switch reason {
	case delivery.ReasonHeld: // or it came to be held before it was sent
		return holds(t) || (t.GetKind() != alertv1.Transition_KIND_RESOLVED && slices.ContainsFunc(after, holds))
	case delivery.ReasonOvertaken:
		return slices.ContainsFunc(after, func(t *alertv1.Transition) bool { return wanted(t) && !holds(t) })
	case delivery.ReasonNotTold:
		return t.GetKind() == alertv1.Transition_KIND_RESOLVED && !slices.ContainsFunc(before, func(t *alertv1.Transition) bool {
			return heard.by[t.GetTransitionId()] != ""
		})
	}
	return false
}
