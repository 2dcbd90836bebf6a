package scorecard

import (
	"slices"

	"hale.dev/services/internal/condition"
)

// Stages returns the stages an account can be in.
func Stages() []string { return []string{"onboarding", "adopting", "steady", "renewal", "churned"} }

// Names returns what conditions may ask of an account, in the order of docs/scorecard.md.
func Names() []condition.Name[Subject] {
	return slices.Concat([]condition.Name[Subject]{
		{Path: "stage", Values: Stages(), Text: Subject.Stage},
		{Path: "age_days", Int: func(s Subject) (int64, bool) { return s.AgeDays(), true }},
	}, profileNames(), measureNames())
}

// profileNames are the fields of the profile: every one is there, set or not.
func profileNames() []condition.Name[Subject] {
	var names []condition.Name[Subject]
	for _, field := range []string{"name", "plan", "currency", "owner", "segment", "industry", "parent"} {
		names = append(names, profileText(field))
	}
	for _, field := range []string{"arr", "seats", "term_days"} {
		names = append(names, condition.Name[Subject]{Path: "profile." + field, Number: func(s Subject) (int64, bool) {
			return s.ProfileNumber(field), true
		}})
	}
	return append(names, profileText("created_date"), profileText("renewal_date"),
		condition.Name[Subject]{Path: "profile.traits", Traits: Subject.Traits})
}

func profileText(field string) condition.Name[Subject] {
	return condition.Name[Subject]{Path: "profile." + field, Text: func(s Subject) string { return s.ProfileText(field) }}
}

// measureNames are the measures: those that have data.
func measureNames() []condition.Name[Subject] {
	names := make([]condition.Name[Subject], MeasureCount)
	for m := range MeasureCount {
		names[m] = condition.Name[Subject]{Path: "measures." + m.Name(), Number: func(s Subject) (int64, bool) {
			v := s.Measure(m)
			return v.Micros, v.Known
		}}
	}
	return names
}
