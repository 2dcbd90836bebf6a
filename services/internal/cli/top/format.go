package top

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// none stands for what has no data.
const none = "-"

// money is a sum in few places: 950, 16.4k, 1.25M.
func money(v *float64) string {
	if v == nil {
		return none
	}

	switch size := math.Abs(*v); {
	case size >= 999_500:
		return strconv.FormatFloat(*v/1e6, 'f', 2, 64) + "M"
	case size >= 999.5:
		return strconv.FormatFloat(*v/1e3, 'f', 1, 64) + "k"
	default:
		return strconv.FormatFloat(*v, 'f', 0, 64)
	}
}

func score(v *float64) string {
	if v == nil {
		return none
	}

	return strconv.FormatFloat(*v, 'f', 1, 64)
}

// whole is a sum in full, with its thousands apart.
func whole(v float64) string {
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)

	var b strings.Builder

	if v < 0 && digits != "0" {
		b.WriteByte('-')
	}

	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}

		b.WriteRune(d)
	}

	return b.String()
}

// age is how long ago something was, in its largest unit: 40s, 5m, 3h, 12d.
func age(d time.Duration) string {
	const day = 24 * time.Hour

	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 2*day:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	default:
		return fmt.Sprintf("%dd", int(d/day))
	}
}

// renewal is how far away a day is.
func renewal(date string, now time.Time) string {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return none
	}

	return strconv.Itoa(int(math.Ceil(at.Sub(now.UTC()).Hours()/24))) + "d"
}

// name is the name of a member of an enumeration, as people write it.
func name(full, prefix string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(full, prefix)), "_", " ")
}
