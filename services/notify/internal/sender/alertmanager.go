package sender

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	alertmanagerPath = "/api/v2/alerts"

	leastResend = 10 * time.Second
	mostResend  = time.Hour
	// resendsMissed is how many times an active alert may be missed before it ends by itself.
	resendsMissed = 3
)

// Validate implements Settings.
func (a *Alertmanager) Validate() Problems {
	var problems Problems

	switch {
	case len(a.URLs) == 0:
		problems.addf("urls", CodeMissing, "is missing")
	case len(a.URLs) > maxList:
		problems.addf("urls", CodeTooLarge, "has more than %d entries", maxList)
	}

	for i, address := range a.URLs {
		checkURL(item("urls", i), address, &problems)
	}

	checkCredentials(a.Username, a.Password, &problems)

	if a.BearerToken != "" {
		a.BearerToken.check("bearer_token", &problems)
	}

	if a.BearerToken != "" && a.Username != "" {
		problems.addf("bearer_token", CodeConflict, "cannot be used together with username")
	}

	if a.ResendInterval != "" {
		every, err := time.ParseDuration(a.ResendInterval)
		if err != nil || every < leastResend || every > mostResend {
			problems.addf("resend_interval", CodeDuration, "is not a duration from 10s to 1h")
		}
	}

	a.checkTemplates(&problems)

	return problems
}

// checkCredentials notes a name without a password, and the other way round.
func checkCredentials(username string, password Secret, problems *Problems) {
	checkText("username", username, problems)

	if (username == "") != (password == "") {
		problems.addf("password", CodeConflict, "username and password need each other")
	} else if password != "" {
		password.check("password", problems)
	}
}

// render implements Settings.
func (a *Alertmanager) render(n *Notification, now time.Time) ([]Payload, error) {
	if n.Digest != nil {
		return nil, permanent("Alertmanager takes no digests")
	}

	alerts := make([]alertmanagerAlert, 0, len(n.Alerts))
	for _, transition := range n.Alerts {
		alerts = append(alerts, a.alert(n, transition, now))
	}

	body, err := json.Marshal(alerts)
	if err != nil {
		return nil, fmt.Errorf("writing alerts for Alertmanager: %w", err)
	}

	payloads := make([]Payload, 0, len(a.URLs))
	for _, address := range a.URLs {
		payloads = append(payloads, Payload{
			To: strings.TrimRight(address, "/") + alertmanagerPath, ContentType: contentJSON, Body: body,
		})
	}

	return payloads, nil
}

func (a *Alertmanager) sender(deps Deps) Sender { return &alertmanagerSender{settings: *a, deps: deps} }

type alertmanagerSender struct {
	settings Alertmanager
	deps     Deps
}

// Send implements Sender. The members of a cluster tell each other only of what they sent on, so each gets the alerts;
// it is enough if one takes them.
func (a *alertmanagerSender) Send(ctx context.Context, n *Notification) error {
	header, err := a.header()
	if err != nil {
		return err
	}

	payloads, err := a.settings.render(n, a.deps.Now())
	if err != nil {
		return err
	}

	results := make([]error, len(payloads))

	var group sync.WaitGroup
	for i, payload := range payloads {
		group.Go(func() { results[i] = post(ctx, a.deps, payload, header) })
	}

	group.Wait()

	return best(results)
}

// best is the best of some results: none bad, or the one that promises most.
func best(results []error) error {
	var worst, hopeful error

	for _, err := range results {
		refusal := new(Error)

		switch {
		case err == nil:
			return nil
		case errors.As(err, &refusal) && refusal.Permanent:
			worst = err
		default:
			hopeful = err
		}
	}

	if hopeful != nil {
		return hopeful
	}

	return worst
}

func (a *alertmanagerSender) header() (http.Header, error) {
	header := http.Header{}

	switch {
	case a.settings.Username != "":
		password, err := a.deps.Secrets.Resolve(a.settings.Password)
		if err != nil {
			return nil, err
		}

		pair := base64.StdEncoding.EncodeToString([]byte(a.settings.Username + ":" + password))
		header.Set("Authorization", "Basic "+pair)
	case a.settings.BearerToken != "":
		token, err := a.deps.Secrets.Resolve(a.settings.BearerToken)
		if err != nil {
			return nil, err
		}

		header.Set("Authorization", "Bearer "+token)
	}

	return header, nil
}
