// Package notify is the service that tells people of alerts. It follows stream ALERTS, decides what goes to whom
// (package dispatch), writes each decision to stream NOTIFY before it is carried out (package delivery), and sends
// (package sender). Of several processes one leads; the others take over when it is gone.
//
// What it promises: every transition that a route leads to a receiver is delivered at least once, or is left out or given
// up with a reason that is recorded. What is sent again has the same id and the same content.
package notify
