// Package chain breaks what stands between an event, or a command about an alert, and the delivery of what it does, link by
// link: it kills scoring, notify, query, NATS and Redis at chosen moments, again and again.
//
// Events make alerts fire, hold each other and end; people acknowledge, snooze, assign, comment and resolve them, through
// query, each command under one id until it is answered. Then every alert in ALERTS, at a watch and at a webhook, and every
// answer, is held against a plain fold of the log, which knows neither owners nor faults, and that fold against the oracle,
// which knows docs/alerts.md alone. Nothing is expected by the clock: what the log says decides.
package chain
