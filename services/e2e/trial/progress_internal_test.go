package trial

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/fault"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	at := func(seconds int) time.Time { return begun.Add(time.Duration(seconds) * time.Second) }
	p := &progress{last: at(0)}
	p.moved(0, gap{at(0), at(2)}, false)
	p.moved(1, gap{at(0), at(3)}, false)
	p.moved(0, gap{at(2), at(9)}, true)
	p.moved(1, gap{at(9), at(9)}, false)
	require.Equal(t, []gap{{at(0), at(2)}, {at(0), at(3)}, {at(2), at(9)}}, p.gaps, "short ones are left out")
	require.Equal(t, []gap{{at(0), at(2)}, {at(2), at(3)}, {at(3), at(9)}}, p.all)

	d := fault.Done{Class: fault.KillScoring, Begun: at(4), Healed: at(5), Whole: at(10)}
	require.Equal(t, 7*time.Second, longest(p.gaps, &d))
	require.Equal(t, 6*time.Second, longest(p.all, &d))
	require.Zero(t, longest(p.gaps, &fault.Done{Begun: at(20), Whole: at(21)}), "it has no part in them")

	require.Equal(t, []time.Duration{5 * time.Second}, p.failovers([]fault.Done{d, {Class: fault.KillNATS, Begun: at(4), Whole: at(10)}}))
	d.Whole = at(8)
	require.Empty(t, p.failovers([]fault.Done{d}), "that came later")
}
