package ingest

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
)

// Names of the ways in, as they stand in the log and in REJECTS.
const (
	originSegment = "segment"
	originNative  = "native"
	originGRPC    = "grpc"
)

// request is what a client sent, decoded, on its way to the log.
type request struct {
	workspace string
	origin    string
	// admin tells that the key may write history.
	admin bool
	// arrival of the request, microseconds since the epoch.
	arrival int64
	entries []entry
	// resent: the events come out of REJECTS, so those that are refused again are there already.
	resent bool
}

// entry is one event of a request.
type entry struct {
	// event as decoded; nil if it could not be.
	event *eventv1.Event
	// record that wraps the event for the log; nil: made when needed.
	record *logv1.Record
	// at is the event's own, uncorrected time: it decides which account of its user it goes to.
	at int64
	// raw is the event as it came; nil where it has no text of its own.
	raw []byte
	// messageID for the answer, where it could be read.
	messageID string
	// waits is the user for whom an event of an unknown user waits.
	waits string
	// bad says why the event is refused; nil: it is not.
	bad *violation
}

// result is what became of a request.
type result struct {
	accepted int
	rejected []rejection
	// place of the last of the events in the log.
	place eventlog.Token
}

// token names the place for clients; empty if nothing was written.
func (r *result) token() string {
	if r.accepted == 0 {
		return ""
	}

	return r.place.String()
}

// rejection names an event that was refused, in the client's own words.
type rejection struct {
	index     int
	messageID string
	field     string
	code      Code
	message   string
}

// slab holds everything that one usage event consists of: one allocation for many events.
type slab struct {
	event   eventv1.Event
	body    eventv1.Event_Usage
	usage   eventv1.Usage
	at      timestamppb.Timestamp
	record  logv1.Record
	payload logv1.Record_Event
}

// slabs hands out slabs.
type slabs struct {
	free []slab
	left int // how many the request may still need
}

const slabChunk = 64

// next returns an event with a time and its record, ready for the log.
func (s *slabs) next() *slab {
	if len(s.free) == 0 {
		s.free = make([]slab, max(1, min(s.left, slabChunk)))
		s.left -= len(s.free)
	}

	b := &s.free[0]
	s.free = s.free[1:]
	b.payload.Event = &b.event
	b.record.Payload = &b.payload
	b.event.OccurredAt = &b.at

	return b
}

// setTime sets the event's time, microseconds since the epoch.
func (b *slab) setTime(us int64) {
	seconds := us / micro
	rest := us % micro

	if rest < 0 {
		seconds, rest = seconds-1, rest+micro
	}

	b.at.Seconds, b.at.Nanos = seconds, int32(rest*1000)
}

// setUsage makes the event a use of a feature.
func (b *slab) setUsage(feature string) {
	b.usage.Feature = feature
	b.body.Usage = &b.usage
	b.event.Body = &b.body
}
