package oracle_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// tally counts what generated logs led to.
type tally map[string]int

func (n tally) world(w *oracle.World) {
	n["duplicate"] += w.Duplicates()
	n["counted"] += w.Counted()
	for _, r := range w.Rejects() {
		n[r.Code]++
	}
	for _, key := range w.Accounts() {
		a := w.Account(key.Workspace, key.Account)
		n["account"]++
		n["now "+a.Stage]++
		n["month"] += len(a.Months)
		if a.Override() != nil {
			n["override"]++
		}
		for _, g := range a.Goals() {
			n["goal "+g.State]++
		}
		for i, r := range a.Rows {
			n["row"]++
			n["band "+r.Band]++
			n["stage "+r.Evaluation.Stage]++
			n["card "+r.Evaluation.Card]++
			if i > 0 && a.Rows[i-1].Day+1 < r.Day {
				n["came back"]++
			}
			for m, v := range r.Evaluation.Measures {
				if v.Known {
					n["measure "+scorecard.Measure(m).Name()]++
				}
			}
		}
	}
}

func TestGeneratedLogsReachEveryCorner(t *testing.T) {
	t.Parallel()
	n := tally{}
	logs := rapid.Custom(func(t *rapid.T) []oracle.Message {
		return oracle.GenLog(t, oracle.GenOptions{Documents: texts(), Commands: true})
	})
	wanted := []string{
		"duplicate", "too_old", "in_future", "load_closed", "account_live", "missing_body", "missing_user",
		"invalid_date", "invalid_value", "unknown_field", "came back", "now churned",
		"unknown_account", "unknown_goal", "month", "override", "goal open", "goal achieved", "goal missed",
		"band unknown", "band critical", "band at_risk", "band steady", "band healthy",
		"stage onboarding", "stage adopting", "stage renewal", "stage steady", "card mood", "card gold", "card pro", "card rest",
		"card unhappy", "card standard", "card onboarding", "card seen", "card others",
	}
	for m := range scorecard.MeasureCount {
		wanted = append(wanted, "measure "+m.Name())
	}
	options := realOptions()
	for seed := 0; len(wanted) > 0; seed++ {
		require.Less(t, seed, 80, "never reached: %v", wanted)
		n.world(oracle.Replay(logs.Example(seed), options))
		wanted = slices.DeleteFunc(wanted, func(what string) bool { return n[what] > 0 })
	}
	t.Log(n)
}

func TestReplayFinalEndsLikeReplayOnAnyLog(t *testing.T) {
	t.Parallel()
	options := realOptions()
	some(t, 25, func(t *rapid.T) {
		messages := oracle.GenLog(t, oracle.GenOptions{Messages: 8, Days: 60, Documents: texts()})
		path, final := oracle.Replay(messages, options), oracle.ReplayFinal(messages, options)
		require.Equal(t, path.Rejects(), final.Rejects())
		require.Equal(t, path.Duplicates(), final.Duplicates())
		require.Equal(t, path.Accounts(), final.Accounts())
		for _, key := range path.Accounts() {
			a, b := path.Account(key.Workspace, key.Account), final.Account(key.Workspace, key.Account)
			require.Equal(t, a.Events, b.Events)
			require.Equal(t, a.Stage, b.Stage)
			if a.Stage != "churned" {
				require.Equal(t, a.Last, b.Last)
			}
		}
	})
}
