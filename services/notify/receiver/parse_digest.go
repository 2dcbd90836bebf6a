package receiver

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"hale.dev/services/internal/document"
	"hale.dev/services/notify/internal/sender"
)

// everyDay is what `every` says for a digest of each day.
const everyDay = "day"

// digest reads a digest.
func (p *parser) digest(n document.Node) {
	at, ok := p.Mapping(n, []string{"name", "receiver", "every", "at", "time_zone"}, []string{"owners"})
	if !ok {
		return
	}

	d := &Digest{Name: p.digestName(at["name"]), Location: time.UTC}

	if one, ok := at["receiver"]; ok {
		d.Receiver = p.digestReceiver(one)
	}

	if every, ok := at["every"]; ok {
		d.Days = p.every(every)
	}

	if one, ok := at["at"]; ok {
		d.At = p.clock(one)
	}

	if z, ok := at["time_zone"]; ok {
		d.Location = p.zone(z)
	}

	if all, ok := at["owners"]; ok {
		d.Matchers = p.matchers(all)
		for i, m := range d.Matchers {
			if m.Proto().GetField() != fieldOwner {
				p.Reportf(p.list(all, maxList)[i], CodeUnknownField, "must be about owner")

				break
			}
		}
	}

	p.set.Digests = append(p.set.Digests, d)
}

const fieldOwner = "owner"

func (p *parser) digestName(n document.Node) string {
	if n.Node == nil {
		return ""
	}

	name, ok := p.Text(n)

	switch {
	case !ok:
	case !receiverName.MatchString(name):
		p.Reportf(n, CodeName, "must begin with a letter and hold at most 63 of a to z, 0 to 9, - and _")
	case p.set.Digest(name) != nil:
		p.Reportf(n, CodeDuplicateDigest, "there are two digests %q", name)
	}

	return name
}

func (p *parser) digestReceiver(n document.Node) string {
	name, ok := p.Text(n)
	if !ok {
		return ""
	}

	r := p.set.Receiver(name)
	if r == nil {
		p.Reportf(n, CodeUnknownReceiver, "there is no receiver %q", name)

		return name
	}

	if r.Settings != nil {
		switch r.Settings.Kind() {
		case sender.KindPagerDuty, sender.KindAlertmanager:
			p.Reportf(n, CodeNoDigests, "%s takes no digests", r.Settings.Kind())
		case sender.KindSlack, sender.KindEmail, sender.KindWebhook:
		}
	}

	return name
}

// every reads on which days a digest is made: `day`, or a list of weekdays.
func (p *parser) every(n document.Node) []time.Weekday {
	if _, list := n.Node.(*ast.SequenceNode); !list {
		if text, ok := p.Text(n); ok && text != everyDay {
			p.Reportf(n, CodeDay, "must be day, or a list of mon, tue, wed, thu, fri, sat and sun")
		}

		return nil
	}

	days := p.days(n)
	if len(p.list(n, maxList)) == 0 {
		p.Reportf(n, CodeDay, "must name a day")
	}

	return days
}
