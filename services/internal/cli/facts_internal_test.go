package cli

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func TestFactsCountWhatIsNeverUsed(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer

	require.NoError(t, drawFacts(&healthv1.Facts{
		FeaturesUnused: []string{"export", "audit"}, MoreFeaturesUnused: 7,
	})(&out))
	require.Contains(t, out.String(), "never used 9\n", "those that are not named too")
	require.Regexp(t, `audit +- +- +unused`, out.String())
}
