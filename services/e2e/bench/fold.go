package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// memoryAccounts holds every account; nothing is ever loaded.
type memoryAccounts map[string]*health.Account

// Get implements fold.Accounts.
func (m memoryAccounts) Get(id string) *health.Account { return m[id] }

// Put implements fold.Accounts.
func (m memoryAccounts) Put(id string, a *health.Account) { m[id] = a }

// foldAlone measures the fold without any I/O: messages of 100 decoded events, Zipf over the accounts of one
// partition, with evaluation and encoding of the commit.
func foldAlone(_ context.Context, b *bench) error {
	const partitions = 16
	var failure error
	result := testing.Benchmark(func(t *testing.B) { //nolint:thelper // a benchmark, no helper of one
		p, err := fold.NewPartition(fold.Options{Shipped: scorecard.Shipped(), Parse: scorecard.Parse}, store.Head{})
		if err != nil {
			failure = err
			return
		}
		failure = errors.Join(failure, foldEvents(t, p, b.accounts/partitions))
	})
	if failure != nil {
		return fmt.Errorf("folding: %w", failure)
	}
	for _, f := range []figure{
		{Name: "fold, evaluate, encode", Value: float64(result.NsPerOp()), Unit: "ns/event"},
		{Name: "allocations", Value: float64(result.AllocsPerOp()), Unit: "allocs/event"},
	} {
		f.Part = "e"
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	return nil
}

func foldEvents(t *testing.B, p *fold.Partition, accounts int) error {
	t.Helper()
	r := newRand(1)
	pick := zipf(accounts, r)
	now := time.Now().UnixMicro()
	layout := eventlog.Layout{ID: "bench", Partitions: 1, Streams: 1}
	all := memoryAccounts{}
	var messages []*fold.Message
	for i := 0; i < t.N; i += batchEvents {
		m := &fold.Message{Sequence: uint64(i/batchEvents) + 1, Time: now}
		for j := range min(batchEvents, t.N-i) {
			m.Records = append(m.Records, record(layout, i+j, pick(r)))
		}
		messages = append(messages, m)
	}
	t.ReportAllocs()
	t.ResetTimer()
	for i, m := range messages {
		if err := p.Begin(m); err != nil {
			return err
		}
		p.Apply(m, 0, all)
		const everyMessages = 5
		if i%everyMessages == 0 {
			p.Flush()
		}
	}
	return nil
}

func record(layout eventlog.Layout, n, account int) *logv1.Record {
	return backlogItem(layout, n, account).Record
}
