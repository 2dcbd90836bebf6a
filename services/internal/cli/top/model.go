package top

import (
	"time"

	tea "charm.land/bubbletea/v2"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// Options say how a view begins.
type Options struct {
	// Place names what is looked at: the server.
	Place string
	// Now is the time until the first Tick.
	Now time.Time
	// Color says whether there are colours.
	Color bool
	// Filter is that of alerts to begin with.
	Filter string
	// Ask sends requests.
	Ask Ask
}

// tab is one of the lists.
type tab int

const (
	tabAlerts tab = iota
	tabAccounts
)

// Model is the view: what it holds, and what the keys have done to it.
type Model struct {
	place         string
	now           time.Time
	ask           Ask
	paint         paint
	width, height int

	alerts    alerts
	accounts  accounts
	portfolio *healthv1.GetPortfolioResponse
	feeds     map[Feed]error // nil: live; absent: not yet

	tab      tab
	over     span
	lists    [2]list
	rows     []*alertv1.Alert // of the list of alerts
	worklist []*healthv1.AccountSummary
	total    int32 // how many accounts the filter wants
	movers   []mover

	filters [2]filter
	prompt  *prompt
	page    *page
	message message
}

// message is what the last command answered.
type message struct {
	text string
	bad  bool
}

// The size until the terminal says it.
const (
	usualWidth, usualHeight = 80, 24
	// mostMovers is how many are shown at most.
	mostMovers = 6
)

// New makes a view that holds nothing yet.
func New(o Options) *Model {
	m := &Model{
		place: o.Place, now: o.Now, ask: o.Ask, paint: paint{color: o.Color}, width: usualWidth, height: usualHeight,
		alerts: newAlerts(), accounts: newAccounts(), feeds: map[Feed]error{},
	}
	m.filters[tabAlerts].text = o.Filter

	return m
}

// Init implements tea.Model.
func (m *Model) Init() tea.Cmd { return m.refilter(tabAlerts) }

// Update implements tea.Model.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		m.prompt.paste(msg.Content)
	case Tick:
		m.tick(time.Time(msg))
	case FeedState:
		m.feeds[msg.Feed] = msg.Err
	case AlertsPart:
		return m, m.alertsPart(msg.Part)
	case AccountsPart:
		m.accountsPart(msg.Part)
	case PortfolioRead:
		m.feeds[FeedPortfolio] = nil
		m.portfolio = msg.Portfolio
		if m.tab == tabAccounts {
			return m, m.refilter(tabAccounts)
		}
	default:
		return m, m.answer(msg)
	}

	return m, nil
}

// tick moves the clock on. Moves are summed up at most once a second, however many there are.
func (m *Model) tick(now time.Time) {
	m.now = now

	if m.accounts.dirty {
		m.move()
	}
}

func (m *Model) move() { m.movers, m.accounts.dirty = m.accounts.movers(m.over, mostMovers), false }

func (m *Model) alertsPart(part *alertv1.WatchAlertsResponse) tea.Cmd {
	m.feeds[FeedAlerts] = nil
	m.alerts.apply(part)
	m.arrange()

	if len(part.GetSnapshot()) == 0 && len(part.GetTransitions()) == 0 {
		return nil
	}

	return m.refilter(tabAlerts)
}

func (m *Model) accountsPart(part *healthv1.WatchHealthResponse) {
	m.feeds[FeedAccounts] = nil
	m.accounts.apply(part)

	if len(m.movers) == 0 && m.accounts.dirty { // the first ones are not waited for
		m.move()
	}
}

// arrange puts the list of alerts in order; the one that was chosen stays so.
func (m *Model) arrange() {
	m.rows = m.alerts.list(m.filters[tabAlerts].wants)
	m.lists[tabAlerts].keep(len(m.rows), func(i int) string { return m.rows[i].GetAlertId() }, m.listHeight())
}

// chosen is the alert under the cursor; nil: there is none.
func (m *Model) chosen() *alertv1.Alert {
	if m.tab != tabAlerts || len(m.rows) == 0 {
		return nil
	}

	return m.rows[m.lists[tabAlerts].at]
}

// account is the id of the account under the cursor; empty: there is none.
func (m *Model) account() string {
	if m.tab == tabAlerts {
		return m.chosen().GetAccountId()
	}

	if len(m.worklist) == 0 {
		return ""
	}

	return m.worklist[m.lists[tabAccounts].at].GetAccountId()
}

// request makes a command of a request.
func (m *Model) request(r any) tea.Cmd {
	ask := m.ask

	return func() tea.Msg { return ask(r) }
}

func (m *Model) say(text string)  { m.message = message{text: text} }
func (m *Model) warn(text string) { m.message = message{text: text, bad: true} }
