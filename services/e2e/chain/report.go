package chain

import (
	"fmt"
	"io"
)

// Report says what a run found.
type Report struct {
	Seed uint64 `json:"seed"`
	// Rounds is how many processes were killed, Late how many of them without the moment that was waited for.
	Rounds int            `json:"rounds"`
	Late   int            `json:"late"`
	Kills  map[string]int `json:"kills"`
	// Events were accepted; Transitions is what a plain fold of the log decides.
	Events      int `json:"events"`
	Transitions int `json:"transitions"`
	// Kinds of these, and how many there are of each.
	Kinds map[string]int `json:"kinds"`
	// Oracle counts what the oracle, which knows docs/alerts.md alone, would have decided otherwise.
	Oracle int `json:"oracle"`
	// Missed are transitions that are not in ALERTS, Invented those that should not be there, Different those that differ,
	// Duplicated records beyond the first of a transition, Gaps records that are not the next revision of their alert.
	Missed     int `json:"missed"`
	Invented   int `json:"invented"`
	Different  int `json:"different"`
	Duplicated int `json:"duplicated"`
	Gaps       int `json:"gaps"`
	// WatchMissed and WatchRepeated are of a watch that went on by its token over Connections.
	Connections   int `json:"connections"`
	WatchResets   int `json:"watch_resets"`
	WatchMissed   int `json:"watch_missed"`
	WatchRepeated int `json:"watch_repeated"`
	// Notifications came to the webhook; Repeated of them again, under their id, Changed of these with another content.
	Notifications int `json:"notifications"`
	Repeated      int `json:"repeated"`
	Changed       int `json:"changed"`
	// Retold are transitions that came under two ids, Forged webhooks without a good signature.
	Retold int `json:"retold"`
	Forged int `json:"forged"`
	// Left are transitions that were left out, by the reason that stands in NOTIFY; Untold were to be told and were not,
	// Leaked were told though something held them back, or nobody asked for them.
	Left   map[string]int `json:"left"`
	Untold int            `json:"untold"`
	Leaked int            `json:"leaked"`
	// Commands about alerts were sent; Applied and Refused, by code, is what they were answered. Unknown are tries without
	// an answer, Again commands that were sent once more after theirs, Rewritten those that stand in the log more than once.
	Commands  int            `json:"commands"`
	Applied   int            `json:"applied"`
	Refused   map[string]int `json:"refused"`
	Unknown   int            `json:"unknown"`
	Again     int            `json:"again"`
	Rewritten int            `json:"rewritten"`
	// Unanswered commands never had an answer, Disagreed are answers that are not what the log says, Doubled commands that
	// count more than once.
	Unanswered int `json:"unanswered"`
	Disagreed  int `json:"disagreed"`
	Doubled    int `json:"doubled"`

	Seconds float64 `json:"seconds"`
}

// Failed says whether anything is wrong.
func (r *Report) Failed() bool {
	return r.Missed+r.Invented+r.Different+r.Duplicated+r.Gaps+r.WatchMissed+r.WatchRepeated+r.WatchResets+
		r.Changed+r.Retold+r.Forged+r.Untold+r.Leaked+r.Unanswered+r.Disagreed+r.Doubled+r.Oracle > 0 || r.Transitions == 0
}

// Print prints the report.
func (r *Report) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `seed %d: %d rounds in %.1f s, %d of them late; killed: %v
events %d, transitions %d: missed %d, invented %d, different %d, duplicated %d, gaps %d
of kinds %v; the oracle disagrees on %d
commands %d: applied %d, refused %v; %d tries without an answer, %d sent again, %d in the log again;
unanswered %d, disagreed %d, doubled %d
watch: %d connections, %d resets, missed %d, repeated %d
webhook: %d notifications, %d repeated under their id, %d of another content, %d transitions under two ids, %d forged
left out %v, not told %d, told though held or not asked for %d
`, r.Seed, r.Rounds, r.Seconds, r.Late, r.Kills, r.Events, r.Transitions, r.Missed, r.Invented, r.Different, r.Duplicated, r.Gaps,
		r.Kinds, r.Oracle,
		r.Commands, r.Applied, r.Refused, r.Unknown, r.Again, r.Rewritten, r.Unanswered, r.Disagreed, r.Doubled,
		r.Connections, r.WatchResets, r.WatchMissed, r.WatchRepeated,
		r.Notifications, r.Repeated, r.Changed, r.Retold, r.Forged, r.Left, r.Untold, r.Leaked)
	if err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}
