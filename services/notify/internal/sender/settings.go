package sender

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxList = 100
	maxText = 4096
)

// Templates say how a notification reads. Both are templates of Go's text/template; docs/notify.md lists their data and
// functions.
type Templates struct {
	// Title is the template of the headline; empty: Hale's own.
	Title string `yaml:"title"`
	// Text is the template of what stands below it; empty: Hale's own.
	Text string `yaml:"text"`
}

// Slack are the settings of an incoming webhook of Slack.
type Slack struct {
	Templates `yaml:",inline"`

	// URL is the webhook's; whoever has it can post.
	URL Secret `yaml:"url"`
	// Channel is where to post; empty: the webhook's own. Webhooks of Slack apps ignore it.
	Channel string `yaml:"channel"`
}

// PagerDuty are the settings of an integration by Events API v2.
type PagerDuty struct {
	Templates `yaml:",inline"`

	// RoutingKey is the integration key of a service or a ruleset.
	RoutingKey Secret `yaml:"routing_key"`
	// EventsURL is the API's address; empty: that of the US region.
	EventsURL string `yaml:"events_url"`
}

// Alertmanager are the settings of a Prometheus Alertmanager, or of a cluster of them.
type Alertmanager struct {
	Templates `yaml:",inline"`

	// URLs are the base addresses of all its members.
	URLs []string `yaml:"urls"`
	// Username and Password are sent if given.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// BearerToken is sent if given.
	BearerToken Secret `yaml:"bearer_token"`
	// ResendInterval is how often active alerts are sent again; empty: 1m. Three of them later they would end.
	ResendInterval string `yaml:"resend_interval"`
}

// Email are the settings of a mail server and those who get mail.
type Email struct {
	Templates `yaml:",inline"`

	// Server is host:port.
	Server string `yaml:"server"`
	// TLS is starttls (empty: that), implicit, or none; none is for a server on this machine.
	TLS string `yaml:"tls"`
	// Username and Password are sent if given.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"`
	// From is the address that mail comes from, with or without a name.
	From string `yaml:"from"`
	// To are addresses, and @owner for who owns the account.
	To []string `yaml:"to"`
	// Owners maps owners to addresses, for those whose name is none.
	Owners map[string]string `yaml:"owners"`
}

// Webhook are the settings of a webhook, signed as Standard Webhooks asks.
type Webhook struct {
	Templates `yaml:",inline"`

	// URL is where to post.
	URL string `yaml:"url"`
	// Secrets sign; each a whsec_ text. There may be several while one takes the place of another.
	Secrets []Secret `yaml:"secrets"`
	// Body is json (empty: that) or cloudevents.
	Body string `yaml:"body"`
	// Headers are sent as well; a value may be a reference to a secret.
	Headers map[string]string `yaml:"headers"`
}

// Kind implements Settings.
func (*Slack) Kind() Kind { return KindSlack }

// Kind implements Settings.
func (*PagerDuty) Kind() Kind { return KindPagerDuty }

// Kind implements Settings.
func (*Alertmanager) Kind() Kind { return KindAlertmanager }

// Kind implements Settings.
func (*Email) Kind() Kind { return KindEmail }

// Kind implements Settings.
func (*Webhook) Kind() Kind { return KindWebhook }

// Resend is how often the engine sends active alerts again.
func (a *Alertmanager) Resend() time.Duration {
	if every, err := time.ParseDuration(a.ResendInterval); err == nil {
		return every
	}

	return time.Minute
}

// checkURL notes what is wrong with an address. Credentials have settings of their own, which are secret.
func checkURL(field, text string, problems *Problems) {
	u, err := url.Parse(text)

	switch {
	case text == "":
		problems.addf(field, CodeMissing, "is missing")
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.Fragment != "":
		problems.addf(field, CodeURL, "is not an address that begins with https:// or http://")
	case u.User != nil:
		problems.addf(field, CodeURL, "holds credentials; they belong into settings of their own")
	case len(text) > maxText:
		problems.addf(field, CodeTooLarge, "is longer than %d bytes", maxText)
	}
}

// checkText notes a text that is too long or has control characters.
func checkText(field, text string, problems *Problems) {
	if len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		problems.addf(field, CodeTooLarge, "is longer than %d bytes, or holds control characters", maxText)
	}
}

// item names an element of a list.
func item(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
