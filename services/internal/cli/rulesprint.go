package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// printOutcome writes the alerts that would have been, and what the rules came to; lines of JSON have the alerts only.
func (a *app) printOutcome(v outcomeView) error {
	p := a.printer()
	if p.format == formatJSONL {
		return many(p, v.Alerts, nil)
	}

	return p.one(v, func(w io.Writer) error {
		if len(v.Alerts) > 0 {
			if err := alertsTable(v.Alerts).write(w); err != nil {
				return err
			}

			if _, err := io.WriteString(w, "\n"); err != nil {
				return err //nolint:wrapcheck // a failed write to stdout says it all
			}
		}

		return testedTable(v.Rules).write(w)
	})
}

func alertsTable(alerts []wouldHaveBeen) *table {
	t := &table{columns: []column{
		{name: "FIRED"},
		{name: "RESOLVED"},
		{name: "OPEN FOR", right: true},
		{name: "SEVERITY"},
		{name: "ACCOUNT"},
		{name: "RULE"},
		{name: "NOTE"},
		{name: "SUMMARY"},
	}}
	for _, a := range alerts {
		t.add(seconds(a.Fired), first(seconds(a.Resolved), "-"), spanText(a.Seconds), a.Severity,
			first(a.AccountID, "source "+a.Source), a.Rule, first(alertNote(a), "-"), a.Summary)
	}

	return t
}

// alertNote says what is special about an alert.
func alertNote(a wouldHaveBeen) string {
	switch {
	case a.Flapping && !a.Delivered:
		return "flapping, not delivered"
	case a.Flapping:
		return "flapping"
	case !a.Delivered:
		return "not delivered"
	default:
		return ""
	}
}

func testedTable(rules []testedRule) *table {
	t := &table{columns: []column{
		{name: "RULE"},
		{name: "FIRED", right: true},
		{name: "PER WEEK", right: true},
		{name: "NOT DELIVERED", right: true},
		{name: "STILL OPEN", right: true},
		{name: "FLAPPING", right: true},
		{name: "MEDIAN OPEN", right: true},
	}}
	for _, r := range rules {
		median := "-"
		if r.Median != nil {
			median = spanText(*r.Median)
		}

		t.add(r.Rule, strconv.Itoa(r.Fired), fmt.Sprintf("%.1f", r.PerWeek), strconv.Itoa(r.Undelivered), strconv.Itoa(r.Open),
			strconv.Itoa(r.Flapping), median)
	}

	return t
}

// spanText writes a time in its two largest units: 3d4h, 2h5m, 40s.
func spanText(seconds int64) string {
	const day = 24 * time.Hour

	d := time.Duration(seconds) * time.Second
	days, hours, minutes := d/day, d%day/time.Hour, d%time.Hour/time.Minute

	switch {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm%ds", minutes, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%ds", d/time.Second)
	}
}
