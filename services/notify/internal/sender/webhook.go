package sender

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Bodies of webhooks.
const (
	bodyJSON        = "json"
	bodyCloudEvents = "cloudevents"
)

// maxSecrets is how many secrets may sign at once: an old one, a new one, and some room.
const maxSecrets = 5

// Validate implements Settings.
func (w *Webhook) Validate() Problems {
	var problems Problems

	checkURL("url", w.URL, &problems)

	switch {
	case len(w.Secrets) == 0:
		problems.addf("secrets", CodeMissing, "is missing")
	case len(w.Secrets) > maxSecrets:
		problems.addf("secrets", CodeTooLarge, "has more than %d entries", maxSecrets)
	}

	for i, secret := range w.Secrets {
		secret.check(item("secrets", i), &problems)
	}

	w.checkHeaders(&problems)

	switch w.Body {
	case "", bodyJSON:
	case bodyCloudEvents:
		if w.Title != "" || w.Text != "" {
			problems.addf("body", CodeConflict, "cloudevents has no room for title and text")
		}
	default:
		problems.addf("body", CodeChoice, "is neither %s nor %s", bodyJSON, bodyCloudEvents)
	}

	w.checkTemplates(&problems)

	return problems
}

func (w *Webhook) checkHeaders(problems *Problems) {
	if len(w.Headers) > maxList {
		problems.addf("headers", CodeTooLarge, "has more than %d entries", maxList)

		return
	}

	for _, name := range sortedKeys(w.Headers) {
		field, value := "headers["+name+"]", w.Headers[name]

		switch {
		case !httpguts.ValidHeaderFieldName(name) || ours(name):
			problems.addf(field, CodeHeader, "is not the name of a header, or one that Hale sets")
		case isReference(value) || confidential(name):
			Secret(value).check(field, problems)
		case !httpguts.ValidHeaderFieldValue(value) || len(value) > maxText:
			problems.addf(field, CodeHeader, "has a value that headers cannot have")
		}
	}
}

// ours tells whether a header is not for others to set.
func ours(name string) bool {
	name = strings.ToLower(name)

	return strings.HasPrefix(name, "webhook-") || slices.Contains([]string{
		"host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "trailer", "te",
		"upgrade", "keep-alive", "proxy-connection", "user-agent", "expect",
	}, name)
}

// confidential tells whether the value of a header is always a secret.
func confidential(name string) bool {
	name = strings.ToLower(name)

	return name == "authorization" || name == "proxy-authorization" || name == "cookie"
}

// isReference tells whether a value is meant to refer to a secret.
func isReference(value string) bool {
	return strings.HasPrefix(value, schemeFile) || strings.HasPrefix(value, schemeEnv)
}

// render implements Settings.
func (w *Webhook) render(n *Notification, _ time.Time) ([]Payload, error) {
	if w.Body == bodyCloudEvents {
		body, err := cloudEvents(n)

		return []Payload{{To: w.URL, ContentType: contentCloudEvents, Body: body}}, err
	}

	body, err := w.body(n)

	return []Payload{{To: w.URL, ContentType: contentJSON, Body: body}}, err
}

func (w *Webhook) sender(deps Deps) Sender { return &webhookSender{settings: *w, deps: deps} }

type webhookSender struct {
	settings Webhook
	deps     Deps
}

// Send implements Sender.
func (w *webhookSender) Send(ctx context.Context, n *Notification) error {
	now := w.deps.Now()

	payloads, err := w.settings.render(n, now)
	if err != nil {
		return err
	}

	header, err := w.header()
	if err != nil {
		return err
	}

	if err := w.sign(header, n.ID, now, payloads[0].Body); err != nil {
		return err
	}

	return post(ctx, w.deps, payloads[0], header)
}

func (w *webhookSender) header() (http.Header, error) {
	header := http.Header{}

	for name, value := range w.settings.Headers {
		if isReference(value) {
			secret, err := w.deps.Secrets.Resolve(Secret(value))
			if err != nil {
				return nil, err
			}

			value = secret
		}

		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, permanent("the secret for the header %s has characters that headers cannot have", name)
		}

		header.Set(name, value)
	}

	return header, nil
}
