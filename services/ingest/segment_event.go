package ingest

import (
	"crypto/rand"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// generatedPrefix begins the ids given to events that came without one.
const generatedPrefix = "hale-"

// segment turns Segment's calls into events.
type segment struct {
	mapping *mapping
	arrival int64
	slabs   slabs
	// generated and dropped count events that came without id, and traits that could not be kept.
	generated, dropped int
}

// entries turns a request's calls into entries.
func (s *segment) entries(cs *calls) []entry {
	s.slabs.left = len(cs.calls)
	entries := make([]entry, len(cs.calls))

	for i := range cs.calls {
		c := &cs.calls[i]
		e := &entries[i]
		e.raw, e.messageID, e.bad = c.raw, c.messageID, c.bad

		if e.bad == nil {
			s.build(c, cs, e)
		}
	}

	return entries
}

// build turns one call into an event.
func (s *segment) build(c *call, cs *calls, e *entry) {
	at, occurred, bad := s.times(c, cs.sentAt)
	if bad != nil {
		e.bad = bad

		return
	}

	if c.messageID == "" {
		c.messageID = generatedPrefix + rand.Text()
		e.messageID = c.messageID
		s.generated++
	}

	b := s.slabs.next()
	b.setTime(occurred)
	b.event.MessageId, b.event.UserId = c.messageID, c.userID
	b.event.AccountId = firstOf(c.contextGroup, c.groupID, cs.contextGroup)
	e.event, e.record, e.at = &b.event, &b.record, at

	if e.bad = s.body(c, b, at); e.bad != nil {
		b.event.Body = nil // what is half decoded must not be sent again
	}
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}

	return ""
}

// body makes the event what the call says.
func (s *segment) body(c *call, b *slab, at int64) *violation {
	switch c.kind {
	case "track":
		return s.track(c, b, at)
	case "page", "screen":
		b.setUsage(viewed(c))

		return nil
	case "identify":
		return s.identify(c, &b.event)
	case "group":
		return s.group(c, &b.event)
	case "alias":
		return alias(c, &b.event)
	case "":
		return violates("type", CodeRequired, "must name the call: track, identify, group, page, screen or alias")
	default:
		return violates("type", CodeUnknownType, "must be track, identify, group, page, screen or alias")
	}
}

// track is usage, unless the mapping says otherwise.
func (s *segment) track(c *call, b *slab, at int64) *violation {
	if c.event == "" {
		return violates("event", CodeRequired, "must not be empty")
	}

	if r := s.mapping.find(c.event); r != nil {
		return r.apply(&b.event, c.properties, at)
	}

	b.setUsage(c.event)

	if c.quantity.kind != jsontext.KindNumber {
		return nil
	}

	quantity, bad := c.quantity.asMicros("properties.quantity")
	if bad == nil {
		b.usage.QuantityMicros = &quantity
	}

	return bad
}

// viewed names the feature of a page or screen: category and name. One without a name is a visit and no more: paths
// would make a feature of every id that stands in one.
func viewed(c *call) string {
	if c.category != "" && c.name != "" {
		return c.category + " " + c.name
	}

	return firstOf(c.name, c.category, c.kind)
}

// identify tells a user's traits.
func (s *segment) identify(c *call, e *eventv1.Event) *violation {
	if c.userID == "" {
		return violates("userId", CodeRequired, "must not be empty: traits of somebody unknown have no owner")
	}

	u := &eventv1.User{}
	e.Body = &eventv1.Event_User{User: u}
	s.userTraits(u, parseMembers(c.traits))

	return nil
}

// group tells an account's profile, and that the user belongs to it.
func (s *segment) group(c *call, e *eventv1.Event) *violation {
	if c.groupID == "" {
		return violates("groupId", CodeRequired, "must not be empty")
	}

	a := &eventv1.Account{}
	e.AccountId = c.groupID
	e.Body = &eventv1.Event_Account{Account: a}
	s.accountTraits(a, parseMembers(c.traits))

	return nil
}

// alias tells that two users are one.
func alias(c *call, e *eventv1.Event) *violation {
	if c.userID == "" {
		return violates("userId", CodeRequired, "must not be empty")
	}

	if c.previousID == "" {
		return violates("previousId", CodeRequired, "must not be empty")
	}

	e.Body = &eventv1.Event_User{User: &eventv1.User{PreviousUserId: c.previousID}}

	return nil
}

// times returns the call's own time, and that time on our clock: the client's clock shows at sentAt what ours shows
// at the arrival. Without sentAt nothing can be corrected, and a timestamp that a server already corrected counts
// before the original one.
func (s *segment) times(c *call, sentAt string) (at, occurred int64, bad *violation) {
	at, occurred = s.arrival, s.arrival

	if c.timestamp != "" {
		if at, bad = callTime(c.timestamp, "timestamp"); bad != nil {
			return 0, 0, bad
		}

		occurred = at
	}

	if c.original != "" {
		if at, bad = callTime(c.original, "originalTimestamp"); bad != nil {
			return 0, 0, bad
		}
	}

	if c.timestamp == "" {
		occurred = at
	}

	sent, known := looseTime(firstOf(sentAt, c.sentAt))
	if known && (c.timestamp != "" || c.original != "") {
		occurred = at + s.arrival - sent.UnixMicro()
	}

	return at, occurred, nil
}

// callTime reads the time of a call, as microseconds since the epoch.
func callTime(s, field string) (int64, *violation) {
	t, ok := looseTime(strings.TrimSpace(s))
	if !ok {
		return 0, violates(field, CodeInvalidTime, "must be a time like 2026-01-31T08:30:00Z")
	}

	return t.UnixMicro(), nil
}
