package ingest

import (
	"slices"
	"strings"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// kind is what an event is about. The sources that a service takes are kinds.
type kind uint8

// The kinds.
const (
	kindNone kind = iota
	kindUsage
	kindLogin
	kindTicket
	kindSurvey
	kindAccount
	kindUser
	kindInteraction
	kinds
)

// kindNames in the order of the kinds.
func kindNames() [kinds]string {
	return [kinds]string{"", "usage", "login", "ticket", "survey", "account", "user", "interaction"}
}

// Sources lists the names that Config.Sources may have.
func Sources() []string {
	names := kindNames()

	return slices.Clone(names[kindUsage:])
}

// String returns the kind's name.
func (k kind) String() string { return kindNames()[k] }

// parseKind returns kindNone for an unknown name.
func parseKind(name string) kind {
	names := kindNames()

	return kind(max(0, slices.Index(names[:], name))) //nolint:gosec // an index of kinds
}

// kindOf returns the kind of an event; kindNone if it has no body.
func kindOf(e *eventv1.Event) kind {
	switch e.GetBody().(type) {
	case *eventv1.Event_Usage:
		return kindUsage
	case *eventv1.Event_Login:
		return kindLogin
	case *eventv1.Event_Ticket:
		return kindTicket
	case *eventv1.Event_Survey:
		return kindSurvey
	case *eventv1.Event_Account:
		return kindAccount
	case *eventv1.Event_User:
		return kindUser
	case *eventv1.Event_Interaction:
		return kindInteraction
	default:
		return kindNone
	}
}

// setKind gives an event an empty body of its kind.
func setKind(e *eventv1.Event, k kind) {
	switch k {
	case kindUsage:
		e.Body = &eventv1.Event_Usage{Usage: &eventv1.Usage{}}
	case kindLogin:
		e.Body = &eventv1.Event_Login{Login: &eventv1.Login{}}
	case kindTicket:
		e.Body = &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{}}
	case kindSurvey:
		e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{}}
	case kindAccount:
		e.Body = &eventv1.Event_Account{Account: &eventv1.Account{}}
	case kindUser:
		e.Body = &eventv1.Event_User{User: &eventv1.User{}}
	case kindInteraction:
		e.Body = &eventv1.Event_Interaction{Interaction: &eventv1.Interaction{}}
	case kindNone, kinds:
	}
}

// kindList lists the kinds for a message.
func kindList() string { return strings.Join(Sources(), ", ") }
