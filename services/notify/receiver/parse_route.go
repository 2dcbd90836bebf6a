package receiver

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"hale.dev/services/internal/document"
	"hale.dev/services/internal/matcher"
)

const (
	defaultWait     = 30 * time.Second
	defaultInterval = 5 * time.Minute
	maxInterval     = 24 * time.Hour
	maxLabel        = 64
)

func (p *parser) route(n document.Node, isDefault bool) {
	required, optional := []string{"receivers", "matchers"}, []string{
		"continue", "group_by", "group_wait", "critical_wait", "group_interval", "quiet_hours",
	}
	if isDefault {
		required, optional = required[:1], optional[1:]
	}

	at, ok := p.Mapping(n, required, optional)
	if !ok {
		return
	}

	r := &Route{Default: isDefault, GroupWait: defaultWait, GroupInterval: defaultInterval}

	if all, ok := at["receivers"]; ok {
		r.Receivers = p.leads(all)
	}

	if all, ok := at["matchers"]; ok {
		r.Matchers = p.matchers(all)
	}

	if b, ok := at["continue"]; ok {
		r.Continue = p.boolean(b)
	}

	if all, ok := at["group_by"]; ok {
		r.GroupBy = p.groupBy(all)
	}

	for key, into := range map[string]*time.Duration{
		"group_wait": &r.GroupWait, "critical_wait": &r.CriticalWait, "group_interval": &r.GroupInterval,
	} {
		if d, ok := at[key]; ok {
			*into = p.duration(d, 0, maxInterval)
		}
	}

	if q, ok := at["quiet_hours"]; ok {
		r.Quiet = p.quiet(q)
	}

	p.set.Routes = append(p.set.Routes, r)
}

func (p *parser) boolean(n document.Node) bool {
	b, ok := n.Node.(*ast.BoolNode)
	if !ok {
		p.Reportf(n, document.CodeWrongType, "must be true or false")

		return false
	}

	return b.Value
}

// leads reads whom a route leads to.
func (p *parser) leads(n document.Node) []string {
	var names []string

	all, ok := p.Sequence(n, maxList)
	if ok && len(all) == 0 {
		p.Reportf(n, CodeNoReceivers, "must name a receiver")
	}

	for _, one := range all {
		name, ok := p.Text(one)
		if ok && p.set.Receiver(name) == nil {
			p.Reportf(one, CodeUnknownReceiver, "there is no receiver %q", name)
		}

		names = append(names, name)
	}

	return names
}

func (p *parser) matchers(n document.Node) []matcher.Matcher {
	var all []matcher.Matcher

	for _, one := range p.list(n, maxList) {
		text, ok := p.Text(one)
		if !ok {
			continue
		}

		m, err := matcher.Parse(text)
		if err != nil {
			p.Reportf(one, CodeMatcher, "%s", err)

			continue
		}

		all = append(all, m)
	}

	return all
}

// groupBy reads fields; account is short for account_id.
func (p *parser) groupBy(n document.Node) []string {
	var fields []string

	for _, one := range p.list(n, maxList) {
		text, ok := p.Text(one)
		if !ok {
			continue
		}

		if text == "account" {
			text = "account_id"
		}

		label, isLabel := strings.CutPrefix(text, "label.")
		if !slices.Contains(matcher.Fields(), text) && (!isLabel || label == "" || len(label) > maxLabel) {
			p.Reportf(one, CodeUnknownField, "no such field; known are %s", document.List(matcher.Fields(), []string{"label.NAME"}))

			continue
		}

		fields = append(fields, text)
	}

	return fields
}

func (p *parser) quiet(n document.Node) *Quiet {
	at, ok := p.Mapping(n, []string{"start", "end", "time_zone"}, []string{"days", "except_critical"})
	if !ok {
		return nil
	}

	q := &Quiet{ExceptCritical: true, Location: time.UTC}

	for key, into := range map[string]*int{"start": &q.Start, "end": &q.End} {
		if t, ok := at[key]; ok {
			*into = p.clock(t)
		}
	}

	if z, ok := at["time_zone"]; ok {
		q.Location = p.zone(z)
	}

	if all, ok := at["days"]; ok {
		q.Days = p.days(all)
	}

	if b, ok := at["except_critical"]; ok {
		q.ExceptCritical = p.boolean(b)
	}

	return q
}

// clock reads a time of day as its minute.
func (p *parser) clock(n document.Node) int {
	text, ok := p.Text(n)
	if !ok {
		return 0
	}

	t, err := time.Parse("15:04", text)
	if err != nil {
		p.Reportf(n, CodeTime, `must be a time of day such as "22:00"`)
	}

	return t.Hour()*60 + t.Minute()
}

func (p *parser) zone(n document.Node) *time.Location {
	text, ok := p.Text(n)
	if !ok {
		return time.UTC
	}

	location, err := time.LoadLocation(text)
	if err != nil || text == "" || text == "Local" {
		p.Reportf(n, CodeTimeZone, "must be a name of the IANA time zone database, such as Europe/Berlin")

		return time.UTC
	}

	return location
}

func (p *parser) days(n document.Node) []time.Weekday {
	var days []time.Weekday

	for _, one := range p.list(n, 7) {
		text, ok := p.Text(one)
		if !ok {
			continue
		}

		at := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, text)
		if at < 0 {
			p.Reportf(one, CodeDay, "must be mon, tue, wed, thu, fri, sat or sun")

			continue
		}

		days = append(days, time.Weekday(at))
	}

	return days
}
