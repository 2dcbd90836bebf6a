package column

import "hale.dev/services/internal/fixed"

// ARRAtRisk is the share of the revenue that the score puts at risk: arr times (100 - score) / 100, in micros; None
// without arr or score.
func (r *Row) ARRAtRisk() Number {
	const hundred = 100 * fixed.One

	if !r.ARRKnown || !r.ScoreKnown {
		return None
	}

	return Number(fixed.MulDiv(r.ARR, hundred-r.Score, hundred))
}

// nearDays is from how many days on a renewal comes no nearer.
const nearDays = 365

// Worklist is how pressing it is to look after the account, in micros: the revenue at risk, times how near the renewal
// is: 366/366 on its day and after, one part less for each day it is away, 1/366 where it is 365 days away or more or
// has no day. None without revenue at risk.
func (r *Row) Worklist() Number {
	risk := r.ARRAtRisk()
	if !risk.Known() {
		return None
	}

	away := int64(nearDays)
	if r.Renewal != NoDay {
		away = min(max(int64(r.Renewal)-int64(r.Day), 0), nearDays)
	}

	return Number(fixed.MulDiv(int64(risk), nearDays+1-away, nearDays+1))
}
