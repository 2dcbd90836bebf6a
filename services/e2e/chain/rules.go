package chain

import (
	"fmt"

	"hale.dev/services/e2e/rig"
)

// rules fire and resolve by what an account pays, by its seats, after a while, and by its term: that one is held by the
// first. All escalate as soon as rules can.
const rules = `
kind: rules
rules:
  - {name: large, summary: The account pays a lot, severity: critical, when: profile.arr >= 100.0, escalate_after: 1m}
  - {name: many_seats, summary: The account has many seats, severity: warning, when: profile.seats >= 100.0, for: 2s,
     escalate_after: 1m}
  - {name: long_term, summary: The account is bound for long, severity: warning, when: profile.term_days >= 100.0,
     inhibited_by: [large], escalate_after: 1m}
`

// receivers lead everything to the webhook, soon.
func receivers(url string) string {
	return fmt.Sprintf(`
kind: receivers
receivers:
  - {name: hook, kind: webhook, rate: 6000, settings: {url: %q, secrets: [%q]}}
default_route: {receivers: [hook], group_by: [account], group_wait: 0s, group_interval: 0s}
`, url, rig.HookReference)
}
