package chain

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/alert"
)

// refusing is an error as query answers it.
func refusing(t *testing.T, code codes.Code, reason string, metadata map[string]string) error {
	t.Helper()
	s, err := status.New(code, "no").WithDetails(&errdetails.ErrorInfo{Reason: reason, Metadata: metadata})
	require.NoError(t, err)
	return s.Err()
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		code  string
		final bool
	}{
		{nil, "", true},
		{status.Error(codes.Unavailable, "gone"), "", false},
		{status.Error(codes.DeadlineExceeded, "late"), "", false},
		{context.DeadlineExceeded, "rpc error: code = Unknown desc = context deadline exceeded", true},
		{refusing(t, codes.FailedPrecondition, "ALERT_NOT_OPEN", nil), alert.CodeNotOpen, true},
		{refusing(t, codes.Aborted, "ALERT_CHANGED", nil), alert.CodeChanged, true},
		{refusing(t, codes.FailedPrecondition, "ALERT_ALREADY_ACKNOWLEDGED", nil), alert.CodeAcknowledged, true},
		{refusing(t, codes.FailedPrecondition, "COMMAND_REFUSED", map[string]string{"code": alert.CodeSnooze}), alert.CodeSnooze, true},
		{refusing(t, codes.NotFound, "ALERT_NOT_FOUND", nil), "rpc error: code = NotFound desc = no", true},
	} {
		code, final := verdict(c.err)
		require.Equal(t, c.code, code)
		require.Equal(t, c.final, final)
	}
}

// office answers commands as it is told to.
type office struct {
	alertv1.AlertServiceClient

	// answers are given in order; then everything is done.
	answers []error
	took    []string
}

func (o *office) answer(id string) error {
	o.took = append(o.took, id)
	if len(o.answers) == 0 {
		return nil
	}
	err := o.answers[0]
	o.answers = o.answers[1:]
	return err
}

func (o *office) AcknowledgeAlert(
	_ context.Context, r *alertv1.AcknowledgeAlertRequest, _ ...grpc.CallOption,
) (*alertv1.AcknowledgeAlertResponse, error) {
	if err := o.answer(r.GetCommandId()); err != nil {
		return nil, err
	}
	return &alertv1.AcknowledgeAlertResponse{Alert: &alertv1.Alert{AlertId: r.GetAlertId(), Revision: 2}}, nil
}

func TestDeskInsists(t *testing.T) {
	t.Parallel()
	gone := status.Error(codes.Unavailable, "gone")
	one := deed{kind: acknowledged, alert: "a", id: "c", twice: true}
	t.Run("until there is an answer, and sends it again behind that", func(t *testing.T) {
		t.Parallel()
		o := &office{answers: []error{gone, gone}}
		d := &desk{client: o}
		d.carryOut(t.Context(), one)
		require.Equal(t, []string{"c", "c", "c", "c"}, o.took)
		require.Equal(t, 2, d.unknown)
		require.Len(t, d.outcomes, 2)
	})
	t.Run("and not against a refusal", func(t *testing.T) {
		t.Parallel()
		o := &office{answers: []error{refusing(t, codes.Aborted, "ALERT_CHANGED", nil)}}
		d := &desk{client: o}
		d.carryOut(t.Context(), one)
		require.Equal(t, []string{"c"}, o.took)
		require.Equal(t, alert.CodeChanged, d.outcomes[0].code)
	})
	t.Run("and not without end", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		d := &desk{client: &office{answers: []error{gone}}}
		d.carryOut(ctx, one)
		require.Equal(t, 1, d.begun)
		require.Empty(t, d.outcomes)
		d.wait(t.Context(), time.Minute)
	})
}

func TestDeskJudges(t *testing.T) {
	t.Parallel()
	one := deed{kind: acknowledged, alert: "a", id: "c", author: "maya"}
	did := func(d *decided, revision uint32, id string) {
		tr := transition("a", revision)
		tr.Kind, tr.CommandId, tr.Author = acknowledged, id, "maya"
		d.transitions[tr.GetTransitionId()] = tr
	}
	log := func(change func(*decided)) *decided {
		d := lived(fired)
		change(d)
		return d
	}
	applied := log(func(d *decided) { did(d, 2, "c") })
	refused := log(func(d *decided) { d.refused["c"] = []string{alert.CodeChanged, alert.CodeAcknowledged} })
	left := transition("a", 2).GetAlert()
	for _, c := range []struct {
		name     string
		log      *decided
		outcomes []outcome
		want     Report
	}{
		{"one that counts", applied, []outcome{{one, "", left}}, Report{Applied: 1}},
		{"one that counts once", applied, []outcome{{one, "", left}, {one, "", left}}, Report{Applied: 1, Again: 1}},
		{"one that counts twice", log(func(d *decided) { did(d, 2, "c"); did(d, 3, "c") }), []outcome{{one, "", left}}, Report{Applied: 1, Doubled: 1}},
		{"one without an answer", lived(fired), nil, Report{Unanswered: 1}},
		{"one without an answer that counts", applied, nil, Report{Unanswered: 1, Disagreed: 1}},
		{"one that is said to count", lived(fired), []outcome{{one, "", left}}, Report{Applied: 1, Disagreed: 1}},
		{"another alert than it left", applied, []outcome{{one, "", transition("a", 3).GetAlert()}}, Report{Applied: 1, Disagreed: 1}},
		{"one that is refused", refused, []outcome{{one, alert.CodeAcknowledged, nil}}, Report{Refused: map[string]int{alert.CodeAcknowledged: 1}}},
		{"one refused for another reason", refused, []outcome{{one, alert.CodeSnooze, nil}}, Report{Refused: map[string]int{alert.CodeSnooze: 1}, Disagreed: 1}},
		{"one that counts and is refused", applied, []outcome{{one, alert.CodeNotOpen, nil}}, Report{Refused: map[string]int{alert.CodeNotOpen: 1}, Disagreed: 1}},
		{"one that came too late for the log", lived(fired, resolved), []outcome{{one, alert.CodeNotOpen, nil}}, Report{Refused: map[string]int{alert.CodeNotOpen: 1}}},
		{"one that is refused while it is open", lived(fired), []outcome{{one, alert.CodeNotOpen, nil}}, Report{Refused: map[string]int{alert.CodeNotOpen: 1}, Disagreed: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var r Report
			(&desk{begun: 1, outcomes: c.outcomes}).judge(c.log, &r)
			c.want.Commands = 1
			if c.want.Refused == nil {
				c.want.Refused = map[string]int{}
			}
			require.Equal(t, c.want, r)
		})
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	kinds, codesOfIDs := map[alertv1.Transition_Kind]bool{}, map[string]bool{}
	for n := range 100 {
		a := &alertv1.Alert{AlertId: string(rune('a' + n)), AccountId: string(rune('a' + n)), Rule: "large"}
		deeds := script(1, a)
		require.Equal(t, deeds, script(1, a), "seed and alert decide")
		for _, d := range deeds {
			require.Equal(t, a.GetAlertId(), d.alert)
			require.False(t, codesOfIDs[d.id], "each has an id of its own")
			kinds[d.kind], codesOfIDs[d.id] = true, true
		}
	}
	require.Len(t, kinds, 5, "everything that people can do")
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	make20 := func(seed uint64) (all []change) {
		tr := newTrafficOf(nil, seed)
		for range 20 {
			all = append(all, tr.next()...)
		}
		return all
	}
	all := make20(3)
	require.Equal(t, all, make20(3), "the seed decides")
	require.NotEqual(t, all, make20(4))
	ids, rises, last := map[string]bool{}, map[string]int{}, map[string]float64{}
	for _, c := range all {
		require.False(t, ids[c.ID])
		ids[c.ID] = true
		value := map[string]float64{}
		switch {
		case c.ARR != nil:
			value["arr"] = *c.ARR
		case c.Seats != nil:
			value["seats"] = float64(*c.Seats)
		case c.Term != nil:
			value["term"] = float64(*c.Term)
		}
		for name, v := range value {
			name = c.Account + " " + name
			require.NotEqual(t, v, last[name], "%s is turned up and down", name)
			if last[name] = v; v == large {
				rises[name]++
			}
		}
	}
	for name, n := range rises {
		require.LessOrEqual(t, n, 2, "%s would be flapping", name)
	}
	require.True(t, slices.ContainsFunc(all, func(c change) bool { return c.Score != nil && *c.Score == bad }))
}
