package sender

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Validate implements Settings.
func (s *Slack) Validate() Problems {
	var problems Problems

	if s.URL == "" {
		problems.addf("url", CodeMissing, "is missing")
	} else {
		s.URL.check("url", &problems)
	}

	checkText("channel", s.Channel, &problems)
	s.checkTemplates(&problems)

	return problems
}

// render implements Settings.
func (s *Slack) render(n *Notification, _ time.Time) ([]Payload, error) {
	message := slackMessage{Channel: s.Channel}

	if n.Digest != nil {
		message.digest(viewDigest(n, slackClean))
	} else {
		v := newView(n, slackClean)
		title, text := s.texts(v)

		if s.Text == "" {
			text = ""
		}

		message.alerts(v, title, text)
	}

	body, err := json.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("writing a message for Slack: %w", err)
	}

	return []Payload{{To: s.URL.String(), ContentType: contentJSON, Body: body}}, nil
}

func (s *Slack) sender(deps Deps) Sender { return &slackSender{settings: *s, deps: deps} }

type slackSender struct {
	settings Slack
	deps     Deps
}

// Send implements Sender.
func (s *slackSender) Send(ctx context.Context, n *Notification) error {
	payloads, err := s.settings.render(n, s.deps.Now())
	if err != nil {
		return err
	}

	address, err := s.deps.Secrets.Resolve(s.settings.URL)
	if err != nil {
		return err
	}

	payloads[0].To = address

	return post(ctx, s.deps, payloads[0], nil)
}
