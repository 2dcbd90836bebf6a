package receiver

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/document"
	"hale.dev/services/notify/internal/sender"
)

const (
	kind = "receivers"

	maxReceivers = 100
	maxRoutes    = 200
	maxDigests   = 100
	maxList      = 20

	defaultConcurrency = 4
	defaultRate        = 60
	defaultTimeout     = 15 * time.Second
	defaultRetryFor    = 72 * time.Hour
)

var receiverName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// Parse reads and checks a document. The error is of type Problems and lists all that is wrong. The set's Version is left
// 0.
func Parse(doc []byte) (*Set, error) {
	body, problems := document.Tree(doc)
	if len(problems) > 0 {
		return nil, Problems(problems)
	}

	p := parser{set: &Set{}}
	p.document(body)

	if len(p.Problems) > 0 {
		return nil, Problems(p.Problems)
	}

	return p.set, nil
}

// parser reads the parts of a document.
type parser struct {
	document.Reader

	set *Set
}

func (p *parser) document(n document.Node) {
	at, ok := p.Mapping(n, []string{"receivers"}, []string{"kind", "routes", "default_route", "digests"})
	if !ok {
		return
	}

	if k, ok := at["kind"]; ok {
		if text, ok := p.Text(k); ok && text != kind {
			p.Reportf(k, document.CodeWrongType, "must be %s", kind)
		}
	}

	if all, ok := at["receivers"]; ok {
		for _, one := range p.list(all, maxReceivers) {
			p.receiver(one)
		}
	}

	if all, ok := at["routes"]; ok {
		for _, one := range p.list(all, maxRoutes) {
			p.route(one, false)
		}
	}

	if one, ok := at["default_route"]; ok {
		p.route(one, true)
	}

	if all, ok := at["digests"]; ok {
		for _, one := range p.list(all, maxDigests) {
			p.digest(one)
		}
	}
}

func (p *parser) list(n document.Node, limit int) []document.Node {
	all, _ := p.Sequence(n, limit)

	return all
}

func (p *parser) receiver(n document.Node) {
	at, ok := p.Mapping(n, []string{"name", "kind", "settings"},
		[]string{"events", "concurrency", "rate", "timeout", "retry_for"})
	if !ok {
		return
	}

	r := &Receiver{
		Events: defaultEvents(), Concurrency: defaultConcurrency, Rate: defaultRate, Timeout: defaultTimeout,
		RetryFor: defaultRetryFor,
	}
	r.Name = p.name(at["name"])

	if e, ok := at["events"]; ok {
		r.Events = p.events(e)
	}

	if c, ok := at["concurrency"]; ok {
		v, _ := p.Integer(c, CodeRange, 1, 64)
		r.Concurrency = int(v)
	}

	if c, ok := at["rate"]; ok {
		r.Rate, _ = p.Integer(c, CodeRange, 1, 6000)
	}

	if d, ok := at["timeout"]; ok {
		r.Timeout = p.duration(d, time.Second, 5*time.Minute)
	}

	if d, ok := at["retry_for"]; ok {
		r.RetryFor = p.duration(d, time.Minute, 72*time.Hour)
	}

	if at["kind"].Node != nil && at["settings"].Node != nil {
		r.Settings = p.settings(at["kind"], at["settings"])
	}

	if a, ok := r.Settings.(*sender.Alertmanager); ok {
		r.Resend = a.Resend()
	}

	p.set.Receivers = append(p.set.Receivers, r)
}

func (p *parser) name(n document.Node) string {
	if n.Node == nil {
		return ""
	}

	name, ok := p.Text(n)

	switch {
	case !ok:
	case !receiverName.MatchString(name):
		p.Reportf(n, CodeName, "must begin with a letter and hold at most 63 of a to z, 0 to 9, - and _")
	case p.set.Receiver(name) != nil:
		p.Reportf(n, CodeDuplicateReceiver, "there are two receivers %q", name)
	}

	return name
}

// settings reads the settings of a kind, into what its sender wants.
func (p *parser) settings(k, n document.Node) sender.Settings {
	name, ok := p.Text(k)
	if !ok {
		return nil
	}

	s := sender.NewSettings(sender.Kind(name))
	if s == nil {
		var known []string
		for _, one := range sender.Kinds() {
			known = append(known, string(one))
		}

		p.Reportf(k, CodeUnknownKind, "no such kind; known are %s", document.List(known))

		return nil
	}

	if err := yaml.NodeToValue(n.Node, s, yaml.Strict()); err != nil {
		p.unread(n, err)

		return s
	}

	for _, problem := range s.Validate() {
		// Each stands under its field; where that is deeper than a key, the line is that of the key.
		key, _, _ := strings.Cut(strings.ReplaceAll(problem.Field, "[", "."), ".")
		p.Reportf(n.Key(key, problem.Field), problem.Code, "%s", problem.Message)
	}

	return s
}

// unread says why settings cannot be read. What stands there is not repeated: it may be a secret.
func (p *parser) unread(n document.Node, err error) {
	code, message, field := document.CodeWrongType, "cannot be read", ""

	if unknown, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		code, message = document.CodeUnknownKey, "unknown key"

		if unknown.Token != nil {
			field = unknown.Token.Value
		}
	} else if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		message = "is of another type"

		if wrong.StructFieldName != nil {
			message += ": " + *wrong.StructFieldName
		}
	}

	p.Reportf(n.Key(field, field), code, "%s", message)
}

// defaultEvents are the transitions that somebody who is on call wants to hear of.
func defaultEvents() []alertv1.Transition_Kind {
	return []alertv1.Transition_Kind{
		alertv1.Transition_KIND_FIRED, alertv1.Transition_KIND_WOKE, alertv1.Transition_KIND_ESCALATED,
		alertv1.Transition_KIND_RELEASED, alertv1.Transition_KIND_RESOLVED,
	}
}

func (p *parser) events(n document.Node) []alertv1.Transition_Kind {
	var all []alertv1.Transition_Kind

	for _, one := range p.list(n, maxList) {
		text, ok := p.Text(one)
		if !ok {
			continue
		}

		k := alertv1.Transition_Kind(alertv1.Transition_Kind_value["KIND_"+strings.ToUpper(text)])
		if k == alertv1.Transition_KIND_UNSPECIFIED || text != strings.ToLower(text) {
			p.Reportf(one, CodeUnknownEvent, "no such event; known are %s", document.List(eventNames()))

			continue
		}

		if !slices.Contains(all, k) {
			all = append(all, k)
		}
	}

	return all
}

func eventNames() []string {
	var names []string

	for k := alertv1.Transition_KIND_FIRED; k <= alertv1.Transition_KIND_RESOLVED; k++ {
		names = append(names, strings.ToLower(strings.TrimPrefix(k.String(), "KIND_")))
	}

	return names
}

func (p *parser) duration(n document.Node, least, most time.Duration) time.Duration {
	text, ok := p.Text(n)
	if !ok {
		return 0
	}

	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		p.Reportf(n, CodeDuration, "must be a duration such as 30s or 5m, from %s to %s", least, most)

		return 0
	}

	return d
}
