package trial

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"hale.dev/services/e2e/fault"
)

// Report is the outcome of a trial, or the sum of several.
type Report struct {
	Seeds   []uint64 `json:"seeds"`
	Seconds float64  `json:"seconds"`

	// Acknowledged events; Lost of them are not counted, Twice is how many were counted too often.
	Acknowledged int `json:"acknowledged"`
	Lost         int `json:"lost"`
	Twice        int `json:"twice"`
	// LostInLog are those lost that the log does not even hold.
	LostInLog int `json:"lost_in_log"`
	// Unknown is how often no answer came to a request, Retries how often one was sent again, Again how many events
	// were sent again on purpose, Duplicates how many the fold found, Rejected how many it refused.
	Unknown    int64  `json:"unknown"`
	Retries    int64  `json:"retries"`
	Again      int64  `json:"again"`
	Duplicates uint64 `json:"duplicates"`
	Rejected   uint64 `json:"rejected"`
	// Compared is how many answers were held against the oracle, Different how many differ.
	Compared  int `json:"compared"`
	Different int `json:"different"`
	// WatchedChanges were told to the watcher, WatchedLost of them as lost; WatchedWrong is what it has wrong.
	WatchedChanges int `json:"watched_changes"`
	WatchedLost    int `json:"watched_lost"`
	WatchedWrong   int `json:"watched_wrong"`

	Classes map[fault.Class]ClassReport `json:"classes"`
	// FailoverSeconds are from kills of scoring processes to the first commit in their stead, of each partition.
	FailoverSeconds []float64 `json:"failover_seconds"`
	// Problems are what kept a fault from happening or the fleet from being whole.
	Problems []string `json:"problems,omitempty"`
}

// ClassReport is what became of a class of faults.
type ClassReport struct {
	Faults int `json:"faults"`
	// StallSeconds is the longest time in which nothing new of some partition was counted, StallAllSeconds the longest
	// in which nothing new was counted at all.
	StallSeconds    float64 `json:"stall_seconds"`
	StallAllSeconds float64 `json:"stall_all_seconds"`
	// WholeSeconds is the longest time from mending a fault until the fleet was whole.
	WholeSeconds float64 `json:"whole_seconds"`
}

// Faults is how many there were.
func (r *Report) Faults() int {
	n := 0
	for _, c := range r.Classes {
		n += c.Faults
	}
	return n
}

// Failed tells whether anything is wrong.
func (r *Report) Failed() bool {
	return r.Lost+r.Twice+r.LostInLog+r.Different+r.WatchedWrong+len(r.Problems) > 0 || r.Rejected > 0 || r.Acknowledged == 0
}

// Add adds another trial's outcome.
func (r *Report) Add(o *Report) {
	r.Seeds = append(r.Seeds, o.Seeds...)
	r.Seconds += o.Seconds
	r.Acknowledged += o.Acknowledged
	r.Lost, r.Twice, r.LostInLog = r.Lost+o.Lost, r.Twice+o.Twice, r.LostInLog+o.LostInLog
	r.Unknown, r.Retries, r.Again = r.Unknown+o.Unknown, r.Retries+o.Retries, r.Again+o.Again
	r.Duplicates, r.Rejected = r.Duplicates+o.Duplicates, r.Rejected+o.Rejected
	r.Compared, r.Different = r.Compared+o.Compared, r.Different+o.Different
	r.WatchedChanges, r.WatchedLost = r.WatchedChanges+o.WatchedChanges, r.WatchedLost+o.WatchedLost
	r.WatchedWrong += o.WatchedWrong
	if r.Classes == nil {
		r.Classes = map[fault.Class]ClassReport{}
	}
	for class, c := range o.Classes {
		r.Classes[class] = r.Classes[class].join(c)
	}
	r.FailoverSeconds = append(r.FailoverSeconds, o.FailoverSeconds...)
	r.Problems = append(r.Problems, o.Problems...)
}

func (c ClassReport) join(o ClassReport) ClassReport {
	return ClassReport{
		Faults: c.Faults + o.Faults, StallSeconds: max(c.StallSeconds, o.StallSeconds),
		StallAllSeconds: max(c.StallAllSeconds, o.StallAllSeconds), WholeSeconds: max(c.WholeSeconds, o.WholeSeconds),
	}
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	seeds := strings.Trim(fmt.Sprint(r.Seeds), "[]")
	fmt.Fprintf(w, "seeds %s: %d faults in %s\n", seeds, r.Faults(), (time.Duration(r.Seconds) * time.Second).String())
	fmt.Fprintf(w, "%d events acknowledged, %d lost (%d of them not in the log), %d counted twice\n",
		r.Acknowledged, r.Lost, r.LostInLog, r.Twice)
	fmt.Fprintf(w, "%d outcomes unknown to clients, %d requests sent again, %d events sent again on purpose\n",
		r.Unknown, r.Retries, r.Again)
	fmt.Fprintf(w, "%d duplicates removed, %d events refused\n", r.Duplicates, r.Rejected)
	fmt.Fprintf(w, "%d answers compared with the oracle, %d differ\n", r.Compared, r.Different)
	fmt.Fprintf(w, "%d changes watched, %d of them told as lost; %d accounts watched differ from the store\n",
		r.WatchedChanges, r.WatchedLost, r.WatchedWrong)
	if n := len(r.FailoverSeconds); n > 0 {
		all := slices.Sorted(slices.Values(r.FailoverSeconds))
		const tenth = 10
		fmt.Fprintf(w, "%d partitions taken over after kills of scoring: median %.1f s, p90 %.1f s, longest %.1f s\n",
			n, all[n/2], all[n-1-n/tenth], all[n-1])
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "class\tfaults\tlongest without progress: a partition\tall\tlongest until whole")
	for _, class := range slices.Sorted(maps.Keys(r.Classes)) {
		c := r.Classes[class]
		_, _ = fmt.Fprintf(t, "%s\t%d\t%.1f s\t%.1f s\t%.1f s\n", class, c.Faults, c.StallSeconds, c.StallAllSeconds, c.WholeSeconds)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(w, "PROBLEM:", p)
	}
	return nil
}
