package scoring

import (
	"context"
	"time"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
)

const (
	// silence is how long a partition may be without a message before a tick is written.
	silence = time.Hour
	// tickPatience is how long a written tick may take to come back before another one is written.
	tickPatience = 10 * time.Second
	tickInterval = time.Second
)

// tick writes a tick into the log of partitions where time must pass and nothing is sent: when an hour was
// silent, and when a timer (midnight, an idle load) is due.
func (s *Service) tick(ctx context.Context, workers map[int]*worker) error {
	written := map[int]time.Time{}
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		now := s.cfg.Now()
		var items []eventlog.Item
		for number, w := range workers {
			if !w.tickDue(now) || now.Sub(written[number]) < tickPatience {
				continue
			}
			written[number] = now
			items = append(items, eventlog.Item{
				Partition: number,
				Record:    &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}},
			})
		}
		if len(items) == 0 {
			continue
		}
		if _, err := s.deps.Writer.Write(ctx, items); err != nil && ctx.Err() == nil {
			s.deps.Logger.WarnContext(ctx, "writing ticks", "partitions", len(items), "error", err)
		}
	}
}

// tickDue reports whether the log time of the partition lags behind a timer or an hour of silence.
// Messages that wait to be folded move it on by themselves.
func (w *worker) tickDue(now time.Time) bool {
	if len(w.in) > 0 {
		return false
	}
	logTime := w.logTime.Load()
	return now.UnixMicro()-logTime >= silence.Microseconds() || now.UnixMicro() >= w.due.Load()
}
