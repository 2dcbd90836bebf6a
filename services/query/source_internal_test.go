package query

import (
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
)

func TestWhatWasLoadedIsKnownOfItsAccountAlone(t *testing.T) {
	t.Parallel()

	const hour = 3600 * int64(microsPerUnit)

	now := 1000 * hour

	for ago, want := range map[int64]healthv1.SourceFact_State{
		5: healthv1.SourceFact_STATE_ACTIVE, 7: healthv1.SourceFact_STATE_ACTIVE, 337: healthv1.SourceFact_STATE_SOURCE_SPARSE,
	} {
		facts := &health.Facts{}
		facts.LastEvent[health.SourceLogin] = now - ago*hour

		all := sourceFacts(facts, [health.SourceCount]fold.Activity{}, &health.Explanation{}, now)
		login := all[health.SourceLogin]
		require.Equal(t, want, login.GetState())
		require.Equal(t, login.GetLastEventAt(), login.GetWorkspaceLastEventAt())
		require.Equal(t, ago*3600, login.GetLagSeconds())
		require.Zero(t, login.GetSilentAfterSeconds())
		require.Equal(t, healthv1.SourceFact_STATE_NEVER, all[health.SourceUsage].GetState())
	}
}
