package top

import (
	"time"

	tea "charm.land/bubbletea/v2"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// Ask sends a request and waits for the message that answers it. It is not called by the model itself, but by the program
// that runs the model, beside it.
type Ask func(request any) tea.Msg

// Feed is one of the streams that messages come from.
type Feed string

// The feeds.
const (
	FeedAlerts    Feed = "alerts"
	FeedAccounts  Feed = "accounts"
	FeedPortfolio Feed = "portfolio"
)

// FeedState says how a feed is.
type FeedState struct {
	Feed Feed
	// Err is why it was cut, and is tried again; nil: it is live.
	Err error
}

// AlertsPart is the next part of the watch of alerts.
type AlertsPart struct{ Part *alertv1.WatchAlertsResponse }

// AccountsPart is the next part of the watch of accounts.
type AccountsPart struct{ Part *healthv1.WatchHealthResponse }

// PortfolioRead holds the figures of the portfolio.
type PortfolioRead struct {
	Portfolio *healthv1.GetPortfolioResponse
}

// Tick says what time it is, every second.
type Tick time.Time

// Action is what can be decided about an alert.
type Action string

// The actions.
const (
	Acknowledge Action = "acknowledge"
	Snooze      Action = "snooze"
	Resolve     Action = "resolve"
	Comment     Action = "comment"
)

// Decide asks for a decision about an alert; Decided answers it.
type Decide struct {
	Action  Action
	AlertID string
	// Revision is the one that the person saw.
	Revision uint32
	// For is how long to snooze, Text what to say.
	For  time.Duration
	Text string
}

// Decided is what became of a decision.
type Decided struct {
	Request Decide
	// Alert is the alert as the decision left it.
	Alert *alertv1.Alert
	Err   error
}

// Explain asks why the score of an account is what it is; Explained answers it.
type Explain struct{ AccountID string }

// Explained is the explanation, as text.
type Explained struct {
	AccountID, Text string
	Err             error
}

// Match asks which open alerts a filter wants; Matched answers it.
type Match struct{ Filter string }

// Matched are the ids of the open alerts that a filter wants.
type Matched struct {
	Filter string
	IDs    []string
	Err    error
}

// List asks for the accounts to work on; Listed answers it.
type List struct{ Filter string }

// Listed are accounts, the most urgent first.
type Listed struct {
	Filter   string
	Accounts []*healthv1.AccountSummary
	Total    int32
	Err      error
}
