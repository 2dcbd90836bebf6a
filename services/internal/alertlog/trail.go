package alertlog

import (
	"context"
	"fmt"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// Trail calls f for what happened to an alert, oldest first, until f fails (then it returns f's error); nothing: there is
// no such alert, or it is older than the stream goes back. In a cluster any replica answers, perhaps one that is a moment
// behind.
func (l *Log) Trail(ctx context.Context, partition int, alertID string, f func(*logv1.AlertRecord) error) error {
	if !safe(alertID) || partition < 0 {
		return nil
	}

	err := l.walk(ctx, subject(partition, alertID), 1, func(e Entry) error { return f(e.Record) })
	if err != nil {
		return fmt.Errorf("reading the trail of alert %q: %w", alertID, err)
	}

	return nil
}
