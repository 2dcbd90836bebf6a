package sender

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// contentCloudEvents is the batched content mode of CloudEvents.
const contentCloudEvents = event.ApplicationCloudEventsBatchJSON

// cloudEvents is a notification as a batch of CloudEvents, one for each transition, whose id is the transition's: a
// receiver that keeps ids sees each once.
func cloudEvents(n *Notification) ([]byte, error) {
	events := make([]event.Event, 0, len(n.Alerts)+1)

	for _, t := range n.Alerts {
		data, err := message(t)
		if err != nil {
			return nil, err
		}

		e, err := cloudEvent(n, t.GetTransitionId(), "dev.hale.alert."+kindName(t.GetKind())+".v1", t.GetAt().AsTime(), data)
		if err != nil {
			return nil, err
		}

		if about := subject(t.GetAlert()); about != "" {
			e.SetSubject(about)
		}

		events = append(events, e)
	}

	if n.Digest != nil {
		digest, err := digestJSON(n.Digest)
		if err != nil {
			return nil, err
		}

		e, err := cloudEvent(n, n.ID, "dev.hale.digest.v1", n.Sent, digest)
		if err != nil {
			return nil, err
		}

		events = append(events, e)
	}

	text, err := json.Marshal(events)
	if err != nil {
		return nil, fmt.Errorf("writing CloudEvents: %w", err)
	}

	return text, nil
}

func cloudEvent(n *Notification, id, kind string, at time.Time, data any) (event.Event, error) {
	e := event.New()
	e.SetID(id)
	e.SetType(kind)
	e.SetSource("/workspaces/" + url.PathEscape(n.Workspace))
	e.SetTime(at)

	if err := e.SetData(contentJSON, data); err != nil {
		return e, fmt.Errorf("writing a CloudEvent: %w", err)
	}

	return e, nil
}

// subject is the id of what an alert is about.
func subject(a *alertv1.Alert) string {
	if a.GetAccountId() != "" {
		return a.GetAccountId()
	}

	return a.GetSource()
}
