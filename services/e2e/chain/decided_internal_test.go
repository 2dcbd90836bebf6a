package chain

import (
	"testing"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/oracle"
)

const (
	fired        = alertv1.Transition_KIND_FIRED
	acknowledged = alertv1.Transition_KIND_ACKNOWLEDGED
	held         = alertv1.Transition_KIND_HELD
	woke         = alertv1.Transition_KIND_WOKE
	released     = alertv1.Transition_KIND_RELEASED
	resolved     = alertv1.Transition_KIND_RESOLVED
)

// lived is an alert a that went through kinds of transitions; from held to released, something holds it.
func lived(kinds ...alertv1.Transition_Kind) *decided {
	d := &decided{transitions: map[string]*alertv1.Transition{}, refused: map[string][]string{}}
	var by []string
	for i, kind := range kinds {
		switch kind { //nolint:exhaustive // the others leave it as it is
		case held:
			by = []string{"large"}
		case released:
			by = nil
		}
		t := transition("a", uint32(i+1))
		t.Kind, t.Alert.HeldBy = kind, by
		d.transitions[t.GetTransitionId()] = t
	}
	return d
}

// journaled is what notify says of left out transitions: some without a notice, and some in the notice n.
func journaled(skipped, inNotice map[string]string) *journal {
	j := &journal{
		deliveries: map[string]*delivery.Delivery{},
		notices:    map[string]*delivery.Notice{"n": {Status: delivery.StatusDelivered, Skipped: inNotice}},
	}
	for id, reason := range skipped {
		j.deliveries[id] = &delivery.Delivery{Skipped: reason}
	}
	for id := range inNotice {
		j.deliveries[id] = &delivery.Delivery{Notice: "n"}
	}
	return j
}

func TestJournal(t *testing.T) {
	t.Parallel()
	j := journaled(map[string]string{"a-1": delivery.ReasonHeld}, map[string]string{"a-2": delivery.ReasonOvertaken})
	require.Zero(t, j.waiting())
	require.Equal(t, delivery.ReasonHeld, j.reason("a-1"))
	require.Equal(t, delivery.ReasonOvertaken, j.reason("a-2"))
	require.Empty(t, j.reason("a-3"))
	j.notices["m"] = &delivery.Notice{Status: delivery.StatusPending}
	j.deliveries["a-3"] = &delivery.Delivery{Notice: "m"}
	require.Equal(t, 1, j.waiting())
}

func TestTold(t *testing.T) {
	t.Parallel()
	type reasons = map[string]string
	for _, c := range []struct {
		name           string
		kinds          []alertv1.Transition_Kind
		heard          []string
		skipped        reasons
		inNotice       reasons
		untold, leaked int
	}{
		{name: "what is told is told", kinds: []alertv1.Transition_Kind{fired, acknowledged, resolved}, heard: []string{"a-1", "a-3"}},
		{name: "what is not told has a reason", kinds: []alertv1.Transition_Kind{fired}, untold: 1},
		{
			name: "a later one takes the place of one", kinds: []alertv1.Transition_Kind{fired, resolved}, heard: []string{"a-2"},
			inNotice: reasons{"a-1": delivery.ReasonOvertaken},
		},
		{name: "the last one is overtaken by none", kinds: []alertv1.Transition_Kind{fired}, inNotice: reasons{"a-1": delivery.ReasonOvertaken}, untold: 1},
		{
			name: "none is overtaken by what nobody hears of", kinds: []alertv1.Transition_Kind{fired, acknowledged},
			inNotice: reasons{"a-1": delivery.ReasonOvertaken}, untold: 1,
		},
		{
			name: "what is held is not told", kinds: []alertv1.Transition_Kind{fired, held, woke, released}, heard: []string{"a-1", "a-4"},
			skipped: reasons{"a-3": delivery.ReasonHeld},
		},
		{name: "what is held and told has leaked", kinds: []alertv1.Transition_Kind{fired, held, woke}, heard: []string{"a-1", "a-3"}, leaked: 1},
		{name: "what nobody asked for has leaked", kinds: []alertv1.Transition_Kind{fired, acknowledged}, heard: []string{"a-1", "a-2"}, leaked: 1},
		{
			name: "one that comes to be held before it is sent is left out", kinds: []alertv1.Transition_Kind{fired, held},
			inNotice: reasons{"a-1": delivery.ReasonHeld},
		},
		{name: "nothing holds it", kinds: []alertv1.Transition_Kind{fired}, skipped: reasons{"a-1": delivery.ReasonHeld}, untold: 1},
		{name: "the end is told, held or not", kinds: []alertv1.Transition_Kind{fired, held, resolved}, heard: []string{"a-1", "a-3"}},
		{
			name: "the end of what was told is told", kinds: []alertv1.Transition_Kind{fired, resolved}, heard: []string{"a-1"},
			inNotice: reasons{"a-2": delivery.ReasonNotTold}, untold: 1,
		},
		{
			name: "the end of what was not told is not", kinds: []alertv1.Transition_Kind{fired, resolved},
			inNotice: reasons{"a-1": delivery.ReasonOvertaken, "a-2": delivery.ReasonNotTold},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			heard := &hooked{by: map[string]string{}}
			for _, id := range c.heard {
				heard.by[id] = "n"
			}
			left, untold, leaked := lived(c.kinds...).told(heard, journaled(c.skipped, c.inNotice))
			require.Equal(t, c.untold, untold)
			require.Equal(t, c.leaked, leaked)
			rightly := 0
			for _, n := range left {
				rightly += n
			}
			wrongly := 0
			if len(c.skipped)+len(c.inNotice) > 0 {
				wrongly = c.untold
			}
			require.Equal(t, len(c.skipped)+len(c.inNotice)-wrongly, rightly)
		})
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]int{"fired": 1, "held": 1, "resolved": 1}, lived(fired, held, resolved).kinds())
}

func TestRewritten(t *testing.T) {
	t.Parallel()
	command := func(id string) oracle.Message {
		return oracle.Message{Records: []*logv1.Record{
			{Payload: &logv1.Record_AlertCommand{AlertCommand: &logv1.AlertCommand{CommandId: id}}}, {},
		}}
	}
	d := &decided{messages: [][]oracle.Message{{command("a"), command("b")}, {command("c"), command("a"), command("a")}}}
	require.Equal(t, 1, d.rewritten())
}
