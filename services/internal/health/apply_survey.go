package health

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

func (a *Account) applySurvey(ev *eventv1.Event, s *eventv1.Survey, at Time) *Refusal {
	scale, r := surveyScale(s)
	if r != nil {
		return r
	}
	d := DayOf(at)
	switch s.GetAction() {
	case eventv1.Survey_ACTION_SENT:
		if day := a.surveyOf(d); day != nil {
			day.sent++
		}
	case eventv1.Survey_ACTION_ANSWERED:
		if s.Score == nil || s.GetScore() > scale || (s.GetScore() < 1 && s.GetType() != eventv1.Survey_TYPE_NPS) ||
			s.GetScore() < 0 {
			return invalid("survey.score", "must be inside its scale: nps 0..10, csat 1..5 or 1..7, ces 1..7")
		}
		a.answer(ev, s, at, scale)
	case eventv1.Survey_ACTION_UNSPECIFIED:
		return invalid("survey.action", "is unknown")
	default:
		return invalid("survey.action", "is unknown")
	}
	return nil
}

// surveyScale returns the largest answer of the survey.
func surveyScale(s *eventv1.Survey) (int32, *Refusal) {
	scale := s.GetScale()
	switch s.GetType() {
	case eventv1.Survey_TYPE_NPS:
		if scale == 0 || scale == 10 {
			return 10, nil
		}
	case eventv1.Survey_TYPE_CSAT:
		if scale == 0 || scale == 5 {
			return 5, nil
		}
		if scale == 7 {
			return 7, nil
		}
	case eventv1.Survey_TYPE_CES:
		if scale == 0 || scale == 7 {
			return 7, nil
		}
	case eventv1.Survey_TYPE_UNSPECIFIED:
		return 0, invalid("survey.type", "is unknown")
	default:
		return 0, invalid("survey.type", "is unknown")
	}
	return 0, invalid("survey.scale", "must be 10 for nps, 5 or 7 for csat, 7 for ces")
}

// answer counts an answer whose score is inside its scale.
func (a *Account) answer(ev *eventv1.Event, s *eventv1.Survey, at Time, scale int32) {
	score := int64(s.GetScore())
	user := ev.GetUserId()
	if s.GetType() == eventv1.Survey_TYPE_NPS && user != "" {
		a.answerNPS(a.root(user), uint8(score), stamp{at, ev.GetMessageId()}) //nolint:gosec // 0 to 10
	}
	day := a.surveyOf(DayOf(at))
	if day == nil {
		return
	}
	day.answered++
	switch s.GetType() {
	case eventv1.Survey_TYPE_NPS:
		if user == "" {
			day.nps.add(answerOf(uint8(score)), 1) //nolint:gosec // 0 to 10
		}
	case eventv1.Survey_TYPE_CSAT:
		const goodOf5, goodOf7 = 4, 5
		day.csat++
		if score >= goodOf7 || (scale == 5 && score >= goodOf5) {
			day.csatGood++
		}
	case eventv1.Survey_TYPE_CES:
		day.ces++
		day.cesSum += score
	case eventv1.Survey_TYPE_UNSPECIFIED:
	}
}

func (a *Account) answerNPS(root string, score uint8, at stamp) {
	u := a.user(root, false)
	if u == nil {
		return
	}
	before := a.stats.of(u)
	if u.answer(score, at) {
		a.stats.replace(before, a.stats.of(u))
	}
	a.thinUsers()
}
