package top

import (
	"fmt"
	"strings"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// cell is one place of a row.
type cell struct {
	text  string
	width int
	right bool
	paint func(string) string
}

// row joins cells, a blank between them.
func row(cells []cell) string {
	parts := make([]string, 0, len(cells))

	for _, c := range cells {
		text := fit(c.text, c.width)
		if c.right {
			text = right(c.text, c.width)
		}

		if c.paint != nil {
			text = c.paint(text)
		}

		parts = append(parts, text)
	}

	return strings.Join(parts, " ")
}

// listLines are the list with its headings.
func (m *Model) listLines() []string {
	if m.tab == tabAccounts {
		return m.drawList(m.accountsTitle(), m.accountCells(nil), len(m.worklist), func(i int) []cell {
			return m.accountCells(m.worklist[i])
		})
	}

	return m.drawList(m.alertsTitle(), m.alertCells(nil), len(m.rows), func(i int) []cell { return m.alertCells(m.rows[i]) })
}

func (m *Model) drawList(title string, heading []cell, n int, cells func(int) []cell) []string {
	l := m.lists[m.tab]
	lines := []string{title, m.paint.dim(row(heading))}

	for i := l.top; i < min(n, l.top+m.listHeight()); i++ {
		line := row(cells(i))
		if i == l.at {
			line = m.paint.chosen(fit(line, m.width))
		}

		lines = append(lines, line)
	}

	return lines
}

func (m *Model) alertsTitle() string {
	title := m.paint.bold("ALERTS")

	switch all, seen := len(m.alerts.open), len(m.rows); {
	case !m.alerts.complete:
		title += "  …"
	case seen == all:
		title += fmt.Sprintf("  %d open", all)
	default:
		title += fmt.Sprintf("  %d of %d open", seen, all)
	}

	return title + m.filterNote(tabAlerts)
}

func (m *Model) accountsTitle() string {
	title := m.paint.bold("ACCOUNTS")
	if int(m.total) > len(m.worklist) {
		title += fmt.Sprintf("  first %d of %d", len(m.worklist), m.total)
	} else {
		title += fmt.Sprintf("  %d", len(m.worklist))
	}

	return title + ", most urgent first" + m.filterNote(tabAccounts)
}

func (m *Model) filterNote(t tab) string {
	if text := m.filters[t].text; text != "" {
		return "  filter: " + clean(text)
	}

	return ""
}

// alertCells are the places of an alert; of none: the headings.
func (m *Model) alertCells(a *alertv1.Alert) []cell {
	account, owner, renews := 14, 8, 6
	if m.width >= wide {
		account, owner, renews = 24, 14, 10
	}

	summary := max(m.width-(4+6+4+account+7+renews+owner+7), 0)
	widths := []int{4, 6, 4, account, 7, renews, owner, summary}
	texts := []string{"SEV", "STATE", "AGE", "ACCOUNT", "AT RISK", "RENEWS", "OWNER", "SUMMARY"}

	if a != nil {
		s := a.GetSubject()
		if s == nil { // it is about a source
			s = &alertv1.Subject{}
		}

		texts = []string{
			severityName(a.GetSeverity()), stateName(a), m.since(a.GetSince().AsTime()), clean(aboutName(a)), money(s.ArrAtRisk),
			m.renews(s.GetRenewalDate()), clean(first(a.GetAssignee(), s.GetOwner(), none)), clean(a.GetSummary()),
		}
	}

	cells := make([]cell, len(texts))
	for i := range texts {
		cells[i] = cell{text: texts[i], width: widths[i], right: i == 2 || i == 4 || (i == 5 && m.width < wide)}
	}

	cells[0].paint = func(text string) string { return m.paint.severity(a.GetSeverity(), text) }

	return cells
}

func (m *Model) since(t time.Time) string { return age(m.now.Sub(t)) }

// renews is the day itself where there is place for it.
func (m *Model) renews(date string) string {
	if m.width >= wide {
		return first(date, none)
	}

	return renewal(date, m.now)
}

// aboutName is what an alert is about.
func aboutName(a *alertv1.Alert) string {
	if a.GetSource() != "" {
		return "source " + a.GetSource()
	}

	return first(a.GetSubject().GetName(), a.GetAccountId())
}

func severityName(s alertv1.Severity) string {
	switch s {
	case alertv1.Severity_SEVERITY_CRITICAL:
		return "crit"
	case alertv1.Severity_SEVERITY_WARNING:
		return "warn"
	case alertv1.Severity_SEVERITY_INFO:
		return "info"
	case alertv1.Severity_SEVERITY_UNSPECIFIED:
	}

	return none
}

// stateName is the state, or what keeps the alert from being delivered.
func stateName(a *alertv1.Alert) string {
	switch state := a.GetState(); {
	case len(a.GetSilencedBy()) > 0:
		return "silent"
	case len(a.GetHeldBy()) > 0:
		return "held"
	case state == alertv1.State_STATE_ACKNOWLEDGED:
		return "ack"
	case state == alertv1.State_STATE_SNOOZED:
		return "snooze"
	default:
		return name(state.String(), "STATE_")
	}
}

// accountCells are the places of an account; of none: the headings.
func (m *Model) accountCells(s *healthv1.AccountSummary) []cell {
	owner, renews := 10, 6
	if m.width >= wide {
		owner, renews = 18, 10
	}

	account := min(m.width-(6+8+6+8+8+renews+owner+7), widest)
	widths := []int{account, 6, 8, 6, 8, 8, renews, owner}
	texts := []string{"ACCOUNT", "SCORE", "BAND", "7 DAYS", "ARR", "AT RISK", "RENEWS", "OWNER"}

	if s != nil {
		texts = []string{
			clean(first(s.GetName(), s.GetAccountId())), score(s.Score), name(s.GetBand().String(), "BAND_"), score(s.ScoreChange_7D),
			money(s.Arr), money(s.ArrAtRisk), m.renews(s.GetRenewalDate()), clean(first(s.GetOwner(), none)),
		}
	}

	cells := make([]cell, len(texts))
	for i := range texts {
		cells[i] = cell{text: texts[i], width: widths[i], right: i == 1 || (i >= 3 && i <= 5) || (i == 6 && m.width < wide)}
	}

	cells[2].paint = func(text string) string { return m.paint.band(s.GetBand(), text) }

	return cells
}
