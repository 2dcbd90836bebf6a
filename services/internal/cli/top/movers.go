package top

import (
	"cmp"
	"math"
	"slices"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// span is the time over which moves of accounts are shown.
type span int

const (
	// week is what the server says of 7 days.
	week span = iota
	// session is since the view was opened.
	session
)

// account is what is held of one: enough to tell how it moved.
type account struct {
	name         string
	first, score *float64
	week         *float64
	band         healthv1.Band
}

// mover is an account that moved.
type mover struct {
	id, name string
	change   float64
	score    *float64
	band     healthv1.Band
}

// accounts are all of them.
type accounts struct {
	byID  map[string]*account
	dirty bool
}

func newAccounts() accounts { return accounts{byID: map[string]*account{}} }

// apply takes a part of the feed in. What a score was first outlives a reset.
func (a *accounts) apply(part *healthv1.WatchHealthResponse) {
	if part.GetReset_() {
		for _, held := range a.byID {
			held.score, held.week = nil, nil
		}
	}

	for _, c := range part.GetChanges() {
		a.put(c)
	}

	a.dirty = a.dirty || part.GetReset_() || len(part.GetChanges()) > 0
}

func (a *accounts) put(c *healthv1.AccountChange) {
	s := c.GetAccount()

	if c.GetKind() == healthv1.AccountChange_KIND_LEFT {
		delete(a.byID, s.GetAccountId())

		return
	}

	held := a.byID[s.GetAccountId()]
	if held == nil {
		held = &account{first: s.Score}
		a.byID[s.GetAccountId()] = held
	}

	if held.first == nil {
		held.first = s.Score
	}

	held.name, held.score, held.week, held.band = s.GetName(), s.Score, s.ScoreChange_7D, s.GetBand()
}

// movers are the n accounts that moved most, in either direction.
func (a *accounts) movers(over span, n int) []mover {
	var found []mover

	for id, held := range a.byID {
		change, ok := held.change(over)
		if !ok || math.Abs(change) < leastMove {
			continue
		}

		found = append(found, mover{id, held.name, change, held.score, held.band})
	}

	slices.SortFunc(found, func(x, y mover) int {
		return cmp.Or(cmp.Compare(math.Abs(y.change), math.Abs(x.change)), cmp.Compare(x.id, y.id))
	})

	return found[:min(n, len(found))]
}

// leastMove is what shows with one digit behind the point.
const leastMove = 0.05

func (a *account) change(over span) (float64, bool) {
	if over == week {
		if a.week == nil {
			return 0, false
		}

		return *a.week, true
	}

	if a.first == nil || a.score == nil {
		return 0, false
	}

	return *a.score - *a.first, true
}
