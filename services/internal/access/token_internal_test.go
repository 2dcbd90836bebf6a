package access

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHoldersWhoWereNotHereForAWhileAreForgotten(t *testing.T) {
	t.Parallel()

	var (
		s      subjects
		limits = Limits{Rate: 1, Burst: 2}
		now    = time.Now()
	)

	m := s.meter("ann", limits)
	require.NoError(t, m.take(now, 0))
	require.Same(t, m, s.meter("ann", limits))

	s.tidy(now)
	require.Same(t, m, s.meter("ann", limits), "it still counts")

	s.tidy(now.Add(time.Minute))
	require.Empty(t, s.meters)

	s.meter("bob", Limits{MaxBytes: 1})
	require.Empty(t, s.meters, "nothing is counted")
}
