package sender

import (
	"context"
	"fmt"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/internal/egress"
)

// Notification is what a receiver is told at once.
type Notification struct {
	// ID is the same on every try, and differs from that of every other notification.
	ID string
	// Group is a stable key of the group of alerts.
	Group string
	// Workspace is where the alerts come from.
	Workspace string
	// Alerts holds the newest transition of each alert in the group, the most severe first.
	Alerts []*alertv1.Transition
	// Truncated is how many more alerts the group has.
	Truncated int
	// Sent is when it was made, by the engine's clock.
	Sent time.Time
	// Links leads back to Hale.
	Links Links
	// Digest is set if this is a digest; there are no alerts then.
	Digest *Digest
}

// Sender delivers notifications to one receiver. It may be used by several goroutines.
type Sender interface {
	// Send tries once. An *Error says whether another try could help; after any other error it could.
	Send(ctx context.Context, n *Notification) error
}

// Kind is a technology that notifications can be sent by.
type Kind string

// The kinds, as they are written in the receivers document.
const (
	KindSlack        Kind = "slack"
	KindPagerDuty    Kind = "pagerduty"
	KindAlertmanager Kind = "alertmanager"
	KindEmail        Kind = "email"
	KindWebhook      Kind = "webhook"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{KindSlack, KindPagerDuty, KindAlertmanager, KindEmail, KindWebhook}
}

// TakesDigests tells whether digests can be sent by the kind: those for people can, those for incidents cannot.
func (k Kind) TakesDigests() bool { return k == KindSlack || k == KindEmail || k == KindWebhook }

// Settings are those of one receiver: *Slack, *PagerDuty, *Alertmanager, *Email or *Webhook.
type Settings interface {
	// Kind says whose settings they are.
	Kind() Kind
	// Validate returns everything wrong with them, templates too; fields are named from here on.
	Validate() Problems

	// render makes what is sent for a notification at a time. Secrets stand in it as references.
	render(n *Notification, now time.Time) ([]Payload, error)
	// sender makes what sends it.
	sender(deps Deps) Sender
}

// NewSettings returns empty settings to be filled in; nil for an unknown kind.
func NewSettings(kind Kind) Settings {
	switch kind {
	case KindSlack:
		return &Slack{}
	case KindPagerDuty:
		return &PagerDuty{}
	case KindAlertmanager:
		return &Alertmanager{}
	case KindEmail:
		return &Email{}
	case KindWebhook:
		return &Webhook{}
	default:
		return nil
	}
}

// Deps are what senders need from outside.
type Deps struct {
	// Egress is where all outgoing calls go through.
	Egress *egress.Guard
	// Secrets resolves references.
	Secrets *Secrets
	// Now is the clock; nil: that of the machine.
	Now func() time.Time
}

// New returns a sender for valid settings.
func New(settings Settings, deps Deps) (Sender, error) {
	if problems := settings.Validate(); len(problems) > 0 {
		return nil, fmt.Errorf("settings of a receiver by %s: %w", settings.Kind(), problems)
	}

	if deps.Now == nil {
		deps.Now = time.Now
	}

	return settings.sender(deps), nil
}
