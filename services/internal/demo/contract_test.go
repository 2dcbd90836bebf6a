package demo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/demo"
)

func TestContracts(t *testing.T) {
	t.Parallel()

	var (
		p                                    = demo.New(demo.Config{Seed: 1}, end())
		left, renewed, more, less, daughters int
		lastDay                              = func(d string) time.Time { at, _ := time.Parse(time.DateOnly, d); return at.AddDate(0, 0, 1) }
		currencies                           = map[string]string{}
		parents                              = map[string]string{}
	)

	for i := range p.Accounts {
		var (
			paid  int64
			churn time.Time
		)

		for _, e := range p.History(&p.Accounts[i]) {
			require.True(t, churn.IsZero() || e.GetOccurredAt().AsTime().Before(churn), "nothing comes after the churn")

			a := e.GetAccount()

			switch {
			case a == nil:
				continue
			case a.GetChurnDate() != "":
				require.Equal(t, demo.Leaving, p.Accounts[i].Story)

				churn = lastDay(a.GetChurnDate())
				left++
			case a.GetRenewalDate() != "" && a.GetName() == "":
				renewed++
			}

			switch arr := a.GetArrMicros(); {
			case arr == 0:
			case paid != 0 && arr > paid:
				more++
			case paid != 0 && arr < paid:
				less++
			}

			if a.ArrMicros != nil {
				paid = a.GetArrMicros()
			}

			if a.GetCurrency() != "" {
				currencies[e.GetAccountId()] = a.GetCurrency()
			}

			if a.GetParent() != "" {
				parents[e.GetAccountId()] = a.GetParent()
				daughters++
			}
		}
	}

	require.Positive(t, left)
	require.Greater(t, renewed, 20)
	require.Greater(t, more, 20)
	require.Positive(t, less)
	require.Equal(t, 2*len(p.Accounts)/12, daughters)

	for account, parent := range parents {
		require.NotEqual(t, account, parent)
		require.Equal(t, currencies[parent], currencies[account])
	}
}
