// Package chain breaks what stands between an event and the delivery of its alert, link by link: it kills scoring, notify,
// query, NATS and Redis at chosen moments, again and again, and then holds every alert against a plain fold of the log.
package chain
