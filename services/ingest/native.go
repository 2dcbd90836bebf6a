package ingest

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	// maxNativeBody is the size of an unpacked request, bytes.
	maxNativeBody = 4 << 20
	// maxNativeEvents is how many events a request may have, over HTTP and gRPC.
	maxNativeEvents = 10000
)

// native decodes our own JSON, as docs/events.md describes it.
type native struct {
	// load is the historical load of the whole request; empty: each event says itself.
	load string
	// arrival of the request, microseconds since the epoch.
	arrival int64

	slabs   slabs
	scratch []member
	entries []entry
	history bool // some event is historical
}

// parse reads one object, an array of objects, or objects one after another.
func (n *native) parse(body []byte) *Problem {
	text := string(body)

	n.slabs.left = bytes.Count(body, []byte{'{'})

	err := n.read(newReader(body, text, false), false)
	if err == nil {
		return n.complete()
	}

	if p := n.tooMany(); p != nil {
		return p
	}

	// Some event may hold what the strict reader refuses. Find out which, so that the others go on.
	n.entries, n.slabs, n.history = nil, slabs{}, false

	if err = n.read(newReader(body, text, true), true); err != nil {
		return syntaxProblem(err)
	}

	return n.complete()
}

// complete refuses requests with no event or too many.
func (n *native) complete() *Problem {
	if len(n.entries) == 0 {
		return malformed(CodeEmptyBatch, "the request has no event")
	}

	return n.tooMany()
}

func (n *native) tooMany() *Problem {
	if len(n.entries) <= maxNativeEvents {
		return nil
	}

	return &Problem{
		Status: http.StatusRequestEntityTooLarge, Code: CodeTooManyEvents,
		Message: fmt.Sprintf("a request may have at most %d events", maxNativeEvents),
	}
}

// read reads a whole body.
func (n *native) read(r *reader, lenient bool) error {
	array := r.dec.PeekKind() == jsontext.KindBeginArray
	if array {
		if err := r.open(); err != nil {
			return err
		}
	}

	for len(n.entries) <= maxNativeEvents {
		switch k := r.dec.PeekKind(); {
		case array && k == jsontext.KindEndArray:
			if err := r.open(); err != nil {
				return err
			}

			return r.end()
		case k == jsontext.KindInvalid && !array:
			return r.end()
		}

		if err := n.one(r, lenient); err != nil {
			return err
		}
	}

	return nil
}

// one reads one event.
func (n *native) one(r *reader, lenient bool) error {
	n.entries = append(n.entries, entry{})
	e := &n.entries[len(n.entries)-1]

	if lenient {
		v, at, err := r.raw()
		if err != nil {
			return err
		}

		e.raw = r.body[at : at+len(v)]
		if e.bad = strictViolation(e.raw); e.bad != nil {
			n.event(e, newReader(e.raw, r.text[at:at+len(v)], true)) //nolint:errcheck,gosec // only to learn its id

			return nil
		}

		return n.event(e, newReader(e.raw, r.text[at:at+len(v)], false))
	}

	return n.event(e, r)
}

// event reads an event and builds it.
func (n *native) event(e *entry, r *reader) error {
	if r.dec.PeekKind() != jsontext.KindBeginObject {
		v, at, err := r.raw()
		if err != nil {
			return err
		}

		e.raw = r.body[at : at+len(v)]
		e.bad = violates("", CodeInvalidType, "an event must be an object")

		return nil
	}

	start := int(r.dec.InputOffset())

	ms, err := r.members(n.scratch[:0])
	if err != nil {
		return err
	}

	n.scratch = ms
	if e.raw == nil {
		e.raw = bytes.TrimLeft(r.body[start:r.dec.InputOffset()], " \t\r\n,:")
	}

	if bad := n.build(e, ms); e.bad == nil {
		e.bad = bad
	}

	return nil
}

// lines reads one event a line. A line that cannot be read is refused, and the others go on.
func (n *native) lines(body []byte) *Problem {
	n.slabs.left = bytes.Count(body, []byte{'\n'}) + 1

	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}

		if len(n.entries) == maxNativeEvents {
			n.entries = append(n.entries, entry{})

			return n.tooMany()
		}

		n.line(line)
	}

	return n.complete()
}

// line reads one line.
func (n *native) line(line []byte) {
	at := len(n.entries)
	r := newReader(line, string(line), false)

	err := n.one(r, false)
	if err == nil {
		err = r.end()
	}

	if err == nil {
		return
	}

	e := &n.entries[at]
	e.raw, e.event, e.record = line, nil, nil
	lenient := newReader(line, string(line), true)

	if err := lenient.skip(); err == nil && lenient.end() == nil {
		e.bad = strictViolation(line)
		n.event(e, newReader(line, string(line), true)) //nolint:errcheck,gosec // only to learn its id

		return
	}

	e.bad = violates("", CodeMalformedJSON, "the line is not JSON: "+syntaxMessage(err))
}

// build makes an event of the members of an object.
func (n *native) build(e *entry, ms []member) *violation {
	b := n.slabs.next()
	e.event, e.record = &b.event, &b.record
	e.at = n.arrival
	b.event.Historical = n.load
	k, bad := n.common(b, e, ms)
	b.setTime(e.at)

	if b.event.GetHistorical() != "" {
		n.history = true
	}

	if bad != nil {
		return bad
	}

	if k == kindUsage {
		b.setUsage("")
	} else {
		setKind(&b.event, k)
	}

	for _, m := range ms {
		if isCommon(m.name) {
			continue
		}

		if bad := setField(&b.event, m.name, m.value); bad != nil {
			b.event.Body = nil // what is half decoded must not be sent again

			return bad
		}
	}

	return nil
}

// isCommon tells the fields that every kind has.
func isCommon(name string) bool {
	switch name {
	case "id", "type", "account", "user", "time", "historical":
		return true
	default:
		return false
	}
}

// common reads the fields that every kind has. It reads on after a violation, so that the answer can name the event.
func (n *native) common(b *slab, e *entry, ms []member) (k kind, first *violation) {
	k = kindNone

	var typed string

	for _, m := range ms {
		var bad *violation

		switch m.name {
		case "id":
			b.event.MessageId, bad = optional(m)
			e.messageID = b.event.GetMessageId()
		case "type":
			typed, bad = optional(m)
			k = parseKind(typed)
		case "account":
			b.event.AccountId, bad = optional(m)
		case "user":
			b.event.UserId, bad = optional(m)
		case "time":
			e.at, bad = n.time(m)
		case "historical":
			bad = n.historical(&b.event, m)
		}

		if first == nil {
			first = bad
		}
	}

	switch {
	case first != nil || k != kindNone:
		return k, first
	case typed == "":
		return k, violates("type", CodeRequired, "must be one of "+kindList())
	default:
		return k, violates("type", CodeUnknownType, "must be one of "+kindList())
	}
}

// optional takes a string or null.
func optional(m member) (string, *violation) {
	if !m.value.present() {
		return "", nil
	}

	return m.value.asText(m.name)
}

// time takes a time, or null for the time of arrival.
func (n *native) time(m member) (int64, *violation) {
	if !m.value.present() {
		return n.arrival, nil
	}

	at, bad := m.value.asTime(m.name)
	if bad != nil {
		return n.arrival, bad
	}

	return at, nil
}

// historical takes the id of a load, which must not differ from the request's.
func (n *native) historical(e *eventv1.Event, m member) *violation {
	load, bad := optional(m)

	switch {
	case bad != nil:
		return bad
	case n.load != "" && load != "" && load != n.load:
		return violates(m.name, CodeInvalidValue, "must be the load that the request names")
	case load != "":
		e.Historical = load
	}

	return nil
}
