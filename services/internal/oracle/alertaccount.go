package oracle

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// reviewed is an account as rules see it.
type reviewed struct {
	subject

	account *Account
	at      int64
	urgent  int64 // as ledger.urgent
}

var _ rule.Subject = reviewed{}

func (s reviewed) last() *Evaluation { return s.account.Last }

func (s reviewed) Score() scorecard.Value {
	return scorecard.Value{Micros: s.last().Score, Known: s.last().Known}
}
func (s reviewed) Band() string    { return s.account.Band }
func (s reviewed) Coverage() int64 { return s.last().Coverage }

func (s reviewed) Dimension(i int) scorecard.Value {
	for _, d := range s.last().Dimensions {
		if d.Name == scorecard.DimensionNames()[i] {
			return scorecard.Value{Micros: d.Score, Known: d.Known}
		}
	}
	return scorecard.Value{}
}

func (s reviewed) ScoreChange(days int32) scorecard.Value {
	rows := s.account.Rows
	then := len(rows) - int(days)
	if then < 0 || rows[then].Day != s.account.Day-Day(days) || !rows[then].Evaluation.Known || !s.last().Known {
		return scorecard.Value{}
	}
	for _, r := range rows[then:] {
		if r.Evaluation.Card != s.last().Card || r.Evaluation.SetVersion != s.last().SetVersion {
			return scorecard.Value{}
		}
	}
	return scorecard.Value{Micros: s.last().Score - rows[then].Evaluation.Score, Known: true}
}

func (s reviewed) MeasureChange(m scorecard.Measure) scorecard.Value {
	before, now := s.account.before(), s.last().Measures[m]
	if before == nil || !now.Known || !before.Evaluation.Measures[m].Known {
		return scorecard.Value{}
	}
	return scorecard.Value{Micros: now.Micros - before.Evaluation.Measures[m].Micros, Known: true}
}

func (s reviewed) KnownDays() int64 {
	if len(s.ledger.events) == 0 {
		return 0
	}
	return max(0, int64(s.account.Day-DayOf(s.ledger.events[0].Time)))
}

func (s reviewed) RenewalDays() (int64, bool) {
	renews, ok := s.ledger.profile.date("renewal_date")
	return int64(renews - s.account.Day), ok
}

// urgent is since when that urgent ticket is open that is open longest; -1: there is none.
func (l ledger) urgent() int64 {
	oldest := int64(-1)
	for _, t := range l.tickets() {
		given, ok := t.events.latest(func(e *eventv1.Event) bool { return e.GetTicket().GetSeverity() != 0 })
		if !ok || given.Event.GetTicket().GetSeverity() != eventv1.Ticket_SEVERITY_URGENT || t.closed() {
			continue
		}
		since, known := t.events.latest(func(e *eventv1.Event) bool {
			action := e.GetTicket().GetAction()
			return action == eventv1.Ticket_ACTION_OPENED || action == eventv1.Ticket_ACTION_REOPENED
		})
		if !known {
			since = t.events.events[0]
		}
		if oldest < 0 || since.Time < oldest {
			oldest = since.Time
		}
	}
	return oldest
}

func (s reviewed) UrgentTicketHours() int64 {
	if s.urgent < 0 {
		return 0
	}
	return (s.at - s.urgent) / hour
}

func (s reviewed) TicketsOpened(days int32) int64 {
	n := int64(0)
	for _, t := range s.ledger.tickets() {
		if opened, ok := t.opened(); ok && within(opened, s.account.Day-Day(days)+1, s.account.Day) {
			n++
		}
	}
	return n
}

func (s reviewed) Detractors(days int32) int64 { return s.answers(days, 0, 6) }
func (s reviewed) Promoters(days int32) int64  { return s.answers(days, 9, 10) }

// answers counts the answers to nps surveys of the last days; the latest of each user.
func (s reviewed) answers(days, least, most int32) int64 {
	n := int64(0)
	named := map[string]int32{}
	count := func(score int32) {
		if score >= least && score <= most {
			n++
		}
	}
	for _, e := range s.ledger.answers(eventv1.Survey_TYPE_NPS, s.account.Day-Day(days)+1) {
		if e.GetUserId() == "" {
			count(e.GetSurvey().GetScore())
		} else {
			named[s.ledger.person[e.GetUserId()]] = e.GetSurvey().GetScore()
		}
	}
	for _, score := range named {
		count(score)
	}
	return n
}

// sight is how the account looks at its last evaluation.
func (a *Account) sight() sight {
	if a.Last == nil {
		return sight{band: unknown}
	}
	return sight{band: a.Band, score: a.Last.Score, known: a.Last.Known}
}

// reviewRules reviews the account's rules.
func (a *Account) reviewRules(at int64, w *World, quiet bool) {
	a.view(at, w, quiet).run()
	a.urgent = -1
	if a.Stage != churned {
		a.urgent = a.ledger().urgent()
	}
}

// view is what a review of the account goes by.
func (a *Account) view(at int64, w *World, quiet bool) *review {
	l := a.ledger()
	s := reviewed{account: a, at: at, subject: subject{ledger: l, stage: a.Stage}}
	if a.Last != nil {
		s.measures = a.Last.Measures
	}
	s.urgent = l.urgent()
	return &review{
		book: a.alerts, at: at, quiet: quiet, gone: a.Stage == churned, set: w.ruleSet(a.Workspace), name: w.options.AlertID,
		look: a.sight(), owner: l.profile.text["owner"],
		judge:  func(r *rule.Rule) (bool, bool) { return judge(r, s) },
		inside: func(r *rule.Rule) bool { return r.InScope(s) },
		silent: func(source string) bool { return a.silent[source] },
		moved:  a.drivers,
	}
}

// judge says whether a rule's condition holds, and whether it is clear.
func judge(r *rule.Rule, s rule.Subject) (holds, over bool) {
	holds, known := r.When(s)
	holds = holds && known
	ends, known, given := r.Resolve(s)
	return holds, !holds && (!given || !known || ends)
}

// advance passes the midnights and timers up to a time, each in its turn.
func (a *Account) advance(to int64, w *World, quiet bool) {
	for len(a.Events) > 0 {
		midnight := int64(a.Day+1) * day
		timer := a.nextTimer(w)
		switch {
		case midnight <= to && (timer < 0 || midnight <= timer):
			a.rollTo(a.Day+1, w)
			a.reviewRules(midnight, w, quiet)
		case timer >= 0 && timer <= to:
			a.reviewRules(timer, w, quiet)
		default:
			return
		}
	}
}

// nextTimer is the time of the account's first timer behind its last review; -1: there is none.
func (a *Account) nextTimer(w *World) int64 {
	const hours = 7 * 24
	first := a.alerts.next(w.ruleSet(a.Workspace))
	if a.urgent >= 0 {
		n := max(1, (a.alerts.reviewed-a.urgent)/hour+1)
		if at := a.urgent + n*hour; n <= hours && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}
