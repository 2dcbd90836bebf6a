package top

import tea "charm.land/bubbletea/v2"

// filter is which rows of a list are wanted.
type filter struct {
	text string
	// ids are the alerts that the server found; unused without a text.
	ids map[string]bool
	// asked says that a request is under way, again that what it answers will be old.
	asked, again bool
}

// wants says whether an alert is to be seen.
func (f *filter) wants(id string) bool { return f.text == "" || f.ids[id] }

// refilter asks the server what a list wants, one request at a time.
func (m *Model) refilter(t tab) tea.Cmd {
	f := &m.filters[t]

	switch {
	case t == tabAlerts && f.text == "":
		return nil
	case f.asked:
		f.again = true

		return nil
	}

	f.asked, f.again = true, false

	if t == tabAccounts {
		return m.request(List{Filter: f.text})
	}

	return m.request(Match{Filter: f.text})
}

// setFilter takes what was typed.
func (m *Model) setFilter(t tab, text string) tea.Cmd {
	f := &m.filters[t]
	f.text, f.ids = text, nil

	m.say("")

	if t == tabAlerts {
		m.arrange()
	}

	return m.refilter(t)
}

// answered says that a request has come back, and asks again if it has to be.
func (m *Model) answered(t tab, text string) (current bool, next tea.Cmd) {
	f := &m.filters[t]
	again := f.again || f.text != text
	f.asked, f.again = false, false

	if again {
		next = m.refilter(t)
	}

	return f.text == text, next
}

func (m *Model) matched(a Matched) tea.Cmd {
	current, next := m.answered(tabAlerts, a.Filter)
	if !current {
		return next
	}

	if a.Err != nil {
		m.warn("filter: " + a.Err.Error())

		return next
	}

	ids := make(map[string]bool, len(a.IDs))
	for _, id := range a.IDs {
		ids[id] = true
	}

	m.filters[tabAlerts].ids = ids
	m.arrange()

	return next
}

func (m *Model) listed(a Listed) tea.Cmd {
	current, next := m.answered(tabAccounts, a.Filter)
	if !current {
		return next
	}

	if a.Err != nil {
		m.warn("accounts: " + a.Err.Error())

		if m.filters[tabAccounts].text != "" {
			m.worklist, m.total = nil, 0
		}

		return next
	}

	m.worklist, m.total = a.Accounts, a.Total
	m.lists[tabAccounts].keep(len(m.worklist), m.worklistID, m.listHeight())

	return next
}

func (m *Model) worklistID(i int) string { return m.worklist[i].GetAccountId() }
