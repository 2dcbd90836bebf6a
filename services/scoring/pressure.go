package scoring

import (
	"context"
	"fmt"
)

// Above pressAt percent of the memory for message ids ingest is told to take no more, below relieveAt that it may
// again. The rest is for what the log holds already, and for the ticks by which ids get old.
const (
	pressAt   = 90
	relieveAt = 85
)

// pressureName is the name of a partition's note on the board.
func pressureName(partition int) string { return fmt.Sprintf("dedupe-%d", partition) }

// press tells ingest when the memory for message ids fills up: forgetting one early could count an event twice.
func (s *Service) press(ctx context.Context, w *worker) {
	fill := w.partition.Fill()
	name := pressureName(w.number)
	var err error
	switch {
	case !w.pressed && fill >= pressAt:
		s.metrics.alarm(ctx, codeDedupeFilling)
		s.deps.Logger.ErrorContext(ctx, "message ids fill their memory: ingest takes no more",
			"partition", w.number, "percent", fill)
		err = s.deps.Pressure.Raise(ctx, name,
			fmt.Sprintf("the message ids of partition %d fill %d %% of their memory", w.number, fill))
		w.pressed = err == nil
	case w.pressed && fill < relieveAt:
		err = s.deps.Pressure.Clear(ctx, name)
		w.pressed = err != nil
	}
	if err != nil {
		s.deps.Logger.WarnContext(ctx, "telling ingest about pressure", "partition", w.number, "error", err)
	}
}
