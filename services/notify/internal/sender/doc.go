// Package sender delivers one notification to one receiver, once: to Slack, PagerDuty, Alertmanager, by email, or to a
// webhook.
//
// Each kind has its settings, a rendering that is a pure function of settings, notification and time, and a way to send
// what was rendered. Preview shows the rendering; Send sends it and says whether another try could help. When to send,
// to whom, how often to try again, and what to remember of it are the engine's, in package notify.
package sender
