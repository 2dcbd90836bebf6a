package ingest

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxSegmentEvent is the size of one event in Segment's API, bytes.
	maxSegmentEvent = 32 << 10
	// maxSegmentBatch is the size of an unpacked batch, bytes.
	maxSegmentBatch = 500 << 10
	// maxSegmentEvents is how many events a batch may have; the surplus is refused.
	maxSegmentEvents = 2500
)

var errTwoBatches = errors.New("the field batch is there twice")

// call is one of Segment's calls as it was sent.
type call struct {
	kind       string // track, identify, ...
	messageID  string
	userID     string
	anonymous  string
	groupID    string
	previousID string
	event      string
	name       string
	category   string
	writeKey   string

	timestamp, original, sentAt string

	contextGroup       string
	properties, traits value
	quantity           value

	raw []byte     // as it came
	bad *violation // why it cannot be used
}

// calls is a request of Segment's API: a batch, or a batch of one.
type calls struct {
	writeKey     string
	sentAt       string
	contextGroup string
	calls        []call
}

// parseCall reads the body of /v1/track and its like. path is the call that the address names; empty: the body
// names it.
func parseCall(body []byte, path string) (*calls, *Problem) {
	if len(body) > maxSegmentEvent {
		return nil, malformed(CodeRequestTooLarge, "an event may have at most 32 KB; send less, or use /v1/batch")
	}

	text := string(body)
	c := call{}
	r := newReader(body, text, false)

	if err := r.call(&c); err == nil {
		err = r.end()
		if err != nil {
			return nil, syntaxProblem(err)
		}
	} else if p := lenientCall(body, text, &c); p != nil {
		return nil, p
	}

	if path != "" {
		c.kind = path
	}

	return &calls{writeKey: c.writeKey, sentAt: c.sentAt, calls: []call{c}}, nil
}

// lenientCall reads a call that the strict reader refused, to find out whether it is JSON at all.
func lenientCall(body []byte, text string, c *call) *Problem {
	*c = call{}
	r := newReader(body, text, true)

	err := r.call(c)
	if err == nil {
		err = r.end()
	}

	if err != nil {
		return syntaxProblem(err)
	}

	c.bad = strictViolation(body)

	return nil
}

// parseBatch reads the body of /v1/batch.
func parseBatch(body []byte) (*calls, *Problem) {
	text := string(body)

	cs, err := newReader(body, text, false).batch(false)
	if err == nil {
		return cs, cs.complete()
	}

	// Some event may hold what the strict reader refuses. Find out which, so that the others go on.
	cs, err = newReader(body, text, true).batch(true)
	if err != nil {
		return nil, syntaxProblem(err)
	}

	if p := cs.complete(); p != nil {
		return nil, p
	}

	for i := range cs.calls {
		if cs.calls[i].bad != nil {
			return cs, nil
		}
	}

	if bad := strictViolation(body); bad != nil { // it is the batch itself, not an event
		return nil, malformed(bad.code, "the body cannot be read: "+bad.field+": "+bad.message)
	}

	return cs, nil
}

// complete makes sure that there was a batch at all.
func (cs *calls) complete() *Problem {
	if cs.calls == nil {
		return malformed(CodeInvalidType, "the body must be an object with an array named batch")
	}

	return nil
}

// batch reads an object with the member batch.
func (r *reader) batch(lenient bool) (*calls, error) {
	cs := &calls{}
	if r.dec.PeekKind() != jsontext.KindBeginObject {
		if err := r.skip(); err != nil {
			return nil, err
		}

		return cs, r.end()
	}

	if err := r.open(); err != nil {
		return nil, err
	}

	for {
		more, err := r.more()
		if err != nil {
			return nil, err
		}

		if !more {
			return cs, r.end()
		}

		if err := r.batchMember(cs, lenient); err != nil {
			return nil, err
		}
	}
}

func (r *reader) batchMember(cs *calls, lenient bool) error {
	name, err := r.name()
	if err != nil {
		return err
	}

	switch name {
	case "batch":
		return r.batchCalls(cs, lenient)
	case "context":
		var bad *violation // a context of another type means nothing to any event

		cs.contextGroup, err = r.context(&bad)

		return err
	case "writeKey":
		return r.lax(&cs.writeKey)
	case "sentAt":
		return r.lax(&cs.sentAt)
	default:
		return r.skip()
	}
}

// lax reads a string, and passes over anything else.
func (r *reader) lax(into *string) error {
	v, err := r.value()
	if err == nil && v.kind == jsontext.KindString {
		*into = v.text
	}

	return err
}

// batchCalls reads the array of events.
func (r *reader) batchCalls(cs *calls, lenient bool) error {
	if r.dec.PeekKind() != jsontext.KindBeginArray {
		return r.skip()
	}

	if cs.calls != nil {
		return errTwoBatches
	}

	if err := r.open(); err != nil {
		return err
	}

	cs.calls = make([]call, 0, 128)

	for {
		more, err := r.more()
		if err != nil || !more {
			return err
		}

		cs.calls = append(cs.calls, call{})
		c := &cs.calls[len(cs.calls)-1]

		switch {
		case len(cs.calls) > maxSegmentEvents:
			err = r.surplus(c)
		case lenient:
			err = r.suspect(c)
		default:
			err = r.batchCall(c)
		}

		if err != nil {
			return err
		}
	}
}

// batchCall reads one event of a batch.
func (r *reader) batchCall(c *call) error {
	if err := r.call(c); err != nil {
		return err
	}

	if len(c.raw) > maxSegmentEvent && c.bad == nil {
		c.bad = violates("", CodeEventTooLarge, "an event may have at most 32 KB")
	}

	return nil
}

// surplus reads an event beyond the limit of a batch.
func (r *reader) surplus(c *call) error {
	v, at, err := r.raw()
	if err != nil {
		return err
	}

	c.raw = r.body[at : at+len(v)]
	c.bad = violates("", CodeTooManyEvents, fmt.Sprintf("a batch may have at most %d events", maxSegmentEvents))

	return nil
}

// suspect reads one event of a batch in which some event is not strict JSON.
func (r *reader) suspect(c *call) error {
	v, at, err := r.raw()
	if err != nil {
		return err
	}

	raw := r.body[at : at+len(v)]
	if err = newReader(raw, r.text[at:at+len(v)], true).batchCall(c); err != nil {
		return err
	}

	if bad := strictViolation(raw); bad != nil {
		c.bad = bad
	}

	return nil
}
