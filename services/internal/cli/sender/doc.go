// Package sender posts events to Hale's own HTTP API and tries again while the server is
// busy or away, as any good client does: message ids make repeats count once. What the events
// say is not known here.
package sender
