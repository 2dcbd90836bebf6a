package scoring

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// shrinkPatience is for how long a shorter history is looked for.
	shrinkPatience = 20 * time.Second
	// What CI runs.
	simSeeds, simSteps = 20, 2000
)

// TestSimulation runs worlds of several scoring processes, one step at a time, from seeds: what each step is, which
// process does it, what is lost, delayed or killed. The processes are real Services whose threads stand still at every
// call to the outside; log, store, rejects, clock and network are simulated. After each run all that is wrong ends, the
// world must catch up within 30 simulated seconds, and every stored byte must be what a plain fold of the log makes.
//
//	SIM_SEED=7       the first seed (0)
//	SIM_SEEDS=1000   how many; with SIM_SEED alone one, and its whole history is told
//	SIM_STEPS=2000   steps drawn for each, beside those of the healing
//
// A seed that fails prints the shortest history that was found to fail too. `make simulate` is for long runs.
func TestSimulation(t *testing.T) {
	t.Parallel()
	first, one := env("SIM_SEED", 0)
	seeds, many := env("SIM_SEEDS", simSeeds)
	steps, _ := env("SIM_STEPS", simSteps)
	if one && !many {
		seeds = 1
	}
	total, began, cpu := 0, time.Now(), cpuTime(t)
	counts := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		out := simulate(uint64(seed), steps, mutantNone)
		total += out.steps
		for kind, n := range out.counts {
			counts[kind] += n
		}
		if one && !many {
			t.Log("\n" + strings.Join(describe(out.history, mutantNone), "\n"))
		}
		if out.violation != nil {
			explain(t, seed, steps, out)
		}
	}
	spent := (cpuTime(t) - cpu).Seconds()
	t.Logf("simulated %d seeds, %d steps, %.0f steps/s (%.0f a second of CPU time)", seeds, total,
		float64(total)/time.Since(began).Seconds(), float64(total)/spent)
	var what []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		what = append(what, fmt.Sprintf("%s %d", kind, counts[kind]))
	}
	t.Log("what happened: " + strings.Join(what, ", "))
}

// explain fails the test with the shortest history found.
func explain(t *testing.T, seed, steps int, out simOutcome) {
	t.Helper()
	short := shrink(out.history, mutantNone, shrinkPatience)
	t.Fatalf("seed %d: %v\nshortest history found, %d of %d steps:\n%s\nagain: SIM_SEED=%d SIM_STEPS=%d go test -run TestSimulation",
		seed, out.violation, len(short), len(out.history), strings.Join(describe(short, mutantNone), "\n"), seed, steps)
}

// env reads a number from the environment.
func env(name string, otherwise int) (value int, given bool) {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise, false
	}
	return n, true
}

// cpuTime is what this process has used of all processors.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
