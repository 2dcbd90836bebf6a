package sender

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// Sample returns a made-up notification, to preview with: an alert that fires and one that is over.
func Sample() *Notification {
	at := time.Date(2026, time.November, 2, 9, 30, 0, 0, time.UTC)

	return &Notification{
		ID: "sample", Group: "account/acme", Workspace: "default", Sent: at, Links: Links{Console: "https://hale.example.com"},
		Alerts: []*alertv1.Transition{sampleFired(at), sampleResolved(at)},
	}
}

func sampleFired(at time.Time) *alertv1.Transition {
	return &alertv1.Transition{
		TransitionId: "a1f0-1", Kind: alertv1.Transition_KIND_FIRED, At: timestamppb.New(at),
		Alert: &alertv1.Alert{
			AlertId: "a1f0", Revision: 1, Rule: "at_risk", State: alertv1.State_STATE_FIRING,
			Severity: alertv1.Severity_SEVERITY_CRITICAL, Summary: "The score fell below 40", AccountId: "acme",
			Since: timestamppb.New(at.Add(-time.Hour)), FireTime: timestamppb.New(at), StateTime: timestamppb.New(at),
			Assignee: "dana@example.com",
			Drivers: []*alertv1.Driver{
				{
					Measure: "usage_trend", Before: new(4.5), After: new(-38.0), Unit: "percent",
					ScoreChange: -12.25, BeforeDate: "2026-10-22",
				},
				{Measure: "nps", After: new(-20.0), Unit: "points"},
			},
			Subject: sampleSubject(), Labels: map[string]string{"team": "success"},
			RunbookUrl: "https://runbooks.example.com/at-risk",
		},
	}
}

func sampleResolved(at time.Time) *alertv1.Transition {
	return &alertv1.Transition{
		TransitionId: "b2e1-2", Kind: alertv1.Transition_KIND_RESOLVED, At: timestamppb.New(at), Note: "clear",
		Alert: &alertv1.Alert{
			AlertId: "b2e1", Revision: 2, Rule: "urgent_ticket", State: alertv1.State_STATE_RESOLVED,
			Severity: alertv1.Severity_SEVERITY_WARNING, Summary: "An urgent ticket is open for long", AccountId: "acme",
			Since: timestamppb.New(at.Add(-48 * time.Hour)), FireTime: timestamppb.New(at.Add(-47 * time.Hour)),
			ResolveTime: timestamppb.New(at), StateTime: timestamppb.New(at), Subject: sampleSubject(),
		},
	}
}

func sampleSubject() *alertv1.Subject {
	return &alertv1.Subject{
		Name: "Acme Corp", Score: new(37.5), Band: healthv1.Band_BAND_CRITICAL, Stage: healthv1.Stage_STAGE_RENEWAL,
		Owner: "dana@example.com", Segment: "enterprise", Plan: "pro", Arr: new(48000.0),
		ArrAtRisk: new(30000.0), Currency: "EUR", RenewalDate: "2026-12-15",
	}
}
