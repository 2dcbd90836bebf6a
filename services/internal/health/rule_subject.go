package health

import (
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// ruleSubject is what the conditions of alerts see of an account: its computed score and the measures as its scorecard
// saw them, as of a time.
type ruleSubject struct {
	subject

	at Time
	// past are the measures with which those of now are compared; nil where read is unset, or there are none.
	past *week
	read bool
}

var _ rule.Subject = (*ruleSubject)(nil)

// Score implements rule.Subject.
func (s *ruleSubject) Score() scorecard.Value { return s.account.result.Score }

// Band implements rule.Subject.
func (s *ruleSubject) Band() string { return s.account.result.Band.String() }

// Coverage implements rule.Subject.
func (s *ruleSubject) Coverage() int64 { return s.account.result.Coverage }

// Dimension implements rule.Subject.
func (s *ruleSubject) Dimension(i int) scorecard.Value { return s.account.result.Dimensions[i] }

// ScoreChange implements rule.Subject.
func (s *ruleSubject) ScoreChange(days int32) scorecard.Value {
	now, then := s.account.result.Score, s.account.scoreBefore(days)
	if !now.Known || !then.Known {
		return scorecard.Value{}
	}
	return known(now.Micros - then.Micros)
}

// MeasureChange implements rule.Subject.
func (s *ruleSubject) MeasureChange(m scorecard.Measure) scorecard.Value {
	if !s.read {
		s.past, s.read = s.account.alerting.weekBefore(s.account.day), true
	}
	now := s.values[m]
	if s.past == nil || !s.past.values[m].Known || !now.Known {
		return scorecard.Value{}
	}
	return known(now.Micros - s.past.values[m].Micros)
}

// KnownDays implements rule.Subject.
func (s *ruleSubject) KnownDays() int64 {
	if s.account.first == noDay {
		return 0
	}
	return max(0, int64(s.account.day)-int64(s.account.first))
}

// RenewalDays implements rule.Subject.
func (s *ruleSubject) RenewalDays() (int64, bool) {
	d, ok := s.account.profile.date(fieldRenewalDate)
	return int64(d) - int64(s.account.day), ok
}

// UrgentTicketHours implements rule.Subject.
func (s *ruleSubject) UrgentTicketHours() int64 { return s.account.urgentTicketHours(s.at) }

// urgentTicketHours is for how many whole hours the urgent ticket is open that is open longest; 0: none is.
func (a *Account) urgentTicketHours(at Time) int64 {
	since := a.ticketStats.urgent
	if since == noTime {
		return 0
	}
	return max(0, (at-since)/hourMicros)
}

// TicketsOpened implements rule.Subject.
func (s *ruleSubject) TicketsOpened(int32) int64 { return s.account.ticketStats.lately }

// Detractors implements rule.Subject.
func (s *ruleSubject) Detractors(int32) int64 {
	detractors, _ := s.account.answeredLately()
	return detractors
}

// Promoters implements rule.Subject.
func (s *ruleSubject) Promoters(int32) int64 {
	_, promoters := s.account.answeredLately()
	return promoters
}

// answeredLately counts nps answers in the windows of alerts: of users the latest, anonymous ones each.
func (a *Account) answeredLately() (detractors, promoters int64) {
	detractors, promoters = a.users.scale(a.stats.detractors), a.users.scale(a.stats.promoters)
	for i := range a.surveys {
		d, p := a.surveys[i].nps.lately(a.surveys[i].day, a.day)
		detractors += d
		promoters += p
	}
	return detractors, promoters
}

const (
	hourMicros = Time(3600) * fixed.One
	// urgentHours is for how many hours a timer runs for each more that an urgent ticket is open.
	urgentHours = 7 * 24
)

// urgentTimer is when an urgent ticket is open for another hour; 0: no timer runs.
func (a *Account) urgentTimer(at Time) Time {
	since := a.ticketStats.urgent
	if since == noTime || !a.ticketStats.valid || a.churned() {
		return 0
	}
	hours := a.urgentTicketHours(at) + 1
	if hours > urgentHours {
		return 0
	}
	return since + hours*hourMicros
}

// pasts are the scores at the ends of the days that conditions look back to, as of a day.
type pasts struct {
	valid  bool
	day    Day
	scores [4]scorecard.Value
}

// lookBacks are how many days conditions can look back.
func lookBacks() [4]int32 { return [4]int32{1, 7, 14, 30} }

// scoreBefore returns the score at the end of a day, days ago; unknown if another scorecard made it.
func (a *Account) scoreBefore(days int32) scorecard.Value {
	p := &a.alerting.pasts
	if !p.valid || p.day != a.day {
		*p = pasts{valid: true, day: a.day}
		for _, end := range a.Recent() {
			for i, back := range lookBacks() {
				if end.Day == a.day-Day(back) {
					p.scores[i] = end.Score
				}
			}
		}
	}
	for i, back := range lookBacks() {
		if back == days && a.day-Day(back) >= a.CardSince() {
			return p.scores[i]
		}
	}
	return scorecard.Value{}
}
