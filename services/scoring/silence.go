package scoring

import (
	"context"
	"fmt"
	"slices"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
)

// watchSources decides again and again which sources are silent as a whole, for all partitions: a source that sends to
// one of them is not silent. Only the owner of partition 0 does. What it decides it writes into the log of every
// partition that does not know it; where that failed for some, the next look mends it.
func (o *owner) watchSources(ctx context.Context) error {
	s := o.service
	if s.deps.Log.Layout().Stream(0) != o.stream {
		return nil
	}
	return every(ctx, s.cfg.silenceEvery, func() error {
		if err := s.lookForSilence(ctx); err != nil && ctx.Err() == nil {
			s.deps.Logger.WarnContext(ctx, "sources cannot be looked at now", "error", err)
		}
		return nil
	})
}

// lookForSilence looks once.
func (s *Service) lookForSilence(ctx context.Context) error {
	states := make([]fold.State, s.deps.Log.Layout().Partitions)
	for p := range states {
		head, _, err := s.deps.Store.Read(ctx, p)
		if err != nil {
			return fmt.Errorf("reading the state of partition %d: %w", p, err)
		}
		if states[p], err = fold.DecodeState(head.State); err != nil {
			return fmt.Errorf("reading the state of partition %d: %w", p, err)
		}
	}
	items := silences(states)
	if len(items) == 0 {
		return nil
	}
	if _, err := s.deps.Writer.Write(ctx, items); err != nil {
		return fmt.Errorf("writing what is silent to %d partitions: %w", len(items), err)
	}
	s.deps.Logger.InfoContext(ctx, "sources fell silent, or are back", "records", len(items))
	return nil
}

// silences decides which sources are silent, and returns what is to be written into the log of which partition.
func silences(states []fold.State) []eventlog.Item {
	// All partitions know what happened up to here. One that is behind may have events before it that nobody counted yet,
	// so nothing is silent for its sake.
	now := states[0].LogTime
	var workspaces []string
	for p := range states {
		now = min(now, states[p].LogTime)
		workspaces = append(workspaces, states[p].SourceWorkspaces()...)
	}
	slices.Sort(workspaces)
	var items []eventlog.Item
	for _, workspace := range slices.Compact(workspaces) {
		var all [health.SourceCount]fold.Activity
		for p := range states {
			for n, a := range states[p].Sources(workspace) {
				all[n] = all[n].Merge(a)
			}
		}
		for n := range all {
			items = append(items, silencesOf(states, workspace, health.Source(n), &all[n], now)...)
		}
	}
	return items
}

// silencesOf returns the records for the partitions that take a source for what it is not.
func silencesOf(
	states []fold.State, workspace string, source health.Source, a *fold.Activity, now int64,
) (items []eventlog.Item) {
	silent := a.State(now) == fold.SourceSilent
	for p := range states {
		if known := states[p].Workspace(workspace).Silence[source]; known.Silent == silent || a.Last < known.Last {
			continue
		}
		items = append(items, eventlog.Item{Partition: p, Record: &logv1.Record{
			Workspace: workspace,
			Payload: &logv1.Record_SetSource{SetSource: &logv1.SetSource{
				Source: source.String(), Silent: silent, LastEventMicros: a.Last,
			}},
		}})
	}
	return items
}
