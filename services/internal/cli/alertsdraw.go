package cli

import (
	"fmt"
	"io"
	"strings"
)

// about is what an alert is about: an account, or a source.
func (v *alertView) about() string {
	if v.Source != "" {
		return "source " + v.Source
	}

	return v.AccountID
}

// atRisk is the money at risk.
func (v *alertView) atRisk() string {
	if v.Account == nil || v.Account.ARRAtRisk == nil {
		return noData
	}

	return strings.TrimSpace(decimal(*v.Account.ARRAtRisk, 0) + " " + v.Account.Currency)
}

// stands is the state, with what keeps the alert from being delivered.
func (v *alertView) stands() string {
	state := v.State
	if len(v.HeldBy) > 0 {
		state += ", held"
	}

	if len(v.SilencedBy) > 0 {
		state += ", silenced"
	}

	return state
}

func drawAlerts(views []alertView) func(io.Writer) error {
	return func(w io.Writer) error {
		t := table{columns: []column{
			{name: "ALERT"},
			{name: "SINCE"},
			{name: "STATE"},
			{name: "SEVERITY"},
			{name: "ACCOUNT"},
			{name: "AT RISK", right: true},
			{name: "ASSIGNEE"},
			{name: "SUMMARY"},
		}}

		for i := range views {
			v := &views[i]
			t.add(v.AlertID, seconds(v.Since), v.stands(), v.Severity, v.about(), v.atRisk(), v.Assignee, v.Summary)
		}

		return t.write(w)
	}
}

// drawTrail writes an alert for people: what it is, what moved, and what happened.
func drawTrail(v *trailView) func(io.Writer) error {
	return func(w io.Writer) error {
		if err := v.Alert.draw(w); err != nil {
			return err
		}

		if err := section(w, "What moved", moversTable(v.Alert.Drivers)); err != nil {
			return err
		}

		if err := section(w, "What happened", trailTable(v.Trail)); err != nil {
			return err
		}

		return section(w, "Deliveries", deliveriesTable(v.Deliveries))
	}
}

// section writes a table under its title, unless it is empty.
func section(w io.Writer, title string, t table) error {
	if len(t.rows) == 0 {
		return nil
	}

	if _, err := fmt.Fprintf(w, "\n%s\n", title); err != nil {
		return err //nolint:wrapcheck // a failed write to stdout says it all
	}

	return t.write(w)
}

// draw writes what an alert is.
func (v *alertView) draw(w io.Writer) error {
	t := table{columns: []column{{name: "ALERT"}, {name: v.AlertID}}}
	line := func(name, value string) {
		if value != "" {
			t.add(name, value)
		}
	}

	line("summary", v.Summary)
	line("state", v.stands()+", revision "+number(uint64(v.Revision)))
	line("severity", v.Severity)
	line("about", v.about())
	line("rule", v.Rule)
	line("since", seconds(v.Since))
	line("fired", seconds(v.FireTime))
	line("resolved", seconds(v.ResolveTime))
	line("acknowledged by", v.AcknowledgedBy)
	line("assignee", v.Assignee)
	line("snoozed until", seconds(v.SnoozeUntil))
	line("held by", strings.Join(v.HeldBy, ", "))
	line("silenced by", strings.Join(v.SilencedBy, ", "))

	if s := v.Account; s != nil {
		line("name", s.Name)
		line("score", optional(s.Score, 1)+" "+s.Band)
		line("owner", s.Owner)
		line("arr at risk", v.atRisk())
		line("renews", s.RenewalDate)
	}

	line("runbook", v.RunbookURL)

	return t.write(w)
}

func moversTable(all []moverView) table {
	t := table{columns: []column{
		{name: "MEASURE"},
		{name: "BEFORE", right: true},
		{name: "NOW", right: true},
		{name: "UNIT"},
		{name: "SCORE", right: true},
	}}

	for _, d := range all {
		t.add(d.Measure, optional(d.Before, 1), optional(d.After, 1), d.Unit, fmt.Sprintf("%+.1f", d.ScoreChange))
	}

	return t
}

func trailTable(all []transitionView) table {
	t := table{columns: []column{{name: "AT"}, {name: "WHAT"}, {name: "WHO"}, {name: "NOTE"}}}

	for _, one := range all {
		t.add(seconds(one.At), one.Kind, first(one.Author, "hale"), one.Note)
	}

	return t
}

func deliveriesTable(all []alertDeliveryView) table {
	t := table{columns: []column{
		{name: "AT"},
		{name: "RECEIVER"},
		{name: "STATUS"},
		{name: "TRIES", right: true},
		{name: "REASON"},
	}}

	for _, d := range all {
		t.add(seconds(d.At), d.Receiver, d.Status, number(uint64(d.Attempts)), d.Reason)
	}

	return t
}
