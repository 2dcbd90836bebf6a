package health

import "hale.dev/services/internal/scorecard"

// Stage is where an account stands in its life; numbers are those of hale.health.v1.Stage.
type Stage uint8

// The stages.
const (
	StageUnspecified Stage = iota
	StageOnboarding
	StageAdopting
	StageSteady
	StageRenewal
	// StageChurned means that the customer left; nothing is evaluated.
	StageChurned
)

const (
	onboardingDays  = 60
	adoptingDays    = 180
	renewalDays     = 90
	defaultTermDays = 365
)

// String returns the stage's name, for example "onboarding".
func (s Stage) String() string {
	switch s {
	case StageOnboarding:
		return "onboarding"
	case StageAdopting:
		return "adopting"
	case StageSteady:
		return "steady"
	case StageRenewal:
		return "renewal"
	case StageChurned:
		return "churned"
	case StageUnspecified:
	}
	return "unspecified"
}

// ownStage reads a stage that a profile may set by hand; unspecified where it may not.
func ownStage(s string) Stage {
	for _, stage := range [...]Stage{StageOnboarding, StageAdopting, StageSteady, StageRenewal} {
		if s == stage.String() {
			return stage
		}
	}
	return StageUnspecified
}

// churned says whether the churn date has come.
func (a *Account) churned() bool {
	d, ok := a.profile.date(fieldChurnDate)
	return ok && d <= a.day
}

// stage finds the first stage that matches today.
func (a *Account) stage(m milestones) Stage {
	if a.churned() {
		return StageChurned
	}
	if own := ownStage(a.profile.text(fieldStage)); own != StageUnspecified {
		return own
	}
	age := a.age()
	if age < onboardingDays && (m.defined == 0 || m.done < m.defined) {
		return StageOnboarding
	}
	if renewal, ok := a.profile.date(fieldRenewalDate); ok {
		term, set := a.profile.number(fieldTermDays)
		if !set {
			term = defaultTermDays
		}
		if ahead := int64(renewal) - int64(a.day); ahead >= 0 && ahead <= renewalDays && term > renewalDays {
			return StageRenewal
		}
	}
	if age < adoptingDays {
		return StageAdopting
	}
	return StageSteady
}

// milestones counts a workspace's milestones for an account, today.
type milestones struct{ defined, done, due int64 }

func (a *Account) milestones(set *scorecard.Set) milestones {
	m := milestones{defined: int64(len(set.Milestones))}
	if m.defined == 0 {
		return m
	}
	age := a.age()
	for i := range set.Milestones {
		if age >= int64(set.Milestones[i].DueDay) {
			m.due++
		}
		if f, _ := a.features.find(set.Milestones[i].Feature); f != nil {
			m.done++
		}
	}
	return m
}

// age is the account's age in days; 0 on its first day.
func (a *Account) age() int64 {
	first := a.first
	if created, ok := a.profile.date(fieldCreatedDate); ok {
		first = created
	}
	if first == noDay {
		return 0
	}
	return max(0, int64(a.day)-int64(first))
}
