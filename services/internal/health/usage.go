package health

import (
	"math"
	"slices"
)

const (
	// usageDays is how many days before today the daily sums are kept.
	usageDays = 35
	// maxQuantity is the largest quantity of one event, in micros.
	maxQuantity = 1_000_000_000_000_000
	// maxDayQuantity is where the sum of a day saturates, in micros.
	maxDayQuantity = 100_000_000_000_000_000
)

// usageDay holds the sums of one day.
type usageDay struct {
	day      Day
	logins   uint32
	quantity int64 // micros
}

// usageOf returns the sums of a day, added if need be; nil for a day before all windows.
func (a *Account) usageOf(d Day) *usageDay {
	i := len(a.usage)
	for i > 0 && a.usage[i-1].day >= d {
		i--
	}
	if i < len(a.usage) && a.usage[i].day == d {
		return &a.usage[i]
	}
	if d < a.day-usageDays {
		return nil
	}
	a.usage = slices.Insert(a.usage, i, usageDay{day: d})
	return &a.usage[i]
}

// addQuantity adds to the quantity used on a day.
func (a *Account) addQuantity(d Day, micros int64) {
	if u := a.usageOf(d); u != nil {
		u.quantity = min(u.quantity+micros, maxDayQuantity)
	}
}

// addLogin counts a login on a day.
func (a *Account) addLogin(d Day) {
	if u := a.usageOf(d); u != nil {
		u.logins += min(1, math.MaxUint32-u.logins)
	}
}
