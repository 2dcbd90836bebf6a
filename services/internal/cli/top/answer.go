package top

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// answer takes in what a request was answered.
func (m *Model) answer(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case Decided:
		return m.decided(msg)
	case Explained:
		m.explained(msg)
	case Matched:
		return m.matched(msg)
	case Listed:
		return m.listed(msg)
	}

	return nil
}

// decide sends a decision.
func (m *Model) decide(d Decide) tea.Cmd {
	m.say(string(d.Action) + " …")

	return m.request(d)
}

// decided shows what became of a decision. The alert is taken as answered: the feed may be behind.
func (m *Model) decided(d Decided) tea.Cmd {
	if d.Err != nil {
		m.warn(string(d.Request.Action) + ": " + d.Err.Error())

		return nil
	}

	m.alerts.put(d.Alert)
	m.arrange()

	about := d.Alert.GetAccountId()
	if about == "" {
		about = d.Alert.GetSource()
	}

	text := done(d.Request.Action) + ": " + about + ", " + clean(d.Alert.GetSummary())

	if by := d.Alert.GetAcknowledgedBy(); d.Request.Action == Acknowledge && by != "" {
		text += ", by " + clean(by)
	}

	if d.Request.Action == Snooze {
		text += ", until " + d.Alert.GetSnoozeUntil().AsTime().Format(time.DateTime) + " UTC"
	}

	m.say(text)

	return m.refilter(tabAlerts)
}

func done(a Action) string {
	switch a {
	case Acknowledge:
		return "acknowledged"
	case Snooze:
		return "snoozed"
	case Resolve:
		return "resolved"
	case Comment:
		return "comment added"
	default:
		return string(a)
	}
}

func (m *Model) explained(e Explained) {
	if m.page == nil || m.page.id != e.AccountID {
		return // the person went on
	}

	if e.Err != nil {
		m.page = nil
		m.warn("explanation of " + clean(e.AccountID) + ": " + e.Err.Error())

		return
	}

	m.page.set(e.Text)
}
