package chain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/e2e/rig"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	const victims = 5
	all := plan(7, 45, victims)
	require.Len(t, all, 45)
	require.Equal(t, all, plan(7, 45, victims), "the seed decides")
	require.NotEqual(t, all, plan(8, 45, victims))
	type met struct {
		victim int
		moment moment
	}
	for _, turn := range [][]blow{all[:20], all[20:40]} {
		seen := map[met]bool{}
		for _, b := range turn {
			seen[met{b.victim, b.moment}] = true
		}
		require.Len(t, seen, victims*len(moments()), "everybody at every moment")
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	s := newSignals()
	s.tell(taken)
	s.tell(taken)
	require.True(t, s.await(t.Context(), taken, time.Minute))
	s.tell(taken)
	s.clear()
	require.False(t, s.await(t.Context(), taken, time.Millisecond), "what came before does not count")
}

func transition(alert string, revision uint32) *alertv1.Transition {
	return &alertv1.Transition{
		TransitionId: fmt.Sprintf("%s-%d", alert, revision), Kind: alertv1.Transition_KIND_FIRED, Alert: &alertv1.Alert{AlertId: alert, Revision: revision},
	}
}

func TestTranscript(t *testing.T) {
	t.Parallel()
	found := &told{byID: map[string]*alertv1.Transition{}}
	for _, one := range []*alertv1.Transition{
		transition("a", 1), transition("b", 1), transition("a", 2), transition("a", 2), transition("c", 1), transition("c", 3),
	} {
		found.add(one)
	}
	found.count()
	require.Equal(t, 1, found.duplicated)
	require.Equal(t, 2, found.gaps, "the second a-2, and c-3")
	other := transition("b", 1)
	other.Note = "another"
	missed, invented, differ := found.compare(map[string]*alertv1.Transition{
		"a-1": transition("a", 1), "a-2": transition("a", 2), "b-1": other, "c-1": transition("c", 1), "c-2": transition("c", 2),
	})
	require.Equal(t, 1, missed)
	require.Equal(t, 1, invented)
	require.Equal(t, 1, differ)
}

func TestHooked(t *testing.T) {
	t.Parallel()
	body := func(ids ...string) []byte {
		type tr struct {
			ID string `json:"transition_id"`
		}
		var b struct {
			Transitions []tr `json:"transitions"`
		}
		for _, id := range ids {
			b.Transitions = append(b.Transitions, tr{id})
		}
		text, err := json.Marshal(b)
		require.NoError(t, err)
		return text
	}
	h, err := readHook([]rig.Received{
		{ID: "1", Body: body("a-1")},
		{ID: "1", Body: body("a-1")},
		{ID: "2", Body: body("a-2", "b-1")},
		{ID: "2", Body: body("a-2")},
		{ID: "3", Body: body("a-1")},
	})
	require.NoError(t, err)
	require.Equal(t, 3, h.notifications)
	require.Equal(t, 2, h.repeated)
	require.Equal(t, 1, h.changed, "the second 2")
	require.Equal(t, 1, h.retold, "a-1 by 1 and 3")
	_, err = readHook([]rig.Received{{ID: "1", Body: []byte("{")}})
	require.Error(t, err)
}

func TestWatcher(t *testing.T) {
	t.Parallel()
	w := newWatcher(nil, nil)
	require.False(t, w.begun())
	w.take(&alertv1.WatchAlertsResponse{ResumeToken: "1", Transitions: []*alertv1.Transition{transition("a", 1)}}, true)
	w.take(&alertv1.WatchAlertsResponse{Reset_: true, Transitions: []*alertv1.Transition{transition("a", 1)}}, true)
	require.True(t, w.begun())
	connections, resets := w.connected()
	require.Equal(t, 2, connections)
	require.Equal(t, 1, resets)
	missed, repeated := w.compare(map[string]*alertv1.Transition{"a-1": {}, "b-1": {}})
	require.Equal(t, 1, missed)
	require.Equal(t, 1, repeated)
	require.Len(t, w.taken(), 2)
	require.Empty(t, w.taken(), "each is given once")
}

func TestReport(t *testing.T) {
	t.Parallel()
	require.True(t, (&Report{}).Failed(), "nothing was shown")
	require.False(t, (&Report{Transitions: 1, Repeated: 5, Late: 1}).Failed(), "at least once is what is promised")
	for _, wrong := range []*Report{
		{Missed: 1},
		{Invented: 1},
		{Different: 1},
		{Duplicated: 1},
		{Gaps: 1},
		{WatchMissed: 1},
		{WatchRepeated: 1},
		{WatchResets: 1},
		{Changed: 1},
		{Retold: 1},
		{Forged: 1},
		{Untold: 1},
		{Leaked: 1},
		{Oracle: 1},
		{Unanswered: 1},
		{Disagreed: 1},
		{Doubled: 1},
	} {
		wrong.Transitions = 1
		require.True(t, wrong.Failed(), "%+v", wrong)
	}
	var out bytes.Buffer
	require.NoError(t, (&Report{Transitions: 3, Repeated: 2}).Print(&out))
	require.Contains(t, out.String(), "missed 0")
}
