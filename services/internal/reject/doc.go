// Package reject keeps the events that could not be used in the stream REJECTS, with the reason, so that they can
// be listed and sent again. Why an event is refused is decided by ingest and scoring, not here.
package reject
