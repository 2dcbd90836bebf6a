package notify

import (
	"context"
	"log/slog"
)

// Codes of alarms. They are stable: dashboards and rules name them.
const (
	// codeAlertsGone: ALERTS does not go back any more to the place up to which it was read.
	codeAlertsGone = "alerts_gone"
	// codeNotifyFull: the NOTIFY stream takes no more.
	codeNotifyFull = "notify_full"
)

// raise tells of an alarm: somebody must look. remedy is what is done about it meanwhile.
func (s *Service) raise(ctx context.Context, code string, why error, remedy string) {
	s.metrics.alarm(ctx, code)
	s.deps.Logger.ErrorContext(ctx, remedy, slog.String("code", code), slog.Any("why", why))
}
