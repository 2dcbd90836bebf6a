package sender

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// pagerDutyURL is the address of the Events API v2 in the US region.
const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// Validate implements Settings.
func (p *PagerDuty) Validate() Problems {
	var problems Problems

	if p.RoutingKey == "" {
		problems.addf("routing_key", CodeMissing, "is missing")
	} else {
		p.RoutingKey.check("routing_key", &problems)
	}

	if p.EventsURL != "" {
		checkURL("events_url", p.EventsURL, &problems)
	}

	p.checkTemplates(&problems)

	return problems
}

// render implements Settings.
func (p *PagerDuty) render(n *Notification, _ time.Time) ([]Payload, error) {
	return p.events(n, p.RoutingKey.String())
}

// events makes an event of each alert: an incident is an alert, so each is taken up and ends by itself.
func (p *PagerDuty) events(n *Notification, key string) ([]Payload, error) {
	if n.Digest != nil {
		return nil, permanent("PagerDuty takes no digests")
	}

	to := p.EventsURL
	if to == "" {
		to = pagerDutyURL
	}

	payloads := make([]Payload, 0, len(n.Alerts))

	for _, transition := range n.Alerts {
		body, err := json.Marshal(p.event(n, transition, key))
		if err != nil {
			return nil, fmt.Errorf("writing an event for PagerDuty: %w", err)
		}

		payloads = append(payloads, Payload{
			To: to, ContentType: contentJSON, Body: body, part: transition.GetTransitionId(),
		})
	}

	return payloads, nil
}

func (p *PagerDuty) sender(deps Deps) Sender {
	return &pagerDutySender{settings: *p, deps: deps, taken: newTaken()}
}

type pagerDutySender struct {
	settings PagerDuty
	deps     Deps
	taken    *taken
}

// Send implements Sender. Where some events of a notification are taken and others are not, the next try begins with
// those that are not; should that be forgotten, a repeated event changes nothing, since its key is the same.
func (p *pagerDutySender) Send(ctx context.Context, n *Notification) error {
	key, err := p.deps.Secrets.Resolve(p.settings.RoutingKey)
	if err != nil {
		return err
	}

	payloads, err := p.settings.events(n, key)
	if err != nil {
		return err
	}

	return p.taken.each(n.ID, payloads, func(one Payload) error { return post(ctx, p.deps, one, nil) })
}

// action is what an alert's state means for an incident. What sleeps is not to wake anybody, and PagerDuty's events
// know no sleep, so it counts as taken up.
func action(state alertv1.State) string {
	switch state {
	case alertv1.State_STATE_ACKNOWLEDGED, alertv1.State_STATE_SNOOZED:
		return "acknowledge"
	case alertv1.State_STATE_RESOLVED:
		return "resolve"
	case alertv1.State_STATE_UNSPECIFIED, alertv1.State_STATE_FIRING:
		return "trigger"
	}

	return "trigger"
}
