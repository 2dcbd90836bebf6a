package rule

import (
	"strconv"
	"strings"
	"time"

	"hale.dev/services/internal/document"
)

// maxDuration bounds every duration: 90 days.
const maxDuration = 90 * 24 * time.Hour

// never is the duration after which nothing is escalated.
const never = "never"

// times reads the rule's durations and fills in what it leaves out.
func (p *parser) times(at document.Keys, r *Rule) {
	r.For = p.duration(at, "for", 0)
	r.KeepFiringFor = p.duration(at, "keep_firing_for", 0)
	n, ok := at["escalate_after"]
	if !ok {
		r.EscalateAfter = escalateAfter(r.Severity).Microseconds()
		return
	}
	if text, ok := p.Text(n); ok && text != never {
		r.EscalateAfter = p.duration(at, "escalate_after", time.Minute)
	}
}

// escalateAfter is where the rule does not say.
func escalateAfter(s Severity) time.Duration {
	switch s {
	case SeverityCritical:
		return time.Hour
	case SeverityWarning:
		return 24 * time.Hour
	case SeverityInfo:
		return 0
	default:
		return 0
	}
}

// duration reads a duration, in microseconds; 0 where the key is absent.
func (p *parser) duration(at document.Keys, key string, least time.Duration) int64 {
	n, ok := at[key]
	if !ok {
		return 0
	}
	text, ok := p.Text(n)
	if !ok {
		return 0
	}
	d, ok := parseDuration(text)
	switch {
	case !ok:
		p.Reportf(n, CodeDuration, "must be a duration such as 30m, 24h, 7d or 1d12h")
	case d < least || d > maxDuration:
		p.Reportf(n, CodeDuration, "must be from %s to 90d", least)
	}
	return d.Microseconds()
}

// parseDuration reads whole numbers of days, hours, minutes and seconds, the larger unit first: 1d12h.
func parseDuration(text string) (time.Duration, bool) {
	const digits = "0123456789"
	units := "dhms"
	lengths := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	var total time.Duration
	for rest := text; rest != ""; {
		i := len(rest) - len(strings.TrimLeft(rest, digits))
		if i == 0 || i > 9 || i == len(rest) {
			return 0, false
		}
		unit := strings.IndexByte(units, rest[i])
		if unit < 0 {
			return 0, false
		}
		n, err := strconv.Atoi(rest[:i])
		if err != nil {
			return 0, false
		}
		length := lengths[rest[i]]
		if time.Duration(n) > maxDuration/length {
			return maxDuration + 1, true
		}
		total += time.Duration(n) * length
		units, rest = units[unit+1:], rest[i+1:]
	}
	return total, text != ""
}
