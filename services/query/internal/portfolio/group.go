package portfolio

import (
	"cmp"
	"slices"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

const (
	// maxGroups bounds how many segments and owners are told apart.
	maxGroups = 1000
	// restName is the name of the group that the smallest make together, where there are more.
	restName = "…"
)

// group sums up a part of the portfolio.
type group struct {
	accounts, scored int64
	score            int64 // 10^8 an account: a million of them are far from the limit
	arr, risk        amount
}

func (g *group) add(r *column.Row, arr int64) {
	g.accounts++

	if r.ScoreKnown {
		g.scored++
		g.score += r.Score
	}

	g.arr.add(arr)

	if r.Band == healthv1.Band_BAND_CRITICAL || r.Band == healthv1.Band_BAND_AT_RISK {
		g.risk.add(arr)
	}
}

func (g *group) merge(o *group) {
	g.accounts, g.scored, g.score = g.accounts+o.accounts, g.scored+o.scored, g.score+o.score
	g.arr, g.risk = g.arr.plus(o.arr), g.risk.plus(o.risk)
}

func (g *group) figure(name string) *healthv1.Group {
	out := &healthv1.Group{
		Name: name, Accounts: int32(g.accounts), Scored: int32(g.scored), //nolint:gosec // far below
		Arr: g.arr.float(), ArrAtRisk: g.risk.float(),
	}

	if g.scored > 0 {
		score := fixed.Float(fixed.MulDiv(g.score, 1, g.scored))
		out.Score = &score
	}

	return out
}

// bandOf is the band, unknown where an account was not evaluated yet.
func bandOf(b healthv1.Band) healthv1.Band { return max(b, healthv1.Band_BAND_UNKNOWN) }

const (
	bandCount  = int(healthv1.Band_BAND_HEALTHY) + 1
	stageCount = int(healthv1.Stage_STAGE_CHURNED) + 1
)

// groups are all groups of the accounts that have not churned.
type groups struct {
	total    group
	bands    [bandCount]group
	stages   [stageCount]group
	segments map[string]*group
	owners   map[string]*group
}

func newGroups() groups { return groups{segments: map[string]*group{}, owners: map[string]*group{}} }

func (g *groups) add(r *column.Row, own bool) {
	var arr int64
	if own {
		arr = arrOf(r)
	}

	g.total.add(r, arr)
	g.bands[bandOf(r.Band)].add(r, arr)
	g.stages[r.Stage].add(r, arr)
	of(g.segments, r.Segment).add(r, arr)
	of(g.owners, r.Owner).add(r, arr)
}

// of returns the entry of a name, made if there is none.
func of[T any](all map[string]*T, name string) *T {
	one := all[name]
	if one == nil {
		one = new(T)
		all[name] = one
	}

	return one
}

func (g *groups) merge(o *groups) {
	g.total.merge(&o.total)

	for i := range g.bands {
		g.bands[i].merge(&o.bands[i])
	}

	for i := range g.stages {
		g.stages[i].merge(&o.stages[i])
	}

	for name, one := range o.segments {
		of(g.segments, name).merge(one)
	}

	for name, one := range o.owners {
		of(g.owners, name).merge(one)
	}
}

func (g *groups) figures(to *healthv1.GetPortfolioResponse) {
	to.Total = g.total.figure("")

	for _, b := range []healthv1.Band{
		healthv1.Band_BAND_CRITICAL, healthv1.Band_BAND_AT_RISK, healthv1.Band_BAND_STEADY,
		healthv1.Band_BAND_HEALTHY, healthv1.Band_BAND_UNKNOWN,
	} {
		to.Bands = append(to.Bands, g.bands[b].figure(health.Band(b).String())) //nolint:gosec // one of them
	}

	for s := health.StageOnboarding; s < health.StageChurned; s++ {
		to.Stages = append(to.Stages, g.stages[s].figure(s.String()))
	}

	if none := &g.stages[health.StageUnspecified]; none.accounts > 0 { // not evaluated yet
		to.Stages = append(to.Stages, none.figure(""))
	}

	to.Segments, to.Owners = largest(g.segments), largest(g.owners)
}

// largest returns groups, the largest arr first.
func largest(all map[string]*group) []*healthv1.Group {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}

	slices.SortFunc(names, func(a, b string) int {
		x, y := all[a], all[b]

		switch {
		case y.arr.less(x.arr):
			return -1
		case x.arr.less(y.arr):
			return 1
		default:
			return cmp.Or(cmp.Compare(y.accounts, x.accounts), strings.Compare(a, b))
		}
	})

	var (
		rest group
		out  = make([]*healthv1.Group, 0, min(len(names), maxGroups+1))
	)

	for i, name := range names {
		if i < maxGroups {
			out = append(out, all[name].figure(name))
		} else {
			rest.merge(all[name])
		}
	}

	if rest.accounts > 0 {
		out = append(out, rest.figure(restName))
	}

	return out
}
