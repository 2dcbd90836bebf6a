package fold

import (
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// Accounts holds the accounts that a step needs; the caller of the fold has put them there.
type Accounts interface {
	// Get returns the account, nil if it does not exist yet.
	Get(id string) *health.Account
	// Put adds an account that the fold made.
	Put(id string, a *health.Account)
}

// Parser compiles a scorecards document.
type Parser func(document []byte) (*scorecard.Set, error)

// Message is one message of the partition's log.
type Message struct {
	Sequence uint64
	// Time is JetStream's timestamp, in microseconds.
	Time    int64
	Hash    uint64
	Records []*logv1.Record
}

// Refused is a record that could not be used.
type Refused struct {
	Sequence uint64
	// Index of the record in its message.
	Index int
	// Hash of the message.
	Hash                 uint64
	Record               *logv1.Record
	Code, Field, Message string
}

// Partition folds one partition. It is not safe for concurrent use.
type Partition struct {
	State

	number  int
	head    store.Head
	flushed uint64
	shipped *scorecard.Set
	parse   Parser
	sets    map[string]*scorecard.Set
	dedupe  dedupe

	shippedRules *rule.Set
	parseRules   RuleParser
	rules        map[string]*rule.Set
	// muted says that what is decided about alerts is told to nobody.
	muted bool
	// reviewing is the review under way.
	reviewing health.Review
	timers    timerHeap
	// waking are accounts whose timers have rung.
	waking []string
	// published is the first entry of the outbox that is not known to be in ALERTS.
	published uint64

	// poison names records whose folding failed inside; shunned accounts whose sweep did.
	poison  map[poisonKey]string
	shunned map[string]struct{}

	// busy is the place of the sources of the last live event.
	busy int

	// sweeping is the account that a sweep is at.
	sweeping string

	// What the message under way has done so far.
	index    int
	evaluate []*touch
	ids      []fingerprint

	// What has changed since the last Flush.
	changed changes
}

type poisonKey struct {
	sequence, hash uint64
	index          int
}

// touch is an account that changed since the last Flush.
type touch struct {
	id        string
	account   *health.Account
	workspace string
	set       *scorecard.Set
	// message is the last one whose events touched the account.
	message uint64
}

// Options of a partition.
type Options struct {
	Number int
	// Shipped applies to workspaces that have set no scorecards of their own.
	Shipped *scorecard.Set
	Parse   Parser
	// Rules of alerts of workspaces that have set none of their own; nil: the shipped ones.
	Rules      *rule.Set
	ParseRules RuleParser
	// Muted keeps what is decided about alerts out of the outbox: it was told when the log was folded first.
	Muted bool
	// MaxIDs bounds the message ids remembered; 0: 64 million.
	MaxIDs int
}

const defaultMaxIDs = 64 << 20

// Cursor returns the sequence up to which messages have been applied.
func (p *Partition) Cursor() uint64 { return p.head.Cursor }

// Fill returns how full the memory for message ids is, in percent.
func (p *Partition) Fill() int { return 100 * len(p.dedupe.seen) / p.dedupe.max }

// Needs returns the accounts that a message touches, each once.
func Needs(m *Message) []string {
	seen := make(map[string]struct{}, len(m.Records))
	ids := make([]string, 0, len(m.Records))
	for _, r := range m.Records {
		var account string
		switch payload := r.GetPayload().(type) {
		case *logv1.Record_Event:
			account = payload.Event.GetAccountId()
		case *logv1.Record_AccountCommand:
			account = payload.AccountCommand.GetAccountId()
		case *logv1.Record_AlertCommand:
			if account = payload.AlertCommand.GetAccountId(); account == "" {
				continue
			}
		default:
			continue
		}
		id := store.Account(r.GetWorkspace(), account)
		if _, ok := seen[id]; !ok {
			seen[id] = struct{}{}
			ids = append(ids, id)
		}
	}
	return ids
}

// Begin lets log time pass to that of the message: message ids expire, idle loads close, a new day
// starts a sweep.
func (p *Partition) Begin(m *Message) error {
	before := p.LogTime
	p.LogTime = max(p.LogTime, m.Time)
	if p.LogTime/hour != before/hour {
		p.dedupe.forget(p.LogTime)
		p.forgetHours(before)
	}
	if len(p.dedupe.seen)+len(m.Records) > p.dedupe.max {
		return ErrDedupeFull
	}
	p.closeIdleLoads()
	if before != 0 && health.DayOf(p.LogTime) != health.DayOf(before) {
		p.startSweep()
	}
	p.ring()
	p.ringSources()
	return nil
}

// forgetHours drops the stored ids of hours of which nothing is remembered any more.
func (p *Partition) forgetHours(before int64) {
	if p.FirstHour == 0 {
		p.FirstHour = p.LogTime / hour
		return
	}
	first := (p.LogTime-remembered)/hour - 1
	for h := p.FirstHour; h < first && h <= before/hour; h++ {
		p.changed.delete(store.DedupeKey(h))
	}
	p.FirstHour = max(p.FirstHour, first)
}

// Apply folds the message's records from index on, after Begin. It returns the index to go on from: that of
// a record that must wait for the end of the sweep under way (MustSettle), or the number of records,
// when the message is done.
func (p *Partition) Apply(m *Message, index int, accounts Accounts) int {
	for ; index < len(m.Records); index++ {
		p.index = index
		r := m.Records[index]
		if changesSettings(r) && (p.Sweeping() || p.Waking()) {
			return index
		}
		if why, bad := p.poison[poisonKey{m.Sequence, m.Hash, index}]; bad {
			p.refuse(m, index, "internal", "", why)
			continue
		}
		p.record(m, index, accounts)
	}
	p.finish(m)
	return index
}

// changesSettings reports whether a record changes what all accounts of a workspace go by: it waits until all of them
// are up to date.
func changesSettings(r *logv1.Record) bool {
	return r.GetSetScorecards() != nil || r.GetSetRules() != nil || r.GetSetSource() != nil
}

// Index returns the index of the record that Apply is at, or was at when it failed.
func (p *Partition) Index() int { return p.index }

// Condemn makes Apply refuse a record of a message whose folding failed inside, instead of trying it again.
func (p *Partition) Condemn(sequence, hash uint64, index int, why string) {
	p.poison[poisonKey{sequence, hash, index}] = why
}

// Shun makes sweeps pass over an account on which one failed inside. An event may still touch it.
func (p *Partition) Shun(id string) { p.shunned[id] = struct{}{} }

func (p *Partition) record(m *Message, index int, accounts Accounts) {
	r := m.Records[index]
	switch payload := r.GetPayload().(type) {
	case *logv1.Record_Event:
		p.event(m, index, payload.Event, accounts)
	case *logv1.Record_Tick:
	case *logv1.Record_SetScorecards:
		p.setScorecards(m, index, payload.SetScorecards)
	case *logv1.Record_CloseLoad:
		p.closeLoad(r.GetWorkspace(), payload.CloseLoad.GetHistorical())
	case *logv1.Record_AccountCommand:
		p.command(m, index, payload.AccountCommand, accounts)
	case *logv1.Record_SetRules:
		p.setRules(m, index, payload.SetRules)
	case *logv1.Record_SetSource:
		p.setSource(m, index, payload.SetSource)
	case *logv1.Record_AlertCommand:
		p.alertCommand(m, index, payload.AlertCommand, accounts)
	default:
		p.refuse(m, index, "unknown_record", "", "this version of Hale does not know this kind of record")
	}
}

// finish ends a message: the accounts that its events touched are evaluated, once each, by the scorecards that are now in
// force: if they changed after the last event of an account, this is the evaluation that the change asks for.
func (p *Partition) finish(m *Message) {
	for _, t := range p.evaluate {
		p.evaluateTouched(t)
	}
	clear(p.evaluate)
	p.evaluate = p.evaluate[:0]
	if len(p.ids) > 0 {
		p.changed.remember(p.LogTime, p.ids)
		p.ids = p.ids[:0]
	}
	p.LastTime, p.LastHash = m.Time, m.Hash
	p.head.Cursor = m.Sequence
}

// evaluateTouched evaluates an account that events touched, and reviews its alerts.
func (p *Partition) evaluateTouched(t *touch) {
	a, set := t.account, p.set(t.workspace)
	if a.Load() != "" {
		a.Evaluate(set)
		return
	}
	if w := p.findWorkspace(t.workspace); w != nil {
		a.SetSilent(w.silent(), set) // a new account has not heard of it yet
	}
	p.watched(t.id, a, a.Timer(), a.EvaluateAndReview(p.review(t.id, p.LogTime, set)))
}

func (p *Partition) refuse(m *Message, index int, code, field, why string) {
	p.Rejected++
	p.changed.refused = append(p.changed.refused, Refused{
		Sequence: m.Sequence, Index: index, Hash: m.Hash, Record: m.Records[index], Code: code, Field: field, Message: why,
	})
}

// Skip passes over a message that cannot be decoded; the caller has put it to the rejects.
func (p *Partition) Skip(m *Message) {
	p.Rejected++
	p.finish(m)
}

// set returns the scorecards in force for the workspace.
func (p *Partition) set(workspace string) *scorecard.Set {
	if s := p.sets[workspace]; s != nil {
		return s
	}
	return p.shipped
}

func (p *Partition) setScorecards(m *Message, index int, c *logv1.SetScorecards) {
	workspace := m.Records[index].GetWorkspace()
	if c.GetVersion() <= p.Version(workspace) {
		return
	}
	set, err := p.parse(c.GetDocument())
	if err != nil {
		p.refuse(m, index, "invalid_scorecards", "document", err.Error())
		return
	}
	set.Version = c.GetVersion()
	p.sets[workspace] = set
	p.setOf(workspace).Version = c.GetVersion()
	p.keepDocument(workspace, c.GetVersion(), c.GetDocument())
	p.changed.put(store.ScorecardsKey(workspace), c.GetDocument())
	p.change(workspace)
	p.startSweep()
}
