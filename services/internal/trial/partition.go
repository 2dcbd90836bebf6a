package trial

import (
	"fmt"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/rule"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// slice is how many accounts are swept at once.
const slice = 256

// Options of a partition.
type Options struct {
	// Number of the partition.
	Number int
	// Workspace whose records are folded; those of others are passed over.
	Workspace string
	// Rules are in force all the time, in place of those that the log puts in force.
	Rules *rule.Set
	// Scorecards are in force until the log says otherwise; nil: the shipped ones.
	Scorecards *scorecard.Set
	// MaxIDs bounds the message ids remembered; 0: as in the fold.
	MaxIDs int
}

// Partition folds one partition for a trial. It is not safe for concurrent use.
type Partition struct {
	workspace string
	fold      *fold.Partition
	accounts  accounts
}

// New returns a partition that has seen nothing.
func New(o Options) (*Partition, error) {
	return open(o, store.Head{})
}

func open(o Options, head store.Head) (*Partition, error) {
	if o.Scorecards == nil {
		o.Scorecards = scorecard.Shipped()
	}
	p, err := fold.NewPartition(fold.Options{
		Number: o.Number, Shipped: o.Scorecards, Parse: scorecard.Parse, Rules: o.Rules, MaxIDs: o.MaxIDs,
		ParseRules: func([]byte) (*rule.Set, error) { // whatever was in force
			rules := *o.Rules
			return &rules, nil
		},
	}, head)
	if err != nil {
		return nil, fmt.Errorf("trying rules on partition %d: %w", o.Number, err)
	}
	return &Partition{workspace: o.Workspace, fold: p, accounts: accounts{byID: map[string]*health.Account{}}}, nil
}

// Accounts returns how many accounts the partition holds.
func (p *Partition) Accounts() int { return len(p.accounts.byID) }

// Cursor returns the sequence up to which the log was folded.
func (p *Partition) Cursor() uint64 { return p.fold.Cursor() }

// Fold takes in a message and returns what happened to alerts, in order within an account. A message without records, as
// one that cannot be decoded, or one of other workspaces, lets time pass.
func (p *Partition) Fold(m *fold.Message) ([]*alertv1.Transition, error) {
	own := *m
	own.Records = p.own(m.Records)
	return p.message(own)
}

func (p *Partition) message(own fold.Message) ([]*alertv1.Transition, error) {
	if err := p.fold.Begin(&own); err != nil {
		return nil, fmt.Errorf("folding message %d: %w", own.Sequence, err)
	}
	for next := p.fold.Apply(&own, 0, &p.accounts); next < len(own.Records); {
		p.settle()
		next = p.fold.Apply(&own, next, &p.accounts)
	}
	p.settle()
	decided := p.fold.Discard()
	transitions := make([]*alertv1.Transition, 0, len(decided))
	for _, d := range decided {
		transitions = append(transitions, d.GetTransition())
	}
	return transitions, nil
}

// own returns the records of the workspace, but those that put rules in force.
func (p *Partition) own(records []*logv1.Record) []*logv1.Record {
	var own []*logv1.Record
	for _, r := range records {
		if r.GetWorkspace() == p.workspace && r.GetSetRules() == nil {
			own = append(own, r)
		}
	}
	return own
}

// settle brings all accounts up to date.
func (p *Partition) settle() {
	for p.fold.Sweeping() {
		p.fold.Sweep(p.fold.SweepNext(p.accounts.chunk(p.fold.SweepChunk()), slice), &p.accounts)
	}
	for p.fold.Waking() {
		p.fold.Wake(p.fold.WakeNext(slice), &p.accounts)
	}
}
