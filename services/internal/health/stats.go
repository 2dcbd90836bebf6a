package health

import "math/bits"

const (
	activeDays = 28
	npsDays    = 180
	windowMask = 1<<activeDays - 1
	// Windows of what conditions of alerts ask for.
	detractorDays = 7
	promoterDays  = 30
	ticketDays    = 7
)

// stats are sums over all users for one day, kept up to date event by event and made anew on each
// new day, so that an evaluation does not visit every user.
type stats struct {
	valid  bool
	day    Day
	whole  int64 // whole days that stickiness looks at
	active int64 // users seen in the 28 days that end today
	before int64 // users seen in the 28 days before today
	daily  int64 // sum over the whole days of that day's users
	nps    answers
	// detractors and promoters are users whose latest answer is such, and from the last detractorDays, promoterDays.
	detractors, promoters int64
	// champion is the latest day on which a champion was seen (never seen: was made one).
	champion Day
}

// answers counts nps answers.
type answers struct{ count, promoters, detractors int64 }

func (n *answers) add(o answers, times int64) {
	n.count += times * o.count
	n.promoters += times * o.promoters
	n.detractors += times * o.detractors
}

func answerOf(score uint8) answers {
	n := answers{count: 1}
	switch {
	case score >= 9:
		n.promoters = 1
	case score <= 6:
		n.detractors = 1
	}
	return n
}

// lately returns how many of the answers of a day are detractors, and promoters, in the windows of alerts.
func (n answers) lately(day, today Day) (detractors, promoters int64) {
	if inWindow(day, today, detractorDays) {
		detractors = n.detractors
	}
	if inWindow(day, today, promoterDays) {
		promoters = n.promoters
	}
	return detractors, promoters
}

// share is what one user adds to the stats.
type share struct {
	active, before, daily int64
	nps                   answers
	detractors, promoters int64
	champion              Day
}

// of returns a user's share.
func (s *stats) of(u *user) share {
	r := share{champion: noDay}
	if !s.valid {
		return r
	}
	if !u.out {
		days := u.days(s.day)
		if days&windowMask != 0 {
			r.active = 1
		}
		if days>>1&windowMask != 0 {
			r.before = 1
		}
		r.daily = int64(bits.OnesCount64(days >> 1 & (1<<s.whole - 1)))
	}
	if u.more == nil {
		return r
	}
	if u.more.role == roleOfChampion {
		r.champion = u.last
		if u.last == noDay {
			r.champion = DayOf(u.more.champion)
		}
	}
	if !u.out && !u.more.npsAt.zero() && inWindow(DayOf(u.more.npsAt.time), s.day, npsDays) {
		r.nps = answerOf(u.more.nps)
		r.detractors, r.promoters = r.nps.lately(DayOf(u.more.npsAt.time), s.day)
	}
	return r
}

// replace puts a user's new share in the place of its old one.
func (s *stats) replace(old, now share) {
	if !s.valid {
		return
	}
	s.active += now.active - old.active
	s.before += now.before - old.before
	s.daily += now.daily - old.daily
	s.nps.add(old.nps, -1)
	s.nps.add(now.nps, 1)
	s.detractors += now.detractors - old.detractors
	s.promoters += now.promoters - old.promoters
	switch {
	case now.champion >= s.champion:
		s.champion = now.champion
	case old.champion == s.champion:
		s.valid = false // the latest champion fell back: look at all again
	}
}

// refreshStats makes the stats of today unless they stand.
func (a *Account) refreshStats() {
	whole := min(activeDays, a.age())
	if a.stats.valid && a.stats.day == a.day && a.stats.whole == whole {
		return
	}
	a.stats = stats{valid: true, day: a.day, whole: whole, champion: noDay}
	a.users.each(func(_ string, u *user) {
		a.stats.replace(share{champion: noDay}, a.stats.of(u))
	})
}

// inWindow says whether d is one of the n days that end today.
func inWindow(d, today Day, n int64) bool {
	ago := int64(today) - int64(d)
	return ago >= 0 && ago < n
}
