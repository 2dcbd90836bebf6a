package trial

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/fault"
)

func good() *Report {
	return &Report{
		Seeds: []uint64{1}, Seconds: 10, Acknowledged: 100, Again: 10, Duplicates: 12, Unknown: 3, Retries: 4, Compared: 20,
		WatchedChanges: 7, WatchedLost: 2, FailoverSeconds: []float64{2, 1, 3},
		Classes: map[fault.Class]ClassReport{fault.KillNATS: {Faults: 2, StallSeconds: 3, StallAllSeconds: 1, WholeSeconds: 2}},
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	t.Run("reports add up, also when they were written down and read again", func(t *testing.T) {
		t.Parallel()
		other := &Report{
			Seeds: []uint64{2}, Seconds: 5, Acknowledged: 50, Lost: 2, Twice: 1, LostInLog: 1, Rejected: 1, Different: 1, WatchedWrong: 1,
			Problems: []string{"late"}, Classes: map[fault.Class]ClassReport{
				fault.KillNATS: {Faults: 1, StallSeconds: 1, StallAllSeconds: 2, WholeSeconds: 1}, fault.ClockStep: {Faults: 4},
			},
		}
		var sum Report
		for _, r := range []*Report{good(), other} {
			line, err := json.Marshal(r)
			require.NoError(t, err)
			var read Report
			require.NoError(t, json.Unmarshal(line, &read))
			require.Equal(t, *r, read)
			sum.Add(&read)
		}
		require.Equal(t, Report{
			Seeds: []uint64{1, 2}, Seconds: 15, Acknowledged: 150, Lost: 2, Twice: 1, LostInLog: 1, Again: 10, Duplicates: 12, Unknown: 3,
			Retries: 4, Rejected: 1, Compared: 20, Different: 1, WatchedChanges: 7, WatchedLost: 2, WatchedWrong: 1,
			FailoverSeconds: []float64{2, 1, 3}, Problems: []string{"late"}, Classes: map[fault.Class]ClassReport{
				fault.KillNATS: {Faults: 3, StallSeconds: 3, StallAllSeconds: 2, WholeSeconds: 2}, fault.ClockStep: {Faults: 4},
			},
		}, sum)
		require.Equal(t, 7, sum.Faults())
	})
	t.Run("whatever is wrong fails it", func(t *testing.T) {
		t.Parallel()
		require.False(t, good().Failed())
		for name, spoil := range map[string]func(*Report){
			"lost": func(r *Report) { r.Lost++ }, "twice": func(r *Report) { r.Twice++ }, "different": func(r *Report) { r.Different++ },
			"lost in the log": func(r *Report) { r.LostInLog++ }, "watched wrong": func(r *Report) { r.WatchedWrong++ },
			"refused": func(r *Report) { r.Rejected++ }, "a problem": func(r *Report) { r.Problems = []string{"x"} },
			"nothing sent": func(r *Report) { r.Acknowledged = 0 },
		} {
			r := good()
			spoil(r)
			require.True(t, r.Failed(), name)
		}
	})
	t.Run("it says what the issue asks for", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		r := good()
		r.Problems = []string{"never whole"}
		require.NoError(t, r.Print(&b))
		require.Equal(t, `seeds 1: 2 faults in 10s
100 events acknowledged, 0 lost (0 of them not in the log), 0 counted twice
3 outcomes unknown to clients, 4 requests sent again, 10 events sent again on purpose
12 duplicates removed, 0 events refused
20 answers compared with the oracle, 0 differ
7 changes watched, 2 of them told as lost; 0 accounts watched differ from the store
3 partitions taken over after kills of scoring: median 2.0 s, p90 3.0 s, longest 3.0 s
class      faults  longest without progress: a partition  all    longest until whole
kill_nats  2       3.0 s                                  1.0 s  2.0 s
PROBLEM: never whole
`, b.String())
	})
}
