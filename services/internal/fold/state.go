package fold

import (
	"encoding/binary"
	"errors"
	"slices"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/wire"
)

// Horizon is how long, in microseconds of log time, a live event may be late: 7 days.
const Horizon = 7 * 24 * hour

// remembered is how long message ids are kept; longer than an event can be accepted twice.
const remembered = Horizon + 2*hour

// ahead is how far before log time an event may be, in microseconds.
const ahead = hour

// hour is an hour in microseconds.
const hour = int64(3600) * 1_000_000

// Rules is the version of the rules by which this program folds. It grows when the same log would give other scores:
// other facts, measures, arithmetic or shipped scorecards. A partition keeps the version by which it was folded.
const Rules = 1

// State is what a partition keeps beside its accounts. It is written with every commit.
type State struct {
	// Stream identifies the log that this state was folded from.
	Stream string
	// Rules is the version of the rules by which it was folded; see the constant. 0: nothing was folded.
	Rules uint64
	// LogTime is the largest JetStream timestamp seen, in microseconds; 0: nothing seen.
	LogTime int64
	// LastTime and LastHash are timestamp and content hash of the message at the cursor.
	LastTime int64
	LastHash uint64
	// Accounts is how many accounts the partition has.
	Accounts uint32
	// SweepAt is the next account that a sweep brings up to date, SweepEnd the end of the sweep; equal: none
	// under way.
	SweepAt, SweepEnd uint32
	// FirstHour is the oldest hour whose message ids are still stored.
	FirstHour int64
	// Counted, Duplicates and Rejected count the events that were applied, seen again, refused.
	Counted, Duplicates, Rejected uint64
	// Loads are the historical loads, by id.
	Loads []Load
	// Sets are the versions of the scorecards in force, by workspace; none: the shipped ones.
	Sets []SetVersion

	// OutboxFirst to OutboxNext are the entries of the outbox that are not known to be in the ALERTS stream. AlertsLast is
	// the sequence there up to which all before are known to be.
	OutboxFirst, OutboxNext, AlertsLast uint64

	activity   []sources
	workspaces []Workspace
	timerHours []int64 // hours of which there are chunks of timers, in order
}

// Load is a historical load in a partition.
type Load struct {
	Workspace, ID string
	// Last is the log time of its last event, in microseconds.
	Last   int64
	Closed bool
	// ClosedAt is the log time at which it was closed.
	ClosedAt int64
}

// SetVersion says which version of the scorecards is in force for a workspace.
type SetVersion struct {
	Workspace string
	Version   uint64
	// Kept are the versions whose documents are stored, oldest first; the last is the one in force.
	Kept []KeptVersion
}

// ErrState is returned for bytes that Encode cannot have made.
var ErrState = errors.New("fold: malformed partition state")

// stateVersion of what Encode writes. Version 1 had no rules: it was folded by the first. Version 2 had neither kept
// documents nor the activity of sources, version 3 nothing of alerts.
const (
	stateVersion    = 4
	stateNoAlerts   = 3
	stateNoActivity = 2
	stateNoRules    = 1
	rulesOfNoRules  = 1
)

// Encode returns the state in its stored form.
func (s *State) Encode() []byte {
	b := []byte{stateVersion}
	b = wire.Append(b, s.Stream)
	for _, n := range []uint64{
		s.Rules, uint64(s.LogTime), uint64(s.LastTime), s.LastHash, //nolint:gosec // bit patterns
		uint64(s.Accounts), uint64(s.SweepAt), uint64(s.SweepEnd), uint64(s.FirstHour), //nolint:gosec // bit patterns
		s.Counted, s.Duplicates, s.Rejected, uint64(len(s.Loads)),
	} {
		b = binary.AppendUvarint(b, n)
	}
	for _, l := range s.Loads {
		b = wire.Append(wire.Append(b, l.Workspace), l.ID)
		b = binary.AppendUvarint(b, uint64(l.Last)) //nolint:gosec // bit pattern
		b = append(b, boolByte(l.Closed))
		b = binary.AppendUvarint(b, uint64(l.ClosedAt)) //nolint:gosec // bit pattern
	}
	b = binary.AppendUvarint(b, uint64(len(s.Sets)))
	for _, v := range s.Sets {
		b = binary.AppendUvarint(wire.Append(b, v.Workspace), v.Version)
		b = binary.AppendUvarint(b, uint64(len(v.Kept)))
		for _, k := range v.Kept {
			b = binary.AppendUvarint(binary.AppendUvarint(b, k.Version), uint64(k.Until)) //nolint:gosec // bit pattern
		}
	}
	return s.appendAlerting(s.appendActivity(b))
}

// DecodeState reads what Encode wrote; nil gives the state of a partition that has seen nothing.
func DecodeState(b []byte) (State, error) {
	var s State
	if len(b) == 0 {
		return s, nil
	}
	r := wire.NewReader(b)
	version := r.Byte()
	if version < stateNoRules || version > stateVersion {
		return s, ErrState
	}
	s.Stream = r.Text()
	if s.Rules = rulesOfNoRules; version != stateNoRules {
		s.Rules = r.Uvarint()
	}
	//nolint:gosec // bit patterns
	s.LogTime, s.LastTime, s.LastHash = int64(r.Uvarint()), int64(r.Uvarint()), r.Uvarint()
	//nolint:gosec // written from uint32
	s.Accounts, s.SweepAt, s.SweepEnd = uint32(r.Uvarint()), uint32(r.Uvarint()), uint32(r.Uvarint())
	s.FirstHour = int64(r.Uvarint()) //nolint:gosec // bit pattern
	s.Counted, s.Duplicates, s.Rejected = r.Uvarint(), r.Uvarint(), r.Uvarint()
	for n := r.Count(); n > 0; n-- {
		l := Load{Workspace: r.Text(), ID: r.Text(), Last: int64(r.Uvarint())} //nolint:gosec // bit pattern
		if l.Closed = r.Byte() == 1; version > stateNoAlerts {
			l.ClosedAt = int64(r.Uvarint()) //nolint:gosec // bit pattern
		}
		s.Loads = append(s.Loads, l)
	}
	for n := r.Count(); n > 0; n-- {
		v := SetVersion{Workspace: r.Text(), Version: r.Uvarint()}
		if version > stateNoActivity {
			for n := r.Count(); n > 0; n-- {
				v.Kept = append(v.Kept, KeptVersion{Version: r.Uvarint(), Until: health.Day(r.Uvarint())}) //nolint:gosec // bit pattern
			}
		}
		s.Sets = append(s.Sets, v)
	}
	if version > stateNoActivity && !s.readActivity(r) || version > stateNoAlerts && !s.readAlerting(r) || !r.Done() {
		return State{}, ErrState
	}
	return s, nil
}

// Version returns the version of the workspace's scorecards in force; 0: the shipped ones.
func (s *State) Version(workspace string) uint64 {
	for _, v := range s.Sets {
		if v.Workspace == workspace {
			return v.Version
		}
	}
	return 0
}

// OpenLoad reports whether the load is known and not closed.
func (s *State) OpenLoad(workspace, id string) bool {
	l := s.load(workspace, id)
	return l != nil && !l.Closed
}

func (s *State) load(workspace, id string) *Load {
	i := slices.IndexFunc(s.Loads, func(l Load) bool { return l.ID == id && l.Workspace == workspace })
	if i < 0 {
		return nil
	}
	return &s.Loads[i]
}

// setOf returns what is known of the workspace's scorecards, made if need be.
func (s *State) setOf(workspace string) *SetVersion {
	for i := range s.Sets {
		if s.Sets[i].Workspace == workspace {
			return &s.Sets[i]
		}
	}
	s.Sets = append(s.Sets, SetVersion{Workspace: workspace})
	return &s.Sets[len(s.Sets)-1]
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
