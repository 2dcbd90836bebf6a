package sender

import (
	"context"
	"errors"
	"time"
)

// errPending marks adapters that are not written yet.
var errPending = errors.New("not written yet")

type pending struct{}

func (pending) Send(context.Context, *Notification) error { return errPending }

// Validate implements Settings.
func (*Slack) Validate() Problems                                 { return nil }
func (*Slack) render(*Notification, time.Time) ([]Payload, error) { return nil, errPending }
func (*Slack) sender(Deps) Sender                                 { return pending{} }

// Validate implements Settings.
func (*PagerDuty) Validate() Problems                                 { return nil }
func (*PagerDuty) render(*Notification, time.Time) ([]Payload, error) { return nil, errPending }
func (*PagerDuty) sender(Deps) Sender                                 { return pending{} }

// Validate implements Settings.
func (*Alertmanager) Validate() Problems                                 { return nil }
func (*Alertmanager) render(*Notification, time.Time) ([]Payload, error) { return nil, errPending }
func (*Alertmanager) sender(Deps) Sender                                 { return pending{} }

// Validate implements Settings.
func (*Email) Validate() Problems                                 { return nil }
func (*Email) render(*Notification, time.Time) ([]Payload, error) { return nil, errPending }
func (*Email) sender(Deps) Sender                                 { return pending{} }

// Validate implements Settings.
func (*Webhook) Validate() Problems                                 { return nil }
func (*Webhook) render(*Notification, time.Time) ([]Payload, error) { return nil, errPending }
func (*Webhook) sender(Deps) Sender                                 { return pending{} }
