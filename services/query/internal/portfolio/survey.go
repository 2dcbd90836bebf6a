package portfolio

import (
	"slices"
	"strings"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/column"
)

// surveys are sums of answers by month, of all accounts and of each segment.
type surveys struct {
	first    health.Month
	all      []answers
	segments map[string]*[]answers
}

// answers sum up a month.
type answers struct {
	sent, answered, nps, promoters, detractors, csat, csatGood, ces, cesSum int64
}

func newSurveys(o *Options) surveys {
	return surveys{first: o.From, all: make([]answers, o.months()), segments: map[string]*[]answers{}}
}

// add adds an account, churned or not: what was answered stays answered.
func (s *surveys) add(r *column.Row) {
	if len(r.Surveys) == 0 {
		return
	}

	segment := of(s.segments, r.Segment)
	if *segment == nil {
		*segment = make([]answers, len(s.all))
	}

	for i := range r.Surveys {
		m := &r.Surveys[i]
		if at := int(m.Month - s.first); at >= 0 && at < len(s.all) {
			s.all[at].add(m)
			(*segment)[at].add(m)
		}
	}
}

func (a *answers) add(m *column.SurveyMonth) {
	a.merge(&answers{
		sent: int64(m.Sent), answered: int64(m.Answered),
		nps: int64(m.NPS), promoters: int64(m.Promoters), detractors: int64(m.Detractors),
		csat: int64(m.CSAT), csatGood: int64(m.CSATGood), ces: int64(m.CES), cesSum: int64(m.CESSum),
	})
}

func (a *answers) merge(o *answers) {
	a.sent, a.answered = a.sent+o.sent, a.answered+o.answered
	a.nps, a.promoters, a.detractors = a.nps+o.nps, a.promoters+o.promoters, a.detractors+o.detractors
	a.csat, a.csatGood = a.csat+o.csat, a.csatGood+o.csatGood
	a.ces, a.cesSum = a.ces+o.ces, a.cesSum+o.cesSum
}

func (s *surveys) merge(o *surveys) {
	for i := range s.all {
		s.all[i].merge(&o.all[i])
	}

	for name, months := range o.segments {
		mine := of(s.segments, name)
		if *mine == nil {
			*mine = make([]answers, len(s.all))
		}

		for i := range *mine {
			(*mine)[i].merge(&(*months)[i])
		}
	}
}

// figures lists the months in which anything was sent or answered: of all, then of the segments by name. Accounts
// without a segment are in those of all only.
func (s *surveys) figures() []*healthv1.SurveyFigure {
	out := s.appendMonths(nil, "", s.all)

	names := make([]string, 0, len(s.segments))
	for name := range s.segments {
		if name != "" {
			names = append(names, name)
		}
	}

	slices.SortFunc(names, strings.Compare)

	for _, name := range names[:min(len(names), maxGroups)] {
		out = s.appendMonths(out, name, *s.segments[name])
	}

	return out
}

func (s *surveys) appendMonths(out []*healthv1.SurveyFigure, segment string, months []answers) []*healthv1.SurveyFigure {
	for i := range months {
		if months[i] != (answers{}) {
			f := months[i].figure()
			f.Segment, f.Month = segment, (s.first + health.Month(i)).String()
			out = append(out, f)
		}
	}

	return out
}

func (a *answers) figure() *healthv1.SurveyFigure {
	f := &healthv1.SurveyFigure{
		Nps: share(a.promoters-a.detractors, a.nps), NpsAnswers: a.nps,
		Csat: share(a.csatGood, a.csat), CsatAnswers: a.csat, CesAnswers: a.ces,
		ResponseRate: share(min(a.answered, a.sent), a.sent), Sent: a.sent,
	}

	if a.ces > 0 {
		mean := fixed.Float(fixed.MulDiv(a.cesSum, fixed.One, a.ces))
		f.Ces = &mean
	}

	return f
}
