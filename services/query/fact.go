package query

import (
	"cmp"
	"context"
	"math/bits"
	"slices"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/catalog"
)

const (
	// defaultFacts is how long the lists of facts are when the request does not say.
	defaultFacts = 50
	// The windows of the measures that facts go by, in days.
	seenDays, usedDays, npsDays, csatDays, cesDays = 28, 30, 180, 90, 90
	// othersDays is in how many days another account must have used a feature for it to be one that an account lacks.
	othersDays = 90
)

// GetFacts implements HealthService.
func (h *healthServer) GetFacts(
	ctx context.Context, req *healthv1.GetFactsRequest,
) (*healthv1.GetFactsResponse, error) {
	v, err := h.service.account(ctx, req.GetAccountId(), req.GetAtLeast())
	if err != nil {
		return nil, err
	}

	limit := int(req.GetLimit())
	if limit == 0 {
		limit = defaultFacts
	}

	facts, err := h.service.facts(ctx, req.GetAccountId(), v, limit)
	if err != nil {
		return nil, err
	}

	return &healthv1.GetFactsResponse{Facts: facts}, nil
}

// facts is what an account's measures are computed from, each list cut off at limit.
func (s *Service) facts(ctx context.Context, account string, v *view, limit int) (*healthv1.Facts, error) {
	ws, err := workspace(ctx)
	if err != nil {
		return nil, err
	}

	var (
		x     = v.account.Explain(v.set)
		f     = v.account.Facts(v.set)
		today = v.account.Day()
	)

	out := &healthv1.Facts{
		AccountId: account, AsOf: timestamp(v.logTime), Day: today.String(),
		FirstDate: dayWritten(f.First), LastSeenDate: dayWritten(f.LastSeen), LastTouchDate: dayWritten(f.LastTouch),
		Sources: sourceFacts(&f, s.feed.activity(ws, v.state.Sources(ws)), &x, v.logTime), Approximate: f.Sampled,
		Pulse: pulseFact(f.Pulse), Milestones: milestoneFacts(f.Milestones), Surveys: surveyFacts(f.Surveys, today),
		DaysToFirstValue: daysToFirstValue(&f), Goals: goalAnswers(v.account.Goals()),
	}
	addUsers(out, &f, limit)
	addFeatures(out, &f, today, limit)
	addUnused(out, &f, s.feed.features.Since(ws, today-othersDays+1), limit)
	addTickets(out, f.Tickets, limit)

	return out, nil
}

// dayWritten writes a day; empty for nil.
func dayWritten(d *health.Day) string {
	if d == nil {
		return ""
	}

	return d.String()
}

// addUsers adds the users, last seen first.
func addUsers(out *healthv1.Facts, f *health.Facts, limit int) {
	users := make([]*healthv1.UserFact, len(f.Users))

	for i := range f.Users {
		u := &f.Users[i]
		days := bits.OnesCount64(u.Seen & (1<<seenDays - 1))
		users[i] = &healthv1.UserFact{
			UserId: u.ID, Role: u.Role, LastSeenDate: dayWritten(u.Last), DaysSeen: int32(days), //nolint:gosec // at most 28
		}

		if days > 0 {
			out.UsersSeen++
		} else {
			out.UsersUnseen++
		}
	}

	out.UsersSeen, out.UsersUnseen = out.UsersSeen<<f.UsersLevel, out.UsersUnseen<<f.UsersLevel

	slices.SortStableFunc(users, func(a, b *healthv1.UserFact) int {
		return cmp.Or(cmp.Compare(b.GetLastSeenDate(), a.GetLastSeenDate()), cmp.Compare(b.GetDaysSeen(), a.GetDaysSeen()))
	})

	out.Users = users[:min(limit, len(users))]
}

// addFeatures adds the features, last used first.
func addFeatures(out *healthv1.Facts, f *health.Facts, today health.Day, limit int) {
	features := make([]*healthv1.FeatureFact, len(f.Features))

	for i := range f.Features {
		one := &f.Features[i]
		stopped := one.Last <= today-usedDays
		features[i] = &healthv1.FeatureFact{
			Feature: one.Name, FirstDate: one.First.String(), LastDate: one.Last.String(), Stopped: stopped,
		}

		if stopped {
			out.FeaturesStopped++
		} else {
			out.FeaturesUsed++
		}
	}

	out.FeaturesUsed <<= f.FeaturesLevel
	out.FeaturesStopped <<= f.FeaturesLevel

	slices.SortStableFunc(features, func(a, b *healthv1.FeatureFact) int {
		return cmp.Compare(b.GetLastDate(), a.GetLastDate())
	})

	out.Features = features[:min(limit, len(features))]
}

// addUnused adds the features that were never used: those of milestones, then those that other accounts use, each once.
// Where features are a sample, of the others it is not known.
func addUnused(out *healthv1.Facts, f *health.Facts, others []catalog.Use, limit int) {
	told := make(map[string]bool, len(f.Features))
	for i := range f.Features {
		told[f.Features[i].Name] = true
	}

	var unused []string

	add := func(name string) {
		if !told[name] {
			told[name] = true
			unused = append(unused, name)
		}
	}

	for i := range f.Milestones {
		add(f.Milestones[i].Feature)
	}

	for i := range others {
		if f.FeaturesLevel == 0 {
			add(others[i].Name)
		}
	}

	out.FeaturesUnused = unused[:min(limit, len(unused))]
	out.MoreFeaturesUnused = int32(len(unused) - len(out.GetFeaturesUnused())) //nolint:gosec // catalog.Most and few
}

// addTickets adds the open tickets, the weightiest first.
func addTickets(out *healthv1.Facts, tickets []health.TicketFact, limit int) {
	var open []*healthv1.TicketFact

	for i := range tickets {
		t := &tickets[i]
		if !t.Open {
			continue
		}

		opened := t.First
		if t.Opened != nil {
			opened = *t.Opened
		}

		open = append(open, &healthv1.TicketFact{
			TicketId: t.ID, Severity: t.Severity, Escalated: t.Escalated, OpenedAt: timestamp(opened),
			Points: int32(t.Points), //nolint:gosec // at most 20
		})
	}

	out.TicketsOpen = int64(len(open))

	slices.SortStableFunc(open, func(a, b *healthv1.TicketFact) int {
		return cmp.Or(cmp.Compare(b.GetPoints(), a.GetPoints()),
			a.GetOpenedAt().AsTime().Compare(b.GetOpenedAt().AsTime()))
	})

	out.OpenTickets = open[:min(limit, len(open))]
}

// surveyFacts sums the answers of each question up, over the window of its measure.
func surveyFacts(days []health.SurveyFact, today health.Day) []*healthv1.SurveyFact {
	var (
		nps, csat, ces = &healthv1.SurveyFact{Type: "nps"}, &healthv1.SurveyFact{Type: "csat"}, &healthv1.SurveyFact{Type: "ces"}
		sum            int64
	)

	for i := range days {
		d := &days[i]

		if d.Day > today-npsDays {
			nps.Answers += d.NPS
			nps.Favorable += d.Promoters
			nps.Unfavorable += d.Detractors
		}

		if d.Day > today-csatDays {
			csat.Answers += d.CSAT
			csat.Favorable += d.CSATGood
		}

		if d.Day > today-cesDays {
			ces.Answers += d.CES
			sum += d.CESSum
		}
	}

	if ces.GetAnswers() > 0 {
		mean := float64(sum) / float64(ces.GetAnswers())
		ces.Mean = &mean
	}

	return []*healthv1.SurveyFact{nps, csat, ces}
}

// milestoneFacts are the milestones in answers.
func milestoneFacts(all []health.MilestoneFact) []*healthv1.MilestoneFact {
	out := make([]*healthv1.MilestoneFact, len(all))
	for i, m := range all {
		out[i] = &healthv1.MilestoneFact{Feature: m.Feature, DueDate: m.Due.String(), ReachedDate: dayWritten(m.Reached)}
	}

	return out
}

// daysToFirstValue is how long the account took to its first milestone, or to its first usage where none is defined; nil:
// it is not there yet.
func daysToFirstValue(f *health.Facts) *int32 {
	var first *health.Day

	earlier := func(d *health.Day) {
		if d != nil && (first == nil || *d < *first) {
			first = d
		}
	}

	for i := range f.Milestones {
		earlier(f.Milestones[i].Reached)
	}

	for i := range f.Features {
		if len(f.Milestones) == 0 {
			earlier(&f.Features[i].First)
		}
	}

	if first == nil || f.First == nil {
		return nil
	}

	days := int32(max(0, *first-*f.First))

	return &days
}

// pulseFact is the pulse in answers; nil: there is none.
func pulseFact(p *health.PulseFact) *healthv1.PulseFact {
	if p == nil {
		return nil
	}

	return &healthv1.PulseFact{
		Pulse: int32(p.Pulse), SetAt: timestamp(p.At), Author: p.Author, Note: p.Note, Current: p.Current,
	}
}
