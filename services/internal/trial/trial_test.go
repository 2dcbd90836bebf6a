package trial_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/trial"
)

// nervous rules fire and end often.
const nervous = `kind: rules
rules:
  - {name: any, summary: it is there, severity: info, when: "age_days >= 0"}
  - {name: low, summary: it is low, severity: critical, when: "score < 50", resolve: "score > 55", for: 1h, escalate_after: 2h}
  - {name: fell, summary: it fell, severity: warning, when: "score_change_1d < 0", inhibited_by: [low], sources: [usage]}
  - {name: moved, summary: it moved, severity: info, when: "measure_changes.active_users < 0.0"}
  - {name: late, summary: late, severity: warning, when: "renewal_days < 90", keep_firing_for: 3d}
  - {name: quiet, summary: no source, severity: critical, on: source, when: silent}
`

func parse(t require.TestingT, doc string) *rule.Set {
	set, err := rule.Parse([]byte(doc))
	require.NoError(t, err)
	return set
}

// world is the fold of a partition as scoring does it, with everything in memory.
type world struct {
	t         *rapid.T
	partition *fold.Partition
	accounts  map[string]*health.Account
	values    map[string][]byte
}

func newWorld(t *rapid.T, rules *rule.Set) *world {
	p, err := fold.NewPartition(fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse, Rules: rules}, store.Head{})
	require.NoError(t, err)
	return &world{t: t, partition: p, accounts: map[string]*health.Account{}, values: map[string][]byte{}}
}

func (w *world) Get(id string) *health.Account    { return w.accounts[id] }
func (w *world) Put(id string, a *health.Account) { w.accounts[id] = a }

func (w *world) fold(m *fold.Message) {
	require.NoError(w.t, w.partition.Begin(m))
	for next := w.partition.Apply(m, 0, w); next < len(m.Records); {
		w.settle()
		next = w.partition.Apply(m, next, w)
	}
	if rapid.Bool().Draw(w.t, "settle") {
		w.settle()
		w.flush()
	}
}

func (w *world) settle() {
	for w.partition.Sweeping() {
		chunk, err := fold.DecodeChunk(w.values[store.AccountsKey(w.partition.SweepChunk())])
		require.NoError(w.t, err)
		w.partition.Sweep(w.partition.SweepNext(chunk, 2), w)
	}
	for w.partition.Waking() {
		w.partition.Wake(w.partition.WakeNext(2), w)
	}
}

func (w *world) flush() {
	c, _ := w.partition.Flush()
	for _, e := range c.Put {
		w.values[e.Key] = slices.Clone(e.Value)
	}
	for _, e := range c.Append {
		w.values[e.Key] = append(w.values[e.Key], e.Value...)
	}
	for _, k := range c.Delete {
		delete(w.values, k)
	}
}

// told is what the outbox holds about a workspace, by account.
func (w *world) told(workspace string) map[string][]string {
	w.settle()
	w.flush()
	told := map[string][]string{}
	for _, key := range w.partition.Outbox() {
		var entry logv1.AlertRecords
		require.NoError(w.t, proto.Unmarshal(w.values[key], &entry))
		for _, r := range entry.GetRecords() {
			if r.GetWorkspace() == workspace {
				note(told, r.GetTransition())
			}
		}
	}
	return told
}

func note(told map[string][]string, t *alertv1.Transition) {
	about := t.GetAlert().GetAccountId() + "/" + t.GetAlert().GetSource()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(t)
	if err != nil {
		panic(err)
	}
	told[about] = append(told[about], string(b))
}

// tried is what a trial says, by account.
func tried(t *rapid.T, o trial.Options, messages []oracle.Message) map[string][]string {
	p, err := trial.New(o)
	require.NoError(t, err)
	return goOn(t, p, messages, 0)
}

// goOn is what a trial says of the messages from one on.
func goOn(t *rapid.T, p *trial.Partition, messages []oracle.Message, from int) map[string][]string {
	told := map[string][]string{}
	for i, m := range messages[from:] {
		some, err := p.Fold(message(from+i, m))
		require.NoError(t, err)
		for _, one := range some {
			note(told, one)
		}
	}
	return told
}

func message(i int, m oracle.Message) *fold.Message {
	return &fold.Message{Sequence: uint64(i + 1), Time: m.Time, Records: m.Records}
}

// withSources adds that sources fall silent and come back.
func withSources(t *rapid.T, messages []oracle.Message) []oracle.Message {
	silent := false
	for i := range messages {
		if rapid.IntRange(0, 5).Draw(t, fmt.Sprintf("source after %d", i)) > 0 {
			continue
		}
		silent = !silent
		messages[i].Records = append(slices.Clone(messages[i].Records), &logv1.Record{
			Workspace: workspaces(messages)[0], Payload: &logv1.Record_SetSource{SetSource: &logv1.SetSource{
				Source: "usage", Silent: silent, LastEventMicros: messages[i].Time - 1,
			}},
		})
	}
	return messages
}

func workspaces(messages []oracle.Message) []string {
	var all []string
	for _, m := range messages {
		for _, r := range m.Records {
			if r.GetWorkspace() != "" && !slices.Contains(all, r.GetWorkspace()) {
				all = append(all, r.GetWorkspace())
			}
		}
	}
	return append(all, "nobody's")
}

func generate(t *rapid.T) []oracle.Message {
	return withSources(t, oracle.GenLog(t, oracle.GenOptions{
		Messages: 14, Days: 40, Documents: [][]byte{scorecard.ShippedDocument()}, Commands: true,
	}))
}

func TestATrialSaysWhatTheFoldDecided(t *testing.T) {
	t.Parallel()
	transitions := 0
	rapid.Check(t, func(t *rapid.T) {
		messages := generate(t)
		rules := parse(t, rapid.SampledFrom([]string{nervous, string(rule.ShippedDocument())}).Draw(t, "rules"))
		w := newWorld(t, rules)
		for i, m := range messages {
			w.fold(message(i, m))
		}
		for _, workspace := range workspaces(messages) {
			want := w.told(workspace)
			require.Equal(t, want, tried(t, trial.Options{Workspace: workspace, Rules: rules, Scorecards: scorecard.Shipped()}, messages))
			for _, some := range want {
				transitions += len(some)
			}
		}
	})
	require.Greater(t, transitions, 100, "the logs decide nothing")
}

func TestRulesInTheLogArePassedOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		messages := generate(t)
		workspace := workspaces(messages)[0]
		o := trial.Options{Workspace: workspace, Rules: parse(t, nervous), Scorecards: scorecard.Shipped()}
		want := tried(t, o, messages)
		at := rapid.IntRange(0, len(messages)-1).Draw(t, "at")
		messages[at].Records = append(slices.Clone(messages[at].Records), &logv1.Record{
			Workspace: workspace, Payload: &logv1.Record_SetRules{SetRules: &logv1.SetRules{
				Version: 1, Document: []byte("kind: rules\nrules: []\n"),
			}},
		})
		require.Equal(t, want, tried(t, o, messages))
	})
}

func TestTooManyIDsAreSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		messages := generate(t)
		p, err := trial.New(trial.Options{Workspace: workspaces(messages)[0], Rules: rule.Shipped(), MaxIDs: 1})
		require.NoError(t, err)
		for i, m := range messages {
			_, err := p.Fold(message(i, m))
			if err != nil {
				require.ErrorIs(t, err, fold.ErrDedupeFull)
				return
			}
			require.LessOrEqual(t, p.Accounts(), 1)
		}
	})
}
