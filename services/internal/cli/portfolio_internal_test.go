package cli

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func TestPortfolioShowsWhatIsOverdue(t *testing.T) {
	t.Parallel()

	view := viewPortfolio(&healthv1.GetPortfolioResponse{
		Renewals:        []*healthv1.Renewal{{AccountId: "acme", RenewalDate: "2026-04-01"}},
		OverdueRenewals: []*healthv1.Renewal{{AccountId: "lapsed", RenewalDate: "2026-03-01", Arr: new(70.0), Overdue: true}},
	}, []string{"renewals"})

	var out bytes.Buffer

	require.NoError(t, drawPortfolio(&view)(&out))
	require.Regexp(t, `(?s)Renewals overdue\n.*2026-03-01  lapsed.* 70 .*Renewals due\n.*2026-04-01  acme`, out.String())

	b, err := json.Marshal(view)
	require.NoError(t, err)
	require.Contains(t, string(b), `"overdue_renewals":[{"account_id":"lapsed"`)
	require.Contains(t, string(b), `"overdue":true`)
}
