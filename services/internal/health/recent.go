package health

import "hale.dev/services/internal/scorecard"

// RecentDays is for how many past days an account itself knows how each ended; days before stand in its history only.
const RecentDays = 31

// DayEnd is how a day ended. Score and band are the computed ones.
type DayEnd struct {
	// Day that ended.
	Day Day
	// Score is 0 to 100, in micros; unknown where no measure had data.
	Score scorecard.Value
	// Band at the end of the day.
	Band Band
}

// Recent returns how the last RecentDays ended, oldest first. Days without a row of history are left out.
func (a *Account) Recent() []DayEnd { return nil }

// CardSince returns the first day at whose end the scorecard that applies now, in its version, applied without a break;
// today if it did not yet at the end of yesterday. A change of the score over days is a change of the
// customer only from that day on.
func (a *Account) CardSince() Day { return a.day }
