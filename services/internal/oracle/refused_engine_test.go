package oracle_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// without returns the log without the records that were refused in it.
func (e *engine) without(messages []oracle.Message) []oracle.Message {
	var kept []oracle.Message
	for i, m := range messages {
		var records []*logv1.Record
		for n, r := range m.Records {
			if !slices.Contains(e.refused, refusedKey{uint64(i + 1), n}) {
				records = append(records, r)
			}
		}
		kept = append(kept, oracle.Message{Time: m.Time, Records: records})
	}
	return kept
}

// requireNoEffect folds a log with and without its refused records; what is stored must be equal.
func requireNoEffect(t *rapid.T, messages []oracle.Message) {
	with, without := newEngine(t, scorecard.Shipped()), newEngine(t, scorecard.Shipped())
	with.run(messages, anything())
	without.run(with.without(messages), anything())
	require.Empty(t, without.rejects)
	require.Len(t, with.rejects, int(with.partition.Rejected))
	with.partition.Rejected = 0
	require.Equal(t, without.stored(), with.stored())
}

func TestRefusedEventsHaveNoEffect(t *testing.T) {
	t.Parallel()
	some(t, 30, func(t *rapid.T) {
		requireNoEffect(t, oracle.GenLog(t, oracle.GenOptions{Messages: 24, Documents: texts()}))
	})
}

// What is wrong with an event must show before the account is rolled, taken out of its load or held in it.
func TestARefusedEventDoesNotRollItsAccountNorHoldItsLoadOpen(t *testing.T) {
	t.Parallel()
	noDate := func() *eventv1.Event { return profile(&eventv1.Account{RenewalDate: new("2024-02-30")}) }
	messages := []oracle.Message{
		message(noon, history("l", "a", noon-9*day, usage("f"))),
		message(noon+1, history("l", "b", noon-5*day, noDate())),
		message(noon+2, history("l", "c", noon-4*day, usage("f"))),
		message(noon+3, history("m", "d", noon-day, usage("f"))),
		message(noon+4, history("l", "e", noon, usage("f"))),
		message(noon+5, event("f", noon, noDate())),
		message(noon+6, history("l", "g", noon, usage("f"))),
		message(noon+hour/2, history("l", "h", noon, noDate())),
		message(noon+hour+6, history("l", "i", noon, usage("f"))),
		message(noon+2*day, event("j", noon, noDate())),
	}
	some(t, 20, func(t *rapid.T) {
		e := newEngine(t, scorecard.Shipped())
		e.run(messages, anything())
		e.requireWorld(oracle.Replay(messages, realOptions()))
		require.Contains(t, e.rejects, oracle.Rejected{Workspace: "w", Account: "acme", MessageID: "i", Code: "load_closed"})
		requireNoEffect(t, messages)
	})
}
