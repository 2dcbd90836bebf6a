package demo

// Story is what happens to an account in its history.
type Story int

// The stories.
const (
	// Steady accounts go on as they always did.
	Steady Story = iota
	// Growing accounts add users and features, and say they are happy.
	Growing
	// Leaving accounts use the product less and less, and say nothing.
	Leaving
	// Angry accounts use it, and suffer: urgent tickets, bad answers.
	Angry
	// Stalled accounts are new and stopped half way through onboarding.
	Stalled
)

// Stories returns all stories.
func Stories() []Story { return []Story{Steady, Growing, Leaving, Angry, Stalled} }

// String names the story for people.
func (s Story) String() string {
	switch s {
	case Steady:
		return "steady"
	case Growing:
		return "growing"
	case Leaving:
		return "quietly leaving"
	case Angry:
		return "angry"
	case Stalled:
		return "onboarding stalled"
	default:
		return "unknown"
	}
}

// plot is what a story means in numbers. Shares are of users, rates are per account and day.
type plot struct {
	// weight is the story's share of the portfolio, in percent.
	weight int
	// presence is how likely a user shows up on a working day; reach is the share of users who
	// ever do, at least and at most.
	presence, reach, reachMost float64
	// breadth is how many features an account uses; accounts differ from it by one or two.
	breadth int
	// tickets opened a day, share of them urgent or high, and hours until they close.
	tickets, severe, hours float64
	// unsolved is the share of recent tickets that stay open.
	unsolved float64
	// mood shifts answers: -1 angry to 1 delighted.
	mood float64
	// answers is the share of surveys that are answered.
	answers float64
	// touchEvery is the days between two talks with the success manager; pulse is how they feel.
	touchEvery, pulse int
}

func (s Story) plot() plot {
	switch s {
	case Growing:
		return plot{
			weight: 20, presence: 0.40, reach: 0.8, reachMost: 1, breadth: 9,
			tickets: 0.03, severe: 0.05, hours: 14, unsolved: 0.02, mood: 0.9, answers: 0.40, touchEvery: 18, pulse: 5,
		}
	case Leaving:
		return plot{
			weight: 14, presence: 0.36, reach: 0.7, reachMost: 1, breadth: 6,
			tickets: 0.02, severe: 0.10, hours: 40, unsolved: 0.05, mood: -0.2, answers: 0.08, touchEvery: 40, pulse: 3,
		}
	case Angry:
		return plot{
			weight: 10, presence: 0.30, reach: 0.4, reachMost: 0.7, breadth: 5,
			tickets: 0.14, severe: 0.60, hours: 190, unsolved: 0.45, mood: -0.9, answers: 0.30, touchEvery: 25, pulse: 2,
		}
	case Stalled:
		return plot{
			weight: 8, presence: 0.24, reach: 0.3, reachMost: 0.5, breadth: 2,
			tickets: 0.03, severe: 0.15, hours: 60, unsolved: 0.20, mood: -0.1, answers: 0.15, touchEvery: 20, pulse: 3,
		}
	case Steady:
	}

	return plot{
		weight: 48, presence: 0.34, reach: 0.5, reachMost: 1, breadth: 6,
		tickets: 0.035, severe: 0.12, hours: 30, unsolved: 0.05, mood: 0.4, answers: 0.22, touchEvery: 28, pulse: 4,
	}
}

// intensity is how much of its usual self an account is, at a point of its history: ago is the
// days before the end, days the length of the history.
func (s Story) intensity(ago, days float64) float64 {
	switch s {
	case Growing:
		return 0.55 + 0.60*(1-ago/max(days, 1))
	case Leaving:
		const begins = 50 // days before the end

		if ago >= begins {
			return 1
		}

		left := ago / begins // 1 when it begins, 0 at the end

		return 0.02 + 0.98*left*left
	case Angry:
		return 0.75 + 0.25*min(1, ago/40)
	case Stalled:
		const stopped = 12 // days before the end

		if ago < stopped {
			return 0
		}

		return 1
	case Steady:
	}

	return 1
}
