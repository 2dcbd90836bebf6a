package alertlog

import (
	"context"
	"fmt"

	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// Trail is what happened to an alert, oldest first; nothing: there is no such alert, or it is older than the stream
// goes back. In a cluster any replica answers, perhaps one that is a moment behind.
func (l *Log) Trail(ctx context.Context, partition int, alertID string) ([]*logv1.AlertRecord, error) {
	if !safe(alertID) || partition < 0 {
		return nil, nil
	}

	var trail []*logv1.AlertRecord

	err := l.walk(ctx, subject(partition, alertID), 1, func(e Entry) error {
		trail = append(trail, e.Record)

		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the trail of alert %q: %w", alertID, err)
	}

	return trail, nil
}
