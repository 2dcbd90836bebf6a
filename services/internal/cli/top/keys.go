package top

import (
	tea "charm.land/bubbletea/v2"
)

// key does what a key says: to the prompt, the page, or the lists, whichever lies on top.
func (m *Model) key(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case k.String() == "ctrl+c":
		return tea.Quit
	case m.prompt != nil:
		return m.promptKey(k)
	case m.page != nil:
		if !m.page.key(k, m.pageHeight()) {
			m.page = nil
		}

		return nil
	case m.scroll(k.String()):
		return nil
	}

	return m.command(k.String())
}

// scroll moves the cursor.
func (m *Model) scroll(key string) bool {
	l, height := &m.lists[m.tab], m.listHeight()
	n, id := len(m.rows), func(i int) string { return m.rows[i].GetAlertId() }

	if m.tab == tabAccounts {
		n, id = len(m.worklist), m.worklistID
	}

	switch key {
	case "up", "k":
		l.to(l.at-1, n, id, height)
	case "down", "j":
		l.to(l.at+1, n, id, height)
	case "pgup":
		l.to(l.at-height, n, id, height)
	case "pgdown":
		l.to(l.at+height, n, id, height)
	case "home", "g":
		l.to(0, n, id, height)
	case "end", "G":
		l.to(n-1, n, id, height)
	default:
		return false
	}

	return true
}

// command does what the other keys of the lists say.
func (m *Model) command(key string) tea.Cmd {
	switch key {
	case "q":
		return tea.Quit
	case "?":
		m.page = help()
	case "tab":
		return m.turn()
	case "m":
		m.over = session - m.over
		m.move()
	case "esc":
		m.say("")
	case "/":
		m.prompt = textPrompt("filter", m.filters[m.tab].text, func(text string) tea.Cmd { return m.setFilter(m.tab, text) })
		m.prompt.empty = true
	case "enter":
		return m.explain()
	case "a", "s", "r", "c":
		return m.about(key)
	}

	return nil
}

// turn shows the other list.
func (m *Model) turn() tea.Cmd {
	m.say("")

	m.tab = tabAccounts - m.tab
	if m.tab == tabAccounts {
		return m.refilter(tabAccounts)
	}

	return nil
}

// explain opens the explanation of the account under the cursor.
func (m *Model) explain() tea.Cmd {
	id := m.account()
	if id == "" {
		if m.chosen() != nil {
			m.say("this alert is about a source, not about an account")
		}

		return nil
	}

	m.page = newPage("account "+clean(id), id, "…")

	return m.request(Explain{AccountID: id})
}

// about begins a decision about the alert under the cursor. It is about that one whatever the list does meanwhile.
func (m *Model) about(key string) tea.Cmd {
	alert := m.chosen()
	if alert == nil {
		m.say("no alert is chosen")

		return nil
	}

	d := Decide{AlertID: alert.GetAlertId(), Revision: alert.GetRevision()}
	name := first(alert.GetAccountId(), alert.GetSource())

	switch key {
	case "a":
		d.Action = Acknowledge

		return m.decide(d)
	case "s":
		d.Action = Snooze
		m.prompt = choicePrompt("snooze "+clean(name)+" for", snoozes(), func(n int) tea.Cmd {
			d.For = snoozes()[n].long

			return m.decide(d)
		})
	case "r":
		d.Action = Resolve
		m.prompt = confirmPrompt("resolve "+clean(name)+"?", func() tea.Cmd { return m.decide(d) })
	case "c":
		d.Action, d.Revision = Comment, 0
		m.prompt = textPrompt("comment on "+clean(name), "", func(text string) tea.Cmd {
			d.Text = text

			return m.decide(d)
		})
	}

	return nil
}
