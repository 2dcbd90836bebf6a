package portfolio

import (
	"math/big"
	"math/bits"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/query/internal/column"
)

// Children sums up the accounts under a parent; nil: there are none that have not churned.
func Children(rows []*column.Row) *healthv1.Children {
	var (
		out   = &healthv1.Children{}
		arr   = map[string]amount{}
		all   group  // their plain mean
		total amount // arr of those with a score
		heavy amount // sum of arr times score: 10^26 an account, so a million of them fit
		worst *column.Row
	)

	for _, r := range rows {
		if churned(r) {
			continue
		}

		all.add(r, 0)

		if r.ARRKnown {
			sum := arr[r.Currency]
			sum.add(r.ARR)
			arr[r.Currency] = sum
		}

		if !r.ScoreKnown {
			continue
		}

		hi, lo := bits.Mul64(uint64(arrOf(r)), uint64(r.Score)) //nolint:gosec // neither is negative
		heavy = heavy.plus(amount{hi: hi, lo: lo})
		total.add(arrOf(r))

		if worst == nil || r.Score < worst.Score || r.Score == worst.Score && r.Account < worst.Account {
			worst = r
		}
	}

	if all.accounts == 0 {
		return nil
	}

	out.Accounts, out.Scored = int32(all.accounts), int32(all.scored) //nolint:gosec // far below

	if len(arr) > 0 {
		out.Arr = make(map[string]float64, len(arr))
		for currency, sum := range arr {
			out.Arr[currency] = sum.float()
		}
	}

	if worst != nil {
		score, least := mean(&all, heavy, total), fixed.Float(worst.Score)
		out.Score, out.WorstAccountId, out.WorstScore = &score, worst.Account, &least
	}

	return out
}

// mean is the mean of the scores weighted by arr; the plain one where none has any.
func mean(all *group, heavy, total amount) float64 {
	if total.zero() {
		return fixed.Float(ratio(big.NewInt(all.score), big.NewInt(all.scored)))
	}

	return fixed.Float(ratio(heavy.big(), total.big()))
}
