package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"pgregory.net/rapid"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// What the content of an event forbids (here: a date that is none) is found after the account was brought
// to its day. Whatever that changed must be stored, or a restart would make it a second time.
func TestARefusedEventLeavesTheSameStateWithAndWithoutRestarts(t *testing.T) {
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
		message(noon+7, closeLoad("l")),
	}
	shipped := scorecard.Shipped()
	rapid.Check(t, func(t *rapid.T) {
		calm, wild := newEngine(t, shipped), newEngine(t, shipped)
		calm.run(messages, rapid.Just(0))
		wild.run(messages, rapid.IntRange(0, 15))
		require.Equal(t, calm.rejects, wild.rejects)
		require.Equal(t, calm.ids(), wild.ids())
		for _, id := range calm.ids() {
			require.Equal(t, calm.rows(id), wild.rows(id))
			require.Equal(t, calm.Get(id).Result(), wild.Get(id).Result())
		}
	})
}
