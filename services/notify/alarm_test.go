package notify_test

import "hale.dev/services/internal/telemetry/telemetrytest"

// alarms is how many alarms of a code were counted.
func (w *world) alarms(code string) int64 { return w.counter("hale.notify.alarms", "code", code) }

// counter returns the sum of a counter's points with an attribute.
func (w *world) counter(name, key, value string) int64 {
	w.t.Helper()

	return telemetrytest.Counter(w.t, w.metrics, name, key, value)
}
