package sender

import (
	"net/url"
	"strings"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// Links makes addresses of Hale's console.
type Links struct {
	// Console is its base URL; empty: there is none, and no links.
	Console string
}

// Alert is the address of an alert; empty if there are no links.
func (l Links) Alert(id string) string { return l.page("alerts", id) }

// Account is the address of an account; empty if there are no links, or no account.
func (l Links) Account(id string) string { return l.page("accounts", id) }

func (l Links) page(kind, id string) string {
	if l.Console == "" || id == "" {
		return ""
	}

	return strings.TrimRight(l.Console, "/") + "/" + kind + "/" + url.PathEscape(id)
}

// Digest is what happened to an owner's accounts over a period.
type Digest struct {
	// Owner is whose accounts they are; empty: all accounts.
	Owner string
	// From and To bound the period.
	From, To time.Time
	// Fell and Rose hold the accounts whose score moved most, the farthest first.
	Fell, Rose []Move
	// Renewals holds the accounts that renew soon, the next first.
	Renewals []Account
	// Open holds the open alerts, the most severe first.
	Open []*alertv1.Alert
}

// Account is one of a digest.
type Account struct {
	// ID is its id.
	ID string
	// Subject is how it is now.
	Subject *alertv1.Subject
}

// Move is how a score moved over the period.
type Move struct {
	Account

	// Before and After are the score then and now.
	Before, After float64
}
