package receiver

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/notify/internal/sender"
)

// ErrNoReceiver is returned for a receiver that the document does not have.
var ErrNoReceiver = errors.New("there is no such receiver")

// Shown is one thing that would be sent.
type Shown struct {
	// To is where it goes: an address, or the reference of the secret that holds it.
	To string `json:"to"`
	// ContentType is what Body is.
	ContentType string `json:"content_type"`
	// Body is what would be sent.
	Body string `json:"body"`
}

// Preview returns what a receiver would be sent for a made-up alert, and sends nothing.
func (s *Set) Preview(name, console string) ([]Shown, error) { return s.preview(name, sample(console)) }

// PreviewDigest returns what a receiver would be sent for a made-up digest, and sends nothing.
func (s *Set) PreviewDigest(name, console string) ([]Shown, error) {
	n := sample(console)
	n.Digest, n.Alerts = sampleDigest(n), nil

	return s.preview(name, n)
}

func (s *Set) preview(name string, n *sender.Notification) ([]Shown, error) {
	r := s.Receiver(name)
	if r == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoReceiver, name)
	}

	payloads, err := sender.Preview(r.Settings, n)
	if err != nil {
		return nil, fmt.Errorf("rendering for %s: %w", name, err)
	}

	all := make([]Shown, 0, len(payloads))
	for _, p := range payloads {
		all = append(all, Shown{To: p.To, ContentType: p.ContentType, Body: string(p.Body)})
	}

	return all, nil
}

// sample is a made-up notification.
func sample(console string) *sender.Notification {
	at := time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)
	a := &alertv1.Alert{
		AlertId: "sample", Revision: 1, Rule: "usage_drop", State: alertv1.State_STATE_FIRING,
		Severity: alertv1.Severity_SEVERITY_WARNING, Summary: "Usage of Acme fell by half within a week", AccountId: "acme",
		Since: timestamppb.New(at.Add(-time.Hour)), FireTime: timestamppb.New(at), StateTime: timestamppb.New(at),
		Assignee: "ann@example.com",
		Drivers: []*alertv1.Driver{{
			Measure: "usage_trend", Before: new(104.0), After: new(51.0), Unit: "percent", ScoreChange: -8.5,
			BeforeDate: "2026-02-23",
		}},
		Subject: &alertv1.Subject{
			Name: "Acme", Score: new(47.5), Band: healthv1.Band_BAND_AT_RISK, Stage: healthv1.Stage_STAGE_STEADY,
			Owner: "ann@example.com", Segment: "enterprise", Plan: "pro", Arr: new(120000.0),
			ArrAtRisk: new(63000.0), Currency: "EUR", RenewalDate: "2026-06-01",
		},
		Labels: map[string]string{"team": "emea"}, RunbookUrl: "https://runbooks.example.com/usage_drop",
	}

	return &sender.Notification{
		ID: "00000000000000000000000000000000", Group: "sample{}", Workspace: "default", Sent: at,
		Links: sender.Links{Console: console},
		Alerts: []*alertv1.Transition{{
			TransitionId: "sample-1", Kind: alertv1.Transition_KIND_FIRED, At: timestamppb.New(at), Alert: a,
		}},
	}
}

// sampleDigest is a made-up digest of an owner whose only account is that of the notification's alert.
func sampleDigest(n *sender.Notification) *sender.Digest {
	a := n.Alerts[0].GetAlert()
	account := sender.Account{ID: a.GetAccountId(), Subject: a.GetSubject()}
	rising := &alertv1.Subject{Name: "Umbra", Score: new(81.0), Band: healthv1.Band_BAND_HEALTHY, Owner: a.GetSubject().GetOwner()}

	return &sender.Digest{
		Owner: a.GetSubject().GetOwner(), From: n.Sent.AddDate(0, 0, -1), To: n.Sent,
		Fell:     []sender.Move{{Account: account, Before: 56, After: a.GetSubject().GetScore()}},
		Rose:     []sender.Move{{Account: sender.Account{ID: "umbra", Subject: rising}, Before: 74.5, After: rising.GetScore()}},
		Renewals: []sender.Account{account},
		Open:     []*alertv1.Alert{a},
	}
}
