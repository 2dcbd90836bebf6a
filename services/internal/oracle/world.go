package oracle

import (
	"cmp"
	"slices"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
)

// Message is one log message of a partition as the fold sees it.
type Message struct {
	Time    int64 // JetStream's timestamp, microseconds since the epoch
	Records []*logv1.Record
}

// Options are what a replay needs from outside.
type Options struct {
	// Shipped holds until a workspace's first scorecards document.
	Shipped *scorecard.Set
	// Parse compiles a document; one that it refuses changes nothing.
	Parse func(version uint64, document []byte) (*scorecard.Set, error)
	// ShippedRules hold until a workspace's first rules document; nil: none.
	ShippedRules *rule.Set
	// ParseRules compiles a rules document; one that it refuses changes nothing.
	ParseRules func(version uint64, document []byte) (*rule.Set, error)
	// AlertID names an alert.
	AlertID func(s Subject, rule string, fired int64) string
	// Partition is the number of the partition; rules on sources are looked at in 0.
	Partition int
}

// Key names an account.
type Key struct{ Workspace, Account string }

// Rejected is a refused event.
type Rejected struct {
	Workspace, Account, MessageID, Code string
}

// loadKey names a historical load.
type loadKey struct{ workspace, id string }

// load is a historical load that has begun or ended in the partition.
type load struct {
	last   int64 // log time at its last event
	closed bool
}

// World is what the rules make of a partition's log.
type World struct {
	options  Options
	final    bool // leave out everything but the end
	logTime  int64
	accounts map[Key]*Account
	loads    map[loadKey]*load
	sets     map[string]*scorecard.Set
	rejects  []Rejected

	rules       map[string]*rule.Set
	sources     map[sourceKey]sourceState
	sourceBooks map[Subject]*book
	decided     map[string]int64 // as Account.decided, of commands about sources
}

// Replay applies a partition's whole log by the rules.
func Replay(messages []Message, o Options) *World { return replay(messages, o, false) }

// ReplayFinal applies a partition's whole log, but evaluates each account only at the end: no history,
// and the band is the plain one. For logs too large for Replay; an account that is churned at the end
// has no score here.
func ReplayFinal(messages []Message, o Options) *World { return replay(messages, o, true) }

func replay(messages []Message, o Options, final bool) *World {
	w := newWorld(o)
	w.final = final
	for _, m := range messages {
		w.apply(m)
	}
	if final {
		w.finish()
	}
	return w
}

func newWorld(o Options) *World {
	return &World{
		options:  o,
		accounts: map[Key]*Account{}, loads: map[loadKey]*load{}, sets: map[string]*scorecard.Set{},
		rules: map[string]*rule.Set{}, sources: map[sourceKey]sourceState{}, sourceBooks: map[Subject]*book{},
		decided: map[string]int64{},
	}
}

// finish evaluates every account once, at the end of the log.
func (w *World) finish() {
	for _, a := range w.accounts {
		if a.load == "" {
			a.Day = DayOf(w.logTime)
		}
		a.evaluate(w)
	}
}

// Accounts returns the accounts that took an event, ordered by workspace and account.
func (w *World) Accounts() []Key {
	var keys []Key
	for key := range w.accounts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Account, b.Account))
	})
	return keys
}

// Account returns an account, or nil if it took no event.
func (w *World) Account(workspace, account string) *Account {
	return w.accounts[Key{Workspace: workspace, Account: account}]
}

// Rejects returns the refused events, in order.
func (w *World) Rejects() []Rejected { return w.rejects }

// LogTime is the partition's log time, in microseconds since the epoch.
func (w *World) LogTime() int64 { return w.logTime }

// Duplicates is the number of events whose message id their account had seen.
func (w *World) Duplicates() int {
	n := 0
	for _, a := range w.accounts {
		n += a.Duplicates
	}
	return n
}

// Counted is the number of accepted events.
func (w *World) Counted() int {
	n := 0
	for _, a := range w.accounts {
		n += len(a.Events)
	}
	return n
}

// Sets returns the scorecards in force, by workspace.
func (w *World) Sets() map[string]*scorecard.Set {
	all := map[string]*scorecard.Set{}
	for key := range w.accounts {
		all[key.Workspace] = w.set(key.Workspace)
	}
	return all
}

// set returns the scorecards in force in a workspace.
func (w *World) set(workspace string) *scorecard.Set {
	if set := w.sets[workspace]; set != nil {
		return set
	}
	return w.options.Shipped
}

// apply applies one message.
func (w *World) apply(m Message) {
	w.logTime = max(w.logTime, m.Time)
	for key, l := range w.loads {
		if !l.closed && w.logTime-l.last >= hour {
			w.closeLoad(key)
		}
	}
	w.pass()
	for _, r := range m.Records {
		switch p := r.GetPayload().(type) {
		case *logv1.Record_Event:
			w.event(r.GetWorkspace(), p.Event)
		case *logv1.Record_SetScorecards:
			w.setScorecards(r.GetWorkspace(), p.SetScorecards)
		case *logv1.Record_CloseLoad:
			w.closeLoad(loadKey{workspace: r.GetWorkspace(), id: p.CloseLoad.GetHistorical()})
		case *logv1.Record_AccountCommand:
			w.command(r.GetWorkspace(), p.AccountCommand)
		case *logv1.Record_SetRules:
			w.setRules(r.GetWorkspace(), p.SetRules)
		case *logv1.Record_SetSource:
			w.setSource(r.GetWorkspace(), p.SetSource)
		case *logv1.Record_AlertCommand:
			w.alertCommand(r.GetWorkspace(), p.AlertCommand)
		case *logv1.Record_Tick, *logv1.Record_SealedEvent: // log time has passed
		}
	}
	w.evaluateTouched()
}

// pass lets time pass to log time, for every account outside loads, and for the sources.
func (w *World) pass() {
	if w.final {
		return
	}
	for _, a := range w.accounts {
		if a.load == "" {
			a.advance(w.logTime, w, false)
		}
	}
	for s, b := range w.sourceBooks {
		for at := b.next(w.ruleSet(s.Workspace)); at >= 0 && at <= w.logTime; at = b.next(w.ruleSet(s.Workspace)) {
			w.viewSource(s, at).run()
		}
	}
}

// evaluateTouched evaluates and reviews all that the message touched.
func (w *World) evaluateTouched() {
	if w.final {
		return
	}
	for _, a := range w.accounts {
		switch {
		case !a.touched:
		case a.load == "":
			a.settle(w, false)
		default:
			a.evaluate(w)
		}
	}
}

// setScorecards puts a newer document in force, and evaluates every account of the workspace there and then,
// with the events that the same message brought before it.
func (w *World) setScorecards(workspace string, s *logv1.SetScorecards) {
	if s.GetVersion() <= w.set(workspace).Version {
		return
	}
	set, err := w.options.Parse(s.GetVersion(), s.GetDocument())
	if err != nil {
		return
	}
	w.sets[workspace] = set
	w.settingsChanged(workspace, true)
}

// closeLoad closes a load for ever and rolls its accounts to log time.
func (w *World) closeLoad(key loadKey) {
	if w.loads[key] == nil {
		w.loads[key] = &load{}
	}
	w.loads[key].closed = true
	for _, a := range w.accounts {
		if a.Workspace == key.workspace && a.load == key.id {
			a.leave(w)
		}
	}
}

// leave takes the account out of its load, and on to log time. What fires on the way, and there, is quiet.
func (a *Account) leave(w *World) {
	a.load = ""
	if w.final {
		a.rollTo(DayOf(w.logTime), w)
		return
	}
	a.advance(w.logTime, w, true)
	a.settle(w, true)
}

// refuse returns the code for which an event is refused, or nothing.
func (w *World) refuse(a *Account, e *eventv1.Event, l loadKey) string {
	const oldest, farthest = 7 * day, hour
	at := occurred(e)
	switch {
	case l.id == "" && at < w.logTime-oldest:
		return "too_old"
	case at > w.logTime+farthest:
		return "in_future"
	case l.id != "" && w.loads[l] != nil && w.loads[l].closed:
		return "load_closed"
	case l.id != "" && a != nil && (a.live || a.firstLoad != l.id):
		return "account_live"
	default:
		return content(e)
	}
}

// event applies one event.
func (w *World) event(workspace string, e *eventv1.Event) {
	key := Key{Workspace: workspace, Account: e.GetAccountId()}
	l := loadKey{workspace: workspace, id: e.GetHistorical()}
	a := w.accounts[key]
	if a != nil && a.hasSeen(e.GetMessageId(), w.logTime) {
		a.Duplicates++
		return
	}
	if code := w.refuse(a, e, l); code != "" {
		w.rejects = append(w.rejects, Rejected{
			Workspace: workspace, Account: e.GetAccountId(), MessageID: e.GetMessageId(), Code: code,
		})
		return
	}
	accepted := Timed{Event: e, Time: min(occurred(e), w.logTime)}
	if a == nil {
		a = newAccount(key, l.id)
		w.accounts[key] = a
	}
	if l.id == "" {
		if a.load != "" {
			a.leave(w)
		}
		a.live = true
		a.rollTo(DayOf(w.logTime), w)
	} else {
		if w.loads[l] == nil {
			w.loads[l] = &load{}
		}
		w.loads[l].last = w.logTime
		a.rollTo(DayOf(accepted.Time), w)
	}
	a.accept(accepted, w.logTime)
}

// occurred is the event's own time in whole microseconds.
func occurred(e *eventv1.Event) int64 {
	return e.GetOccurredAt().GetSeconds()*second + int64(e.GetOccurredAt().GetNanos())/1000
}
