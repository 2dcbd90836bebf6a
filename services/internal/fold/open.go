package fold

import (
	"container/heap"
	"fmt"

	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// NewPartition returns a partition that goes on from a stored head.
func NewPartition(o Options, head store.Head) (*Partition, error) {
	state, err := DecodeState(head.State)
	if err != nil {
		return nil, fmt.Errorf("reading state of partition %d: %w", o.Number, err)
	}
	if o.MaxIDs == 0 {
		o.MaxIDs = defaultMaxIDs
	}
	if state.Rules == 0 {
		state.Rules = Rules
	}
	if o.Rules == nil {
		o.Rules = rule.Shipped()
	}
	if o.ParseRules == nil {
		o.ParseRules = rule.Parse
	}
	p := &Partition{
		shippedRules: o.Rules, parseRules: o.ParseRules, rules: map[string]*rule.Set{}, muted: o.Muted,
		published: state.OutboxFirst,
		State:     state, number: o.Number, head: head, flushed: head.Cursor, shipped: o.Shipped, parse: o.Parse,
		sets:   map[string]*scorecard.Set{},
		dedupe: dedupe{seen: map[fingerprint]int64{}, max: o.MaxIDs},
		poison: map[poisonKey]string{}, shunned: map[string]struct{}{},
	}
	p.changed.reset()
	return p, nil
}

// LoadKeys returns the keys whose values Load needs, before anything is applied.
func (p *Partition) LoadKeys() []string {
	var keys []string
	if p.FirstHour != 0 {
		for h := p.FirstHour; h <= p.LogTime/hour; h++ {
			keys = append(keys, store.DedupeKey(h))
		}
	}
	for _, v := range p.Sets {
		keys = append(keys, store.ScorecardsKey(v.Workspace))
	}
	for _, w := range p.ruled() {
		keys = append(keys, store.RulesKey(w.Name))
	}
	for _, h := range p.timerHours {
		keys = append(keys, store.TimerKey(h))
	}
	return keys
}

// ruled returns the workspaces that have rules of their own.
func (p *Partition) ruled() []Workspace {
	var all []Workspace
	for _, w := range p.workspaces {
		if w.RulesVersion != 0 {
			all = append(all, w)
		}
	}
	return all
}

// Load takes in the stored values of LoadKeys, in the same order.
func (p *Partition) Load(values [][]byte) error {
	ruled := p.ruled()
	hours := len(values) - len(p.Sets) - len(ruled) - len(p.timerHours)
	if err := p.loadAlerting(ruled, values[hours+len(p.Sets):]); err != nil {
		return err
	}
	for _, v := range values[:hours] {
		if err := p.dedupe.load(v); err != nil {
			return err
		}
	}
	for i, v := range p.Sets {
		set, err := p.parse(values[hours+i])
		if err != nil {
			return fmt.Errorf("reading scorecards %d of workspace %q: %w", v.Version, v.Workspace, err)
		}
		set.Version = v.Version
		p.sets[v.Workspace] = set
		if len(v.Kept) == 0 { // what an older version of Hale put in force
			p.keepDocument(v.Workspace, v.Version, values[hours+i])
		}
	}
	return nil
}

// loadAlerting takes in the stored rules and timers.
func (p *Partition) loadAlerting(ruled []Workspace, values [][]byte) error {
	for i, w := range ruled {
		set, err := p.parseRules(values[i])
		if err != nil {
			return fmt.Errorf("reading rules %d of workspace %q: %w", w.RulesVersion, w.Name, err)
		}
		set.Version = w.RulesVersion
		p.rules[w.Name] = set
	}
	for _, v := range values[len(ruled):] {
		if err := p.loadTimers(v); err != nil {
			return err
		}
	}
	heap.Init(&p.timers)
	p.ring()
	return nil
}
