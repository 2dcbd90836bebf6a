package health

import (
	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

func (a *Account) addSurvey(ev *eventv1.Event, s *eventv1.Survey, at Time) {
	if s.GetAction() == eventv1.Survey_ACTION_ANSWERED {
		scale, _ := surveyScale(s)
		a.answer(ev, s, at, scale)
		return
	}
	if day := a.surveyOf(DayOf(at)); day != nil {
		day.sent++
	}
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
