package top_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/cli/top"
)

// after is the alert of acme as a decision leaves it.
func after(change func(*alertv1.Alert)) *alertv1.Alert {
	a := proto.CloneOf(open()[1])
	a.Revision++

	change(a)

	return a
}

func acknowledged(by string) *alertv1.Alert {
	return after(func(a *alertv1.Alert) { a.State, a.AcknowledgedBy = alertv1.State_STATE_ACKNOWLEDGED, by })
}

func TestDeciding(t *testing.T) {
	t.Parallel()

	for name, one := range map[string]struct {
		keys []string
		want top.Decide
		left *alertv1.Alert
		says string
	}{
		"a acknowledges": {
			[]string{"a"},
			top.Decide{Action: top.Acknowledge, Revision: 3},
			acknowledged("maya"), "acknowledged: acme, The score is critical, and has been for a day, by maya",
		},
		"s asks how long, and a digit takes a choice": {
			[]string{"s", "3"},
			top.Decide{Action: top.Snooze, Revision: 3, For: 24 * time.Hour},
			after(func(a *alertv1.Alert) {
				a.State, a.SnoozeUntil = alertv1.State_STATE_SNOOZED, timestamppb.New(noon().Add(24*time.Hour))
			}), "until 2026-03-11 12:00:00 UTC",
		},
		"the choices of s can be walked": {
			[]string{"s", "right", "right", "right", "right", "left", "right", "enter"},
			top.Decide{Action: top.Snooze, Revision: 3, For: 7 * 24 * time.Hour},
			after(func(a *alertv1.Alert) {
				a.State = alertv1.State_STATE_SNOOZED
			}), "snoozed: acme",
		},
		"r asks first": {
			[]string{"r", "y"},
			top.Decide{Action: top.Resolve, Revision: 3},
			after(func(a *alertv1.Alert) { a.State = alertv1.State_STATE_RESOLVED }),
			"resolved: acme",
		},
		"c sends a remark": {
			[]string{"c", "we cull", "backspace", "backspace", "backspace", "alled  ", "enter"},
			top.Decide{Action: top.Comment, Text: "we called"},
			after(func(*alertv1.Alert) {}), "comment added: acme",
		},
		"what is typed can be taken back": {
			[]string{"c", "no", "ctrl+u", "one two", "ctrl+w", "é", "backspace", "three", "enter"},
			top.Decide{Action: top.Comment, Text: "one three"},
			after(func(*alertv1.Alert) {}), "comment added: acme",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := begun(t, 120, 40)
			s.press(one.keys...)

			one.want.AlertID = "a2"
			asked := s.take()
			require.Equal(t, one.want, asked)
			require.Contains(t, s.line(-2), string(one.want.Action)+" …")

			s.send(top.Decided{Request: one.want, Alert: one.left})
			require.Contains(t, s.line(-2), one.says)
			require.Equal(t, one.left.GetState() != alertv1.State_STATE_RESOLVED, contains(s.text(), "Acme Ltd"),
				"it is shown as long as it is open")
		})
	}
}

func TestNotDeciding(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)

	for name, keys := range map[string][]string{
		"another key than y does not resolve":      {"r", "n"},
		"esc ends the question how long":           {"s", "esc"},
		"a digit without a choice is no answer":    {"s", "9", "esc"},
		"esc ends a remark":                        {"c", "text", "esc"},
		"an empty remark is none":                  {"c", " ", "enter"},
		"letters that are typed are no commands":   {"c", "a", "q", "esc"},
		"a key that means nothing does nothing":    {"x"},
		"nothing is decided in the list of others": {"tab", "a", "tab"},
	} {
		s.press(keys...)

		for _, r := range s.asked {
			require.IsType(t, top.List{}, r, name)
		}

		s.asked = nil
		require.False(t, s.quit, name)
	}

	s.send(top.AlertsPart{Part: &alertv1.WatchAlertsResponse{Reset_: true}})
	s.press("a")
	require.Empty(t, s.asked)
	require.Contains(t, s.line(-2), "no alert is chosen")
}

func TestDecisionKeepsItsAlert(t *testing.T) {
	t.Parallel()

	s := begun(t, 80, 24)
	s.press("r")
	s.send(became(after(func(a *alertv1.Alert) { a.State = alertv1.State_STATE_RESOLVED })))
	s.press("y")
	require.Equal(t, top.Decide{Action: top.Resolve, AlertID: "a2", Revision: 3}, s.take(),
		"the list has moved under the question, which is still about the same alert")
}

func TestTwoPeopleAtOnce(t *testing.T) {
	t.Parallel()

	maya, bob := begun(t, 80, 24), begun(t, 80, 24)
	maya.press("a")
	bob.press("a")

	first, second := maya.take().(top.Decide), bob.take().(top.Decide)
	require.Equal(t, first, second, "both have seen the same revision")

	taken := acknowledged("maya")
	bob.send(top.Decided{Request: second, Err: errors.New("the alert is acknowledged already, by maya (ALERT_ALREADY_ACKNOWLEDGED)")})
	maya.send(top.Decided{Request: first, Alert: taken})

	require.Contains(t, maya.line(-2), "by maya")
	require.Contains(t, bob.line(-2), "acknowledge: the alert is acknowledged already, by maya (ALERT_ALREADY_ACKNOWLE")
	require.Contains(t, bob.chosen(), "firing", "the feed has not told yet")

	maya.send(became(taken))
	bob.send(became(taken))
	require.Contains(t, maya.chosen(), "ack")
	require.Contains(t, bob.chosen(), "ack")

	bob.press("r", "y")
	require.Equal(t, uint32(4), bob.take().(top.Decide).Revision, "the next decision is about what is seen now")
	bob.send(top.Decided{
		Request: top.Decide{Action: top.Resolve},
		Err:     errors.New("the alert is not of revision 4 any more: by maya it is commented, revision 5 (ALERT_CHANGED)"),
	})
	require.Contains(t, bob.line(-2), "resolve: the alert is not of revision 4 any more: by maya")
	bob.press("esc")
	require.Empty(t, bob.line(-2))
}
