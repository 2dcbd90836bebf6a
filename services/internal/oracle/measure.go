package oracle

import (
	"math/big"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/scorecard"
)

// Measures computes every measure of an account from its accepted events (in any order, each message
// once) on the day today. Connected are the sources whose silence counts; none: without the absence
// rule, as conditions see them.
func Measures(
	events []Timed, today Day, milestones []scorecard.Milestone, connected scorecard.Source,
) scorecard.Values {
	return newLedger(events, today).measures(milestones, connected)
}

func (l ledger) measures(milestones []scorecard.Milestone, connected scorecard.Source) scorecard.Values {
	active, helped := l.connected(connected)
	exact := map[scorecard.Measure]*big.Rat{
		scorecard.UsageTrend:         l.usageTrend(),
		scorecard.Stickiness:         l.stickiness(),
		scorecard.LoginTrend:         l.loginTrend(),
		scorecard.ResolutionHours:    l.resolutionHours(),
		scorecard.ReopenRate:         l.reopenRate(),
		scorecard.NPS:                l.nps(),
		scorecard.CSAT:               l.csat(),
		scorecard.CES:                l.ces(),
		scorecard.SurveyResponseRate: l.surveyResponseRate(),
		scorecard.Pulse:              l.pulse(),
		scorecard.DaysSinceTouch:     l.daysSinceTouch(),
		scorecard.ChampionSeen:       l.championSeen(),
		scorecard.Milestones:         l.milestones(milestones),
	}
	if active {
		exact[scorecard.ActiveUsers] = l.activeUsers()
		exact[scorecard.FeaturesUsed] = l.featuresUsed()
		exact[scorecard.LoginDays] = l.loginDays()
		exact[scorecard.DaysSinceSeen] = l.daysSinceSeen()
	}
	if helped {
		exact[scorecard.OpenTickets] = l.openTickets()
		exact[scorecard.TicketVolume] = l.ticketVolume()
	}
	var values scorecard.Values
	for m := range scorecard.MeasureCount {
		if exact[m] != nil {
			values[m] = scorecard.Value{Micros: micros(exact[m]), Known: true}
		}
	}
	return values
}

// connected tells whether the absence rule lets the measures of use, and those of tickets, have data.
func (l ledger) connected(connected scorecard.Source) (active, helped bool) {
	active = connected&(scorecard.SourceUsage|scorecard.SourceLogin) != 0 || l.has(sees)
	helped = connected&scorecard.SourceTicket != 0 ||
		l.has(func(e *eventv1.Event) bool { return e.GetTicket() != nil })
	return active, helped
}

func (l ledger) activeUsers() *big.Rat {
	seats := l.profile.number["seats"] / 1_000_000
	if seats == 0 {
		return nil
	}
	return percent(whole(int64(len(l.seen(l.today-27, l.today)))), whole(seats))
}

func (l ledger) featuresUsed() *big.Rat {
	features := map[string]bool{}
	for _, e := range l.events {
		if e.Event.GetUsage() != nil && within(e, l.today-29, l.today) {
			features[e.Event.GetUsage().GetFeature()] = true
		}
	}
	return whole(int64(len(features)))
}

// quantity is the quantity used on the days from..to, in micros; the sum of a day saturates.
func (l ledger) quantity(from, to Day) *big.Rat {
	days := map[Day]*big.Rat{}
	for _, e := range l.events {
		u := e.Event.GetUsage()
		if u == nil || !within(e, from, to) {
			continue
		}
		quantity := int64(1_000_000)
		if u.QuantityMicros != nil {
			quantity = u.GetQuantityMicros()
		}
		if days[DayOf(e.Time)] == nil {
			days[DayOf(e.Time)] = whole(0)
		}
		days[DayOf(e.Time)] = plus(days[DayOf(e.Time)], whole(quantity))
	}
	total, most := whole(0), whole(100_000_000_000_000_000)
	for _, sum := range days {
		if sum.Cmp(most) > 0 {
			sum = most
		}
		total = plus(total, sum)
	}
	return total
}

func (l ledger) usageTrend() *big.Rat {
	q7, q28 := l.quantity(l.today-7, l.today-1), l.quantity(l.today-35, l.today-8)
	if l.age() < 35 || q28.Sign() == 0 {
		return nil
	}
	return percent(minus(times(whole(4), q7), q28), q28)
}

func (l ledger) stickiness() *big.Rat {
	n := min(28, l.age())
	users := len(l.seen(l.today-28, l.today-1))
	if n == 0 || users == 0 {
		return nil
	}
	sum := 0
	for back := range n {
		on := l.today - 1 - Day(back)
		sum += len(l.seen(on, on))
	}
	return percent(through(whole(int64(sum)), whole(n)), whole(int64(users)))
}

func (l ledger) loginDays() *big.Rat {
	days := map[Day]bool{}
	for _, e := range l.events {
		if succeeded(e.Event) && within(e, l.today-27, l.today) {
			days[DayOf(e.Time)] = true
		}
	}
	return whole(int64(len(days)))
}

// logins counts successful logins on the days from..to.
func (l ledger) logins(from, to Day) *big.Rat {
	n := int64(0)
	for _, e := range l.events {
		if succeeded(e.Event) && within(e, from, to) {
			n++
		}
	}
	return whole(n)
}

func (l ledger) loginTrend() *big.Rat {
	a, b := l.logins(l.today-14, l.today-1), l.logins(l.today-28, l.today-15)
	if l.age() < 28 || b.Sign() == 0 {
		return nil
	}
	return percent(minus(a, b), b)
}

func (l ledger) daysSinceSeen() *big.Rat {
	e, ok := l.latest(sees)
	if !ok {
		return whole(l.age())
	}
	return whole(int64(l.today - DayOf(e.Time)))
}

func (l ledger) daysSinceTouch() *big.Rat {
	e, ok := l.latest(func(e *eventv1.Event) bool { return e.GetInteraction().GetKind() != 0 })
	if !ok {
		return nil
	}
	return whole(int64(l.today - DayOf(e.Time)))
}

func (l ledger) pulse() *big.Rat {
	e, ok := l.latest(func(e *eventv1.Event) bool {
		return e.GetInteraction() != nil && e.GetInteraction().Pulse != nil
	})
	if !ok || !within(e, l.today-89, l.today) {
		return nil
	}
	return whole(int64(e.Event.GetInteraction().GetPulse()))
}

func (l ledger) milestones(defined []scorecard.Milestone) *big.Rat {
	done, due := int64(0), int64(0)
	for _, m := range defined {
		if l.used(m.Feature) {
			done++
		}
		if l.age() >= int64(m.DueDay) {
			due++
		}
	}
	if due == 0 {
		return nil
	}
	return atMost100(percent(whole(done), whole(due)))
}
