package delivery

import (
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// Reasons why something was left out.
const (
	ReasonHeld      = "held"       // something holds the alert back
	ReasonQuiet     = "quiet"      // it was there when a historical load ended
	ReasonSilenced  = "silenced"   // a silence matches; its id stands behind a colon
	ReasonOvertaken = "overtaken"  // a later transition was told in its place
	ReasonNotTold   = "not_told"   // it ended, and the receiver had not heard that it began
	ReasonNotWanted = "not_wanted" // the receiver does not want to hear of this kind
	ReasonOutdated  = "outdated"   // ALERTS was begun anew, and whether it was told so long ago is not known any more
	ReasonReceiver  = "receiver_removed"
)

// Record is one message of the stream: a *Delivery, a *Notice, a *Cursor or a *Period.
type Record interface {
	subject() (string, error)
}

// Delivery says that a transition goes to a receiver, in a notice, or why it does not. It is written once.
type Delivery struct {
	Workspace string                  `json:"workspace"`
	Receiver  string                  `json:"receiver"`
	AlertID   string                  `json:"alert_id"`
	Revision  uint32                  `json:"revision"`
	Kind      alertv1.Transition_Kind `json:"kind"`
	// Sequence of the transition in ALERTS.
	Sequence uint64 `json:"sequence"`
	// Generation is how often ALERTS had been begun anew; sequences of different generations do not compare.
	Generation uint32 `json:"generation,omitempty"`
	// At is when it was decided.
	At time.Time `json:"at"`
	// Group and Notice that it belongs to; both are empty where Skipped is not.
	Group  string `json:"group,omitempty"`
	Notice string `json:"notice,omitempty"`
	// Due is when the notice is to be sent, as far as this delivery goes.
	Due time.Time `json:"due,omitzero"`
	// Slept says that quiet hours put it off.
	Slept bool `json:"slept,omitempty"`
	// Critical says that the notice goes before others.
	Critical bool `json:"critical,omitempty"`
	// Skipped is why it is left out.
	Skipped string `json:"skipped,omitempty"`
	// Transition is what is told, an encoded alertv1.Transition.
	Transition []byte `json:"transition,omitempty"`
}

// TransitionID is the id of the transition.
func (d *Delivery) TransitionID() string { return transitionID(d.AlertID, d.Revision) }

// Status of a notice.
type Status string

// The states of notices. One that is not closed yet has no record.
const (
	StatusPending   Status = "pending"
	StatusDelivered Status = "delivered"
	StatusDead      Status = "dead"
	StatusSkipped   Status = "skipped"
)

// Over tells whether nothing more happens to the notice by itself.
func (s Status) Over() bool { return s != StatusPending }

// Notice is a notification to one receiver. It is written when it is closed, before it is sent, so that what is sent
// under its id is always the same, and then at each change.
type Notice struct {
	// ID is the same at every try, whoever makes it.
	ID        string `json:"id"`
	Workspace string `json:"workspace"`
	Receiver  string `json:"receiver"`
	Group     string `json:"group"`
	Critical  bool   `json:"critical,omitempty"`
	Status    Status `json:"status"`
	// Members are the ids of the transitions that it tells of, Skipped the reasons of those that it leaves out.
	Members []string          `json:"members,omitempty"`
	Skipped map[string]string `json:"skipped,omitempty"`
	// Closed is when it was first to be sent, At when it came into its state.
	Closed time.Time `json:"closed"`
	At     time.Time `json:"at"`
	// Since is from when on tries count against the longest time of all tries.
	Since time.Time `json:"since"`
	// NextTry is when it is tried again; zero: not.
	NextTry  time.Time `json:"next_try,omitzero"`
	Attempts uint32    `json:"attempts,omitempty"`
	// Reason is why it failed last.
	Reason string `json:"reason,omitempty"`
	// Digest is what is told where it is not alerts, as whoever delivers encodes it. It goes when it is delivered.
	Digest []byte `json:"digest,omitempty"`
}

// Alerts are the ids of the alerts that the notice tells of, each once.
func (n *Notice) Alerts() []string {
	var (
		ids  []string
		seen = map[string]bool{}
	)

	for _, m := range n.Members {
		if id := alertOf(m); !seen[id] {
			seen[id] = true

			ids = append(ids, id)
		}
	}

	return ids
}

// Cursor says up to which sequence of ALERTS everything has its deliveries.
type Cursor struct {
	Sequence uint64 `json:"sequence"`
	// Generation is how often ALERTS was begun anew, because it did not go back to the cursor any more.
	Generation uint32 `json:"generation,omitempty"`
	// Stream and Time, in nanoseconds since 1970, say in which stream that record is: when the stream was made, and when it
	// took the record. 0: not known.
	Stream int64 `json:"stream,omitempty"`
	Time   int64 `json:"time,omitempty"`
}

// Period says up to when a digest of a workspace has been made.
type Period struct {
	Workspace string `json:"workspace"`
	// Digest is its name.
	Digest string `json:"digest"`
	// To is the end of the last period.
	To time.Time `json:"to"`
}

// Entry is a record as it stands in the stream.
type Entry struct {
	Record Record
	// Sequence in the stream, the one a replacing write has to name.
	Sequence uint64
	// Time of the server.
	Time time.Time
}
