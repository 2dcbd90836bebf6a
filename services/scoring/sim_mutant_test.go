package scoring

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A simulation that never fails proves nothing: for every rule that the store, the log and the rejects are trusted with
// there is a mutant that breaks it, and the simulation must find each of them out. Two are left out: epoch and revision
// cover for each other so well that it takes hundreds of seeds, or more, until one of them is missed.
func TestSimulationFindsMutants(t *testing.T) {
	t.Parallel()
	const steps, most = 1500, 300
	for name, mutant := range map[string]simMutant{
		"a store that does not check where a commit goes on from": mutantNoFrom,
		"a store that writes half of a commit":                    mutantHalfCommit,
		"a store that writes the values of a fenced commit":       mutantFencedWrites,
		"a store that adds twice":                                 mutantAppendsTwice,
		"a store whose values fall back without the head":         mutantFallsBackApart,
		"a store whose leases never end":                          mutantLeaseForEver,
		"a log that passes over a message":                        mutantSkips,
		"a log that delivers a message twice":                     mutantDeliversTwice,
		"rejects that are said to be kept and are not":            mutantForgetsRejects,
	} {
		t.Run(name+" is found out", func(t *testing.T) {
			t.Parallel()
			total, broken := 0, 0
			for seed := range uint64(most) {
				out := simulate(seed, steps, mutant)
				total += out.steps
				broken += out.broken
				if out.violation != nil {
					t.Logf("found by seed %d, after %d steps: %.200v", seed, total, out.violation)
					return
				}
			}
			require.Failf(t, "not found", "%d seeds, %d steps, the rule was broken %d times", most, total, broken)
		})
	}
}

func TestSimulationShrinks(t *testing.T) {
	t.Parallel()
	var out simOutcome
	for seed := uint64(0); out.violation == nil && seed < 50; seed++ {
		out = simulate(seed, 1000, mutantSkips)
	}
	require.Error(t, out.violation)
	again := replay(out.history, mutantSkips, nil)
	require.Equal(t, out.violation.Error(), again.violation.Error(), "a history must do the same again")
	require.Equal(t, out.history, again.history)
	short := shrink(out.history, mutantSkips, shrinkPatience)
	require.Less(t, len(short), len(out.history))
	require.Error(t, replay(short, mutantSkips, nil).violation)
}
