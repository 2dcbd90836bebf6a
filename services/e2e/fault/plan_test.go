package fault_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/rig"
)

// layout is a fleet of usual size of which nothing runs.
func layout(t *testing.T) *rig.Fleet {
	t.Helper()
	f, err := rig.NewFleet(t.TempDir(), rig.FleetOptions{})
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	return f
}

// describe writes a plan down.
func describe(steps []fault.Step) []string {
	var all []string
	for _, s := range steps {
		text := s.Rest.String()
		for _, p := range s.Faults {
			text += fmt.Sprintf(" | %s %s after %s for %s", p.Fault.Class(), p.Fault, p.After, p.Hold)
		}
		all = append(all, text)
	}
	return all
}

func plan(t *testing.T, f *rig.Fleet, o fault.Options) []fault.Step {
	t.Helper()
	steps, err := fault.Plan(o, f)
	require.NoError(t, err)
	return steps
}

func count(steps []fault.Step) map[fault.Class]int {
	n := map[fault.Class]int{}
	for _, s := range steps {
		for _, p := range s.Faults {
			n[p.Fault.Class()]++
		}
	}
	return n
}

func TestPlan(t *testing.T) {
	t.Parallel()
	one, other := layout(t), layout(t)
	t.Run("a seed repeats the plan, another makes another", func(t *testing.T) {
		t.Parallel()
		first := describe(plan(t, one, fault.Options{Seed: 1, Faults: 200}))
		require.Equal(t, first, describe(plan(t, other, fault.Options{Seed: 1, Faults: 200})))
		require.NotEqual(t, first, describe(plan(t, one, fault.Options{Seed: 2, Faults: 200})))
	})
	t.Run("every class comes up in a long plan, the rolling restart once", func(t *testing.T) {
		t.Parallel()
		steps := plan(t, one, fault.Options{Seed: 1, Faults: 120})
		n := count(steps)
		for _, c := range fault.Classes() {
			require.Positive(t, n[c], c)
		}
		require.Equal(t, 1, n[fault.RollingRestart])
		pairs := 0
		for _, s := range steps {
			require.LessOrEqual(t, len(s.Faults), 2)
			pairs += len(s.Faults) - 1
		}
		require.Positive(t, pairs)
		require.Less(t, pairs, len(steps)/2, "most are alone")
	})
	t.Run("there are as many faults as asked for, of the classes asked for", func(t *testing.T) {
		t.Parallel()
		wanted := []fault.Class{fault.KillNATS, fault.RedisWiped}
		n := count(plan(t, one, fault.Options{Seed: 1, Faults: 21, Classes: wanted}))
		require.Len(t, n, 2)
		require.Equal(t, 21, n[fault.KillNATS]+n[fault.RedisWiped])
		n = count(plan(t, one, fault.Options{Seed: 1, Faults: 2, Classes: []fault.Class{fault.RollingRestart}}))
		require.Equal(t, map[fault.Class]int{fault.RollingRestart: 2}, n)
	})
	t.Run("one part of the fleet is never hit twice at a time", func(t *testing.T) {
		t.Parallel()
		nats := []fault.Class{fault.KillNATS, fault.PauseNATS, fault.NATSWiped, fault.CutNATSNATS}
		for _, s := range plan(t, one, fault.Options{Seed: 1, Faults: 50, Classes: nats}) {
			require.Len(t, s.Faults, 1)
		}
	})
	t.Run("pauses last five seconds and more, and not too long", func(t *testing.T) {
		t.Parallel()
		o := fault.Options{Seed: 1, Faults: 100, Classes: []fault.Class{fault.PauseScoring}, Longest: 20 * time.Second}
		long := 0
		for _, s := range plan(t, one, o) {
			hold := s.Faults[0].Hold
			require.GreaterOrEqual(t, hold, 5*time.Second)
			require.Less(t, hold, o.Longest)
			if hold > 8*time.Second {
				long++
			}
		}
		require.Positive(t, long)
	})
	t.Run("without disks nothing fills them", func(t *testing.T) {
		t.Parallel()
		n := count(plan(t, one, fault.Options{Seed: 1, Faults: 100, NoDisks: true}))
		require.Zero(t, n[fault.FullNATS]+n[fault.FullRedis])
	})
	t.Run("an unknown class is refused", func(t *testing.T) {
		t.Parallel()
		_, err := fault.Plan(fault.Options{Classes: []fault.Class{"earthquake"}}, one)
		require.ErrorContains(t, err, "earthquake")
	})
}
