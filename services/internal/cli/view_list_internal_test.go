package cli

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func TestListsForProgramsHaveAllFields(t *testing.T) {
	t.Parallel()

	b, err := json.Marshal(viewListed(&healthv1.AccountSummary{}))
	require.NoError(t, err)

	var got map[string]any

	require.NoError(t, json.Unmarshal(b, &got))

	var want []string

	fields := (*healthv1.AccountSummary)(nil).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		want = append(want, string(fields.Get(i).Name()))
	}

	var names []string
	for name := range got {
		names = append(names, name)
	}

	require.ElementsMatch(t, want, names, "whatever the API has a field for")
	require.Equal(t, map[string]any{}, got["traits"])
	require.Nil(t, got["score_change_7d"])
}
