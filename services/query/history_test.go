package query_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// noonOf is the noon of a day, in microseconds.
func noonOf(year int, month time.Month, d int) int64 {
	return time.Date(year, month, d, 12, 0, 0, 0, time.UTC).UnixMicro()
}

func TestHistoryByWeek(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	first := noonOf(2025, 12, 20) // a Saturday

	for i := range int64(26) {
		w.score(home, "acme", first+i*day, 0, used("acme"))
	}

	get := func(from, to string) []*healthv1.HistoryRow {
		got, err := w.health().GetHistory(w.as(access.RoleViewer), &healthv1.GetHistoryRequest{
			AccountId: "acme", FromDate: from, ToDate: to, Step: healthv1.HistoryStep_HISTORY_STEP_WEEK,
		})
		require.NoError(t, err)

		return got.GetRows()
	}
	days := func(rows []*healthv1.HistoryRow) []string {
		all := make([]string, len(rows))
		for i, r := range rows {
			all[i] = r.GetDay()
		}

		return all
	}

	require.Equal(t, []string{"2025-12-21", "2025-12-28", "2026-01-04", "2026-01-11", "2026-01-14"}, days(get("", "")),
		"the Sundays, across the year's end, and today")
	require.Equal(t, []string{"2025-12-28", "2026-01-02"}, days(get("2025-12-23", "2026-01-02")),
		"a week that is cut off ends where the range does")
	require.Equal(t, []string{"2025-12-28"}, days(get("2025-12-28", "2025-12-28")))
	require.Equal(t, []string{"2025-12-30"}, days(get("2025-12-29", "2025-12-30")))
	require.Empty(t, get("2026-02-01", ""))

	for _, r := range get("", "") {
		require.Contains(t, r.GetMeasures(), "features_used", r.GetDay())
		require.InDelta(t, 0, r.GetMeasures()["days_since_seen"], 0)
		require.NotContains(t, r.GetMeasures(), "nps", "it has no data")
	}

	_, err := w.health().GetHistory(w.as(access.RoleViewer), &healthv1.GetHistoryRequest{
		AccountId: "acme", FromDate: "2026-01-02", ToDate: "2026-01-01",
	})
	require.Equal(t, []string{"to_date"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
}
