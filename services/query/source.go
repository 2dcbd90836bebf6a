package query

import (
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
)

// quietAfter is after how long without an event an account is quiet, in microseconds of log time: 14 days.
const quietAfter = 14 * 24 * 3600 * int64(microsPerUnit)

// activity is when the sources of a workspace sent events, over all partitions: as of an account's own and, a moment
// behind, the others.
func (f *feed) activity(workspace string, own [health.SourceCount]fold.Activity) [health.SourceCount]fold.Activity {
	all := own

	for i := range f.parts {
		state := f.parts[i].state.Load()
		if state == nil {
			continue
		}

		for s, a := range state.Sources(workspace) {
			all[s] = all[s].Merge(a)
		}
	}

	return all
}

// sourceFacts tells for each source whether the account is quiet, or the source silent.
func sourceFacts(
	facts *health.Facts, all [health.SourceCount]fold.Activity, x *health.Explanation, now int64,
) []*healthv1.SourceFact {
	cover := coverage(x)
	out := make([]*healthv1.SourceFact, health.SourceCount)

	for i := range out {
		s := health.Source(i)
		last := facts.LastEvent[s]
		// History that was loaded does not count as activity, but its last event is known.
		workspace := all[s].Merge(fold.Activity{Last: last})

		fact := &healthv1.SourceFact{
			Source: s.String(), State: sourceState(last, workspace, now), LastEventAt: timestamp(last),
			WorkspaceLastEventAt: timestamp(workspace.Last), Coverage: cover[s],
		}

		if workspace.Last != 0 {
			fact.LagSeconds = max(0, now-workspace.Last) / microsPerUnit
			fact.SilentAfterSeconds = workspace.SilentAfter(now) / microsPerUnit
		}

		out[i] = fact
	}

	return out
}

// sourceState tells a quiet customer from a broken pipe.
func sourceState(last int64, workspace fold.Activity, now int64) healthv1.SourceFact_State {
	lately := last != 0 && now-last <= quietAfter

	switch state := workspace.State(now); {
	case state == fold.SourceNever:
		return healthv1.SourceFact_STATE_NEVER
	case state == fold.SourceSilent:
		return healthv1.SourceFact_STATE_SOURCE_SILENT
	case lately:
		return healthv1.SourceFact_STATE_ACTIVE
	case state == fold.SourceSparse:
		return healthv1.SourceFact_STATE_SOURCE_SPARSE
	default:
		return healthv1.SourceFact_STATE_ACCOUNT_QUIET
	}
}

// coverage is the share of the weight that has data and lives from each source, percent.
func coverage(x *health.Explanation) [health.SourceCount]float64 {
	var cover [health.SourceCount]float64

	for i := range x.Dimensions {
		for j := range x.Dimensions[i].Measures {
			if m := &x.Dimensions[i].Measures[j]; m.Value.Known {
				cover[health.SourceOf(m.Measure)] += float64(m.Weight)
			}
		}
	}

	return cover
}
