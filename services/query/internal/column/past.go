package column

import (
	"math"

	"hale.dev/services/internal/health"
)

// What a row keeps of past days is packed: there may be a million rows, each with some years behind it.

// MonthEnd is how a month ended, 16 bytes.
type MonthEnd struct {
	// ARR in micros; -1: unknown.
	ARR int64
	// Month that ended.
	Month health.Month
	// Renewal is the renewal date as it stood then; NoDay: there was none.
	Renewal health.Day
}

// SurveyMonth sums up the surveys of a month, 40 bytes. See health.SurveyFact.
type SurveyMonth struct {
	Month                      health.Month
	Sent, Answered             uint32
	NPS, Promoters, Detractors uint32
	CSAT, CSATGood             uint32
	CES, CESSum                uint32
}

// SetPast fills what the row keeps of past days: how the last days and the last months ended, and the sums of the surveys
// of each day, all oldest first. Day must be set.
func (r *Row) SetPast(recent []health.DayEnd, months []health.MonthEnd, answers []health.SurveyFact) {
	r.bands, r.Months, r.Surveys = [health.RecentDays]health.Band{}, nil, nil

	for i := range recent {
		if ago := r.Day - 1 - recent[i].Day; ago >= 0 && int(ago) < len(r.bands) {
			r.bands[ago] = recent[i].Band
		}
	}

	if len(months) > 0 {
		r.Months = make([]MonthEnd, len(months))
	}

	for i := range months {
		m := MonthEnd{Month: months[i].Month, ARR: -1, Renewal: NoDay}
		if months[i].ARR.Known {
			m.ARR = months[i].ARR.Micros
		}

		if months[i].HasRenewal {
			m.Renewal = months[i].Renewal
		}

		r.Months[i] = m
	}

	for i := range answers {
		month := health.MonthOf(answers[i].Day)
		if n := len(r.Surveys); n == 0 || r.Surveys[n-1].Month != month {
			r.Surveys = append(r.Surveys, SurveyMonth{Month: month})
		}

		r.Surveys[len(r.Surveys)-1].add(&answers[i])
	}
}

// BandAt is the computed band at the end of one of the health.RecentDays before the row's; BandUnspecified where the
// account has none.
func (r *Row) BandAt(d health.Day) health.Band {
	if ago := r.Day - 1 - d; ago >= 0 && int(ago) < len(r.bands) {
		return r.bands[ago]
	}

	return health.BandUnspecified
}

func (m *SurveyMonth) add(d *health.SurveyFact) {
	for _, sum := range [...]struct {
		to *uint32
		n  int64
	}{
		{&m.Sent, d.Sent},
		{&m.Answered, d.Answered},
		{&m.NPS, d.NPS},
		{&m.Promoters, d.Promoters},
		{&m.Detractors, d.Detractors},
		{&m.CSAT, d.CSAT},
		{&m.CSATGood, d.CSATGood},
		{&m.CES, d.CES},
		{&m.CESSum, d.CESSum},
	} {
		*sum.to = uint32(min(int64(*sum.to)+sum.n, math.MaxUint32)) //nolint:gosec // never negative
	}
}
