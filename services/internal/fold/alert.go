package fold

import (
	"strings"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// RuleParser compiles a document of rules of alerts.
type RuleParser func(document []byte) (*rule.Set, error)

// review is what a review of an account at a time goes by; it is good until the next call.
func (p *Partition) review(id string, at int64, set *scorecard.Set) *health.Review {
	workspace, account, _ := store.SplitAccount(id)
	r := &p.reviewing
	*r = health.Review{Workspace: workspace, Account: account, At: at, Rules: p.rulesOf(workspace), Set: set}
	if w := p.findWorkspace(workspace); w != nil {
		r.Change = w.Change
	}
	return r
}

// rulesOf returns the rules in force for the workspace.
func (p *Partition) rulesOf(workspace string) *rule.Set {
	if s := p.rules[workspace]; s != nil {
		return s
	}
	return p.shippedRules
}

// decided takes in what happened to alerts of a workspace.
func (p *Partition) decided(workspace string, transitions ...*alertv1.Transition) {
	if p.muted {
		return
	}
	for _, t := range transitions {
		p.changed.alerts = append(p.changed.alerts, &logv1.AlertRecord{
			Workspace: workspace, Partition: uint32(p.number), Transition: t, //nolint:gosec // a few thousand
		})
	}
}

// settleAccount takes in changes of settings that the account has not heard of yet, as of when they were made.
func (p *Partition) settleAccount(id, workspace string, a *health.Account, set *scorecard.Set) bool {
	w := p.findWorkspace(workspace)
	if p.awaits(id, set) || (!a.Stale(set) && (w == nil || a.SettingsChange() == w.Change)) {
		return false
	}
	at := p.LogTime
	if w != nil {
		a.SetSilent(w.silent(), set)
		at = w.ChangedAt
	}
	p.watched(id, a, a.Timer(), a.EvaluateAndReview(p.review(id, at, set)))
	return true
}

// watched takes in what a review of the account said, and what the account asks for, if that is another time than before.
func (p *Partition) watched(id string, a *health.Account, before int64, transitions []*alertv1.Transition) {
	p.setTimer(id, a, before)
	if len(transitions) > 0 {
		p.decided(workspaceOf(id), transitions...)
	}
}

// pass takes an account through its timers and midnights up to a time, one by one, and reports whether there were any.
func (p *Partition) pass(id string, a *health.Account, set *scorecard.Set, to int64, quiet bool) bool {
	passed := false
	for ; ; passed = true {
		midnight := (a.Day() + 1).Start()
		due := a.Timer()
		switch {
		case due != 0 && due <= to && due < midnight:
			r := p.review(id, due, set)
			r.Quiet = quiet
			p.watched(id, a, due, a.Ring(r))
		case midnight <= to:
			r := p.review(id, midnight, set)
			r.Quiet = quiet
			p.watched(id, a, due, a.RollAndReview(r, func(row health.Row) { p.changed.row(id, row) }))
		default:
			return passed
		}
	}
}

// setRules puts rules in force.
func (p *Partition) setRules(m *Message, index int, c *logv1.SetRules) {
	workspace := m.Records[index].GetWorkspace()
	if w := p.Workspace(workspace); c.GetVersion() <= w.RulesVersion {
		return
	}
	set, err := p.parseRules(c.GetDocument())
	if err != nil {
		p.refuse(m, index, "invalid_rules", "document", err.Error())
		return
	}
	set.Version = c.GetVersion()
	p.rules[workspace] = set
	w := p.change(workspace)
	w.RulesVersion = c.GetVersion()
	p.changed.put(store.RulesKey(workspace), c.GetDocument())
	p.startSweep()
	p.reviewSources(w)
}

// setSource notes that a source fell silent, or is back.
func (p *Partition) setSource(m *Message, index int, c *logv1.SetSource) {
	workspace := m.Records[index].GetWorkspace()
	source, ok := health.SourceNamed(c.GetSource())
	if !ok {
		p.refuse(m, index, "unknown_source", "source", "there is no source "+c.GetSource())
		return
	}
	known := p.Workspace(workspace).Silence[source]
	last := c.GetLastEventMicros()
	if last < known.Last || (last == known.Last && !c.GetSilent()) {
		return
	}
	if c.GetSilent() == known.Silent && known.Last != 0 { // no news, but what is older than this means nothing
		p.findWorkspace(workspace).Silence[source].Last = last
		return
	}
	w := p.change(workspace)
	w.Silence[source] = Silence{Silent: c.GetSilent(), Last: last}
	p.startSweep()
	p.reviewSources(w)
}

// alertCommand applies what a person decided about an alert.
func (p *Partition) alertCommand(m *Message, index int, c *logv1.AlertCommand, accounts Accounts) {
	workspace := m.Records[index].GetWorkspace()
	id := store.Account(workspace, c.GetAccountId())
	f := fingerprintOf(id, alertPrefix+c.GetAlertId()+"\x00"+c.GetCommandId())
	if p.dedupe.known(f, p.LogTime) {
		return
	}
	refusal := checkAlertCommand(c)
	if refusal == nil && c.GetAccountId() == "" {
		refusal = p.sourceCommand(workspace, c)
	} else if refusal == nil {
		refusal = p.accountCommand(m, id, workspace, c, accounts.Get(id))
	}
	if refusal != nil {
		p.refuse(m, index, refusal.Code, refusal.Field, refusal.Message)
		return
	}
	p.dedupe.seen[f] = p.LogTime
	p.ids = append(p.ids, f)
}

func (p *Partition) accountCommand(m *Message, id, workspace string, c *logv1.AlertCommand, a *health.Account) *health.Refusal {
	if a == nil {
		return &health.Refusal{Code: CodeUnknownAccount, Field: "account_id", Message: "there is no such account"}
	}
	set := p.set(workspace)
	p.bring(id, workspace, a, set)
	if refusal := a.Examine(workspace, c.GetAccountId(), c, p.LogTime); refusal != nil {
		return refusal
	}
	before := a.Timer()
	done := a.Command(p.review(id, p.LogTime, set), c)
	p.await(p.changed.touch(id, a), m, workspace, set)
	p.watched(id, a, before, []*alertv1.Transition{done})
	return nil
}

// checkAlertCommand decides whether a command makes sense by itself; nil: it does.
func checkAlertCommand(c *logv1.AlertCommand) *health.Refusal {
	const maxID, maxText = 256, 4096
	switch {
	case c.GetCommandId() == "" || len(c.GetCommandId()) > maxID:
		return &health.Refusal{Code: health.CodeInvalidValue, Field: "command_id", Message: "has 1 to 256 bytes"}
	case len(c.GetAuthor()) > maxID:
		return &health.Refusal{Code: health.CodeInvalidValue, Field: "author", Message: "has up to 256 bytes"}
	case len(c.GetAssign().GetAssignee()) > maxID:
		return &health.Refusal{Code: health.CodeInvalidValue, Field: "assign.assignee", Message: "has up to 256 bytes"}
	case len(c.GetNote()) > maxText:
		return &health.Refusal{Code: health.CodeInvalidValue, Field: "note", Message: "has up to 4,096 bytes"}
	case c.GetCommand() == nil:
		return &health.Refusal{Code: health.CodeMissingBody, Message: "has no command this version knows"}
	case c.GetComment() != nil && strings.TrimSpace(c.GetNote()) == "":
		return &health.Refusal{Code: health.CodeInvalidValue, Field: "note", Message: "a comment says something"}
	}
	return nil
}

// flushAlerts puts what was decided into the outbox.
func (p *Partition) flushAlerts(c *store.Commit) {
	for ; p.OutboxFirst < p.published && p.OutboxFirst < p.OutboxNext; p.OutboxFirst++ {
		c.Delete = append(c.Delete, store.OutboxKey(p.OutboxFirst))
	}
	if len(p.changed.alerts) == 0 {
		return
	}
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(&logv1.AlertRecords{Records: p.changed.alerts})
	if err != nil { // never: texts are checked where they come in
		panic(err)
	}
	c.Put = append(c.Put, store.Entry{Key: store.OutboxKey(p.OutboxNext), Value: value})
	p.OutboxNext++
}

// Mute says whether what is decided from now on is kept out of the outbox, since it was told before.
func (p *Partition) Mute(on bool) { p.muted = on }

// Outbox returns the keys of what is decided and stored, and not known to be in ALERTS, in order.
func (s *State) Outbox() []string {
	var keys []string
	for n := s.OutboxFirst; n < s.OutboxNext; n++ {
		keys = append(keys, store.OutboxKey(n))
	}
	return keys
}

// Published says that all entries of the outbox before next are in ALERTS, which holds the last of them at a sequence.
func (p *Partition) Published(next, last uint64) {
	if next <= p.published {
		return
	}
	p.published, p.AlertsLast = next, max(p.AlertsLast, last)
	p.changed.swept = true
}
