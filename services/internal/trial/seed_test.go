package trial_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/trial"
)

// seed is what a snapshot of the world holds, for a workspace.
func (w *world) seed(workspace string) *trial.Seed {
	s := trial.NewSeed(workspace)
	s.Put(store.AccountKey(store.Account(workspace, "gone")), []byte("no account"))
	for key, value := range w.values {
		s.Put(key, value)
	}
	s.Remove(store.AccountKey(store.Account(workspace, "gone")))
	return s
}

// snapshot folds a log up to a message and returns what is stored then.
func snapshot(t *rapid.T, messages []oracle.Message, rules *rule.Set) (*world, int) {
	w := newWorld(t, rules)
	cut := rapid.IntRange(1, len(messages)).Draw(t, "cut")
	for i, m := range messages[:cut] {
		w.fold(message(i, m))
	}
	w.flush() // perhaps in the middle of a sweep
	return w, cut
}

func TestATrialGoesOnFromASnapshot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		messages, rules := generate(t), parse(t, nervous)
		w, cut := snapshot(t, messages, rules)
		for _, workspace := range workspaces(messages) {
			o := trial.Options{Workspace: workspace, Rules: rules}
			p, early, err := trial.Resume(o, w.seed(workspace), w.partition.Cursor(), w.partition.Encode())
			require.NoError(t, err)
			require.Empty(t, early)
			require.Equal(t, uint64(cut), p.Cursor())
			want := tried(t, o, messages)
			for about, some := range tried(t, o, messages[:cut]) {
				if want[about] = want[about][len(some):]; len(want[about]) == 0 {
					delete(want, about)
				}
			}
			mid := w.partition.Sweeping() || w.partition.Waking() // then some of it was not decided yet
			got := goOn(t, p, messages, cut)
			for about, some := range want {
				if mid {
					require.Subset(t, got[about], some)
					continue
				}
				require.Equal(t, some, got[about])
			}
		}
	})
}

func TestOtherRulesComeIntoForceAtTheSnapshot(t *testing.T) {
	t.Parallel()
	ended, fired := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		messages := generate(t)
		w, cut := snapshot(t, messages, parse(t, nervous))
		workspace := workspaces(messages)[0]
		rules := parse(t, "kind: rules\nrules:\n  - {name: new, summary: it is new, severity: info, when: \"age_days >= 0\"}\n")
		rules.Version = 7
		p, early, err := trial.Resume(trial.Options{Workspace: workspace, Rules: rules}, w.seed(workspace),
			w.partition.Cursor(), w.partition.Encode())
		require.NoError(t, err)
		for _, one := range early {
			if one.GetAlert().GetRule() == "new" {
				require.Equal(t, uint64(7), one.GetAlert().GetRulesVersion())
				fired++
			} else if one.GetKind() == alertv1.Transition_KIND_RESOLVED {
				ended++
			}
		}
		for i, m := range messages[cut:] {
			some, err := p.Fold(message(cut+i, m))
			require.NoError(t, err)
			for _, one := range some {
				require.Equal(t, "new", one.GetAlert().GetRule())
			}
		}
	})
	require.Positive(t, ended, "no alert was open at any snapshot")
	require.Positive(t, fired)
}

func TestABrokenSnapshotIsSaid(t *testing.T) {
	t.Parallel()
	o := trial.Options{Workspace: "w", Rules: rule.Shipped()}
	_, _, err := trial.Resume(o, trial.NewSeed("w"), 1, []byte("no state"))
	require.ErrorContains(t, err, "partition 0")

	rapid.Check(t, func(t *rapid.T) {
		messages := generate(t)
		w, _ := snapshot(t, messages, rule.Shipped())
		w.settle()
		w.flush()
		workspace := workspaces(messages)[0]
		s := w.seed(workspace)
		broken := store.Account(workspace, "broken")
		s.Put(store.AccountKey(broken), []byte("no account"))
		w.partition.Accounts++
		if w.partition.Accounts > 1 { // the chunk is there
			s.Put(store.AccountsKey(0), append(w.values[store.AccountsKey(0)], append([]byte{byte(len(broken))}, broken...)...))
			_, _, err := trial.Resume(trial.Options{Workspace: workspace, Rules: rule.Shipped()}, s, 1, w.partition.Encode())
			require.ErrorContains(t, err, "reading an account")
		}
		s.Put(store.AccountsKey(0), []byte{200})
		_, _, err := trial.Resume(trial.Options{Workspace: workspace, Rules: rule.Shipped()}, s, 1, w.partition.Encode())
		require.ErrorContains(t, err, "reading ids of accounts")
	})
}
