package portfolio

import (
	"slices"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// movements count accounts by the band they came from and the one they are in. Both are the computed ones, so that a
// score set by hand is no movement.
type movements struct {
	from [bandCount][bandCount]struct {
		accounts int64
		arr      amount
	}
}

func (m *movements) add(r *column.Row, o *Options, own bool) {
	from := bandAt(r, o.Today-health.Day(o.MovementDays)) //nolint:gosec // few

	switch {
	case !churned(r):
		m.count(from, bandOf(r.ComputedBand), arrOf(r), own)
	case from != healthv1.Band_BAND_UNSPECIFIED: // else it left before, or came and left since
		m.count(from, healthv1.Band_BAND_UNSPECIFIED, lastARR(r), own)
	}
}

func (m *movements) count(from, to healthv1.Band, arr int64, own bool) {
	cell := &m.from[from][to]
	cell.accounts++

	if own {
		cell.arr.add(arr)
	}
}

// bandAt is the computed band at the end of a day; unspecified where the account has none.
func bandAt(r *column.Row, d health.Day) healthv1.Band {
	if d >= r.Day && !churned(r) {
		return bandOf(r.ComputedBand) // it has not got further
	}

	return healthv1.Band(r.BandAt(d))
}

// lastARR is the arr of an account that has churned as it stood at the last month's end before, else the profile's.
func lastARR(r *column.Row) int64 {
	for _, e := range slices.Backward(r.Months) {
		if e.ARR >= 0 {
			return e.ARR
		}
	}

	return arrOf(r)
}

func (m *movements) merge(o *movements) {
	for from := range m.from {
		for to := range m.from[from] {
			cell, other := &m.from[from][to], &o.from[from][to]
			cell.accounts += other.accounts
			cell.arr = cell.arr.plus(other.arr)
		}
	}
}

// figures lists the movements there are, worst band first on both sides.
func (m *movements) figures() []*healthv1.Movement {
	var out []*healthv1.Movement

	order := [...]healthv1.Band{
		healthv1.Band_BAND_CRITICAL, healthv1.Band_BAND_AT_RISK, healthv1.Band_BAND_STEADY,
		healthv1.Band_BAND_HEALTHY, healthv1.Band_BAND_UNKNOWN, healthv1.Band_BAND_UNSPECIFIED,
	}

	for _, from := range order {
		for _, to := range order {
			if cell := &m.from[from][to]; cell.accounts > 0 {
				out = append(out, &healthv1.Movement{
					FromBand: from, ToBand: to, Arr: cell.arr.float(),
					Accounts: int32(cell.accounts), //nolint:gosec // far below
				})
			}
		}
	}

	return out
}
