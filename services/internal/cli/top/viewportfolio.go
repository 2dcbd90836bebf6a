package top

import (
	"strconv"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

const (
	// figuresWidth is that of the table of the portfolio, gapWidth that between it and the movers.
	figuresWidth, gapWidth = 44, 3
	// wide is a screen on which full dates and longer names have a place.
	wide = 110
	// widest is how wide a name may be: it is read together with the figures beside it.
	widest = 50
)

// summary is the portfolio by band, with the movers beside it.
func (m *Model) summary() []string {
	left, right := m.figures(), m.moverLines(m.width-figuresWidth-gapWidth)
	lines := make([]string, portfolioLines)

	for i := range lines {
		var l, r string
		if i < len(left) {
			l = left[i]
		}

		if i < len(right) {
			r = right[i]
		}

		lines[i] = fit(l, figuresWidth) + strings.Repeat(" ", gapWidth) + r
	}

	return lines
}

// bands are the bands in the order in which they are shown.
func bands() []healthv1.Band {
	return []healthv1.Band{
		healthv1.Band_BAND_CRITICAL, healthv1.Band_BAND_AT_RISK, healthv1.Band_BAND_STEADY, healthv1.Band_BAND_HEALTHY,
		healthv1.Band_BAND_UNKNOWN,
	}
}

// figures is the table of the portfolio.
func (m *Model) figures() []string {
	arr := strings.TrimSpace("ARR " + m.portfolio.GetCurrency())
	heading := fit("BAND", 10) + right("ACCOUNTS", 8) + right(arr, 13) + right("AT RISK", 13)
	lines := []string{m.paint.dim(heading)}

	if m.portfolio == nil {
		return append(lines, "…")
	}

	groups := map[string]*healthv1.Group{}
	for _, g := range m.portfolio.GetBands() {
		groups[g.GetName()] = g
	}

	for _, b := range bands() {
		key := strings.ToLower(strings.TrimPrefix(b.String(), "BAND_"))
		lines = append(lines, m.paint.band(b, figure(name(key, ""), groups[key])))
	}

	return append(lines, m.paint.bold(figure("all", m.portfolio.GetTotal())))
}

func figure(label string, g *healthv1.Group) string {
	return fit(label, 10) + right(strconv.Itoa(int(g.GetAccounts())), 8) + right(whole(g.GetArr()), 13) +
		right(whole(g.GetArrAtRisk()), 13)
}

// moverLines are the accounts that moved most.
func (m *Model) moverLines(width int) []string {
	title := "MOVERS, 7 DAYS"
	if m.over == session {
		title = "MOVERS, SINCE OPENED"
	}

	lines := []string{m.paint.dim(title)}

	for _, one := range m.movers {
		change := strconv.FormatFloat(one.change, 'f', 1, 64)
		if one.change > 0 {
			change = "+" + change
		}

		label := fit(clean(first(one.name, one.id)), min(width-14, widest))
		lines = append(lines, label+right(change, 7)+m.paint.band(one.band, right(score(one.score), 7)))
	}

	if len(m.movers) == 0 {
		lines = append(lines, "none")
	}

	return lines
}
