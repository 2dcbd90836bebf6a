package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// reference is the plain fold of a partition: one owner, no faults, everything in memory.
type reference struct {
	partition *fold.Partition
	accounts  map[string]*health.Account
	values    map[string][]byte
	into      *decided
}

// Get implements fold.Accounts.
func (r *reference) Get(id string) *health.Account { return r.accounts[id] }

// Put implements fold.Accounts.
func (r *reference) Put(id string, a *health.Account) { r.accounts[id] = a }

// errEnd says that the end of a stream is reached.
var errEnd = errors.New("end of the stream")

// refer folds the whole log and returns what it decides about alerts.
func refer(ctx context.Context, log *eventlog.Log) (*decided, error) {
	all := &decided{
		transitions: map[string]*alertv1.Transition{}, refused: map[string][]string{},
		messages: make([][]oracle.Message, log.Layout().Partitions),
	}
	parts := make([]*reference, log.Layout().Partitions)
	for n := range parts {
		p, err := fold.NewPartition(fold.Options{Number: n, Shipped: scorecard.Shipped(), Parse: scorecard.Parse}, store.Head{})
		if err != nil {
			return nil, fmt.Errorf("beginning the reference of partition %d: %w", n, err)
		}
		parts[n] = &reference{partition: p, accounts: map[string]*health.Account{}, values: map[string][]byte{}, into: all}
	}
	for stream := range log.Layout().Streams {
		info, err := log.Info(ctx, stream)
		if err != nil {
			return nil, fmt.Errorf("asking for the end of the log: %w", err)
		}
		if info.Last == 0 {
			continue
		}
		err = log.Read(ctx, stream, 1, func(m *eventlog.Message) error {
			if m.Err != nil {
				return fmt.Errorf("message %d: %w", m.Sequence, m.Err)
			}
			all.messages[m.Partition] = append(all.messages[m.Partition], oracle.Message{Time: m.Time, Records: m.Records})
			if err := parts[m.Partition].fold(m); err != nil {
				return err
			}
			if m.Sequence >= info.Last {
				return errEnd
			}
			return nil
		})
		if !errors.Is(err, errEnd) {
			return nil, fmt.Errorf("folding the log: %w", err)
		}
	}
	return all, nil
}

// fold folds a message, to the end of what it sets going.
func (r *reference) fold(m *eventlog.Message) error {
	p := r.partition
	msg := &fold.Message{Sequence: m.Sequence, Time: m.Time, Hash: m.Hash(), Records: m.Records}
	if err := p.Begin(msg); err != nil {
		return fmt.Errorf("folding message %d: %w", m.Sequence, err)
	}
	for next := p.Apply(msg, 0, r); next < len(msg.Records); {
		if err := r.sweep(); err != nil {
			return err
		}
		next = p.Apply(msg, next, r)
	}
	if err := r.sweep(); err != nil {
		return err
	}
	return r.flush()
}

func (r *reference) sweep() error {
	const atOnce = 64
	p := r.partition
	for p.Sweeping() {
		chunk, err := fold.DecodeChunk(r.values[store.AccountsKey(p.SweepChunk())])
		if err != nil {
			return fmt.Errorf("reading account ids: %w", err)
		}
		p.Sweep(p.SweepNext(chunk, atOnce), r)
	}
	for p.Waking() {
		p.Wake(p.WakeNext(atOnce), r)
	}
	return nil
}

// flush takes what was decided out of the outbox.
func (r *reference) flush() error {
	c, refused := r.partition.Flush()
	for _, one := range refused {
		if id := one.Record.GetAlertCommand().GetCommandId(); id != "" {
			r.into.refused[id] = append(r.into.refused[id], one.Code)
		}
	}
	for _, e := range c.Put {
		r.values[e.Key] = slices.Clone(e.Value)
	}
	for _, e := range c.Append {
		r.values[e.Key] = append(r.values[e.Key], e.Value...)
	}
	keys := r.partition.Outbox()
	for _, key := range keys {
		records := &logv1.AlertRecords{}
		if err := proto.Unmarshal(r.values[key], records); err != nil {
			return fmt.Errorf("reading the outbox: %w", err)
		}
		for _, one := range records.GetRecords() {
			id := one.GetTransition().GetTransitionId()
			if r.into.transitions[id] != nil {
				return fmt.Errorf("the fold decides %s twice", id)
			}
			r.into.transitions[id] = one.GetTransition()
		}
		delete(r.values, key)
	}
	r.partition.Published(r.partition.OutboxNext, 0)
	return nil
}
