package scoring

import (
	"context"
	"fmt"
	"time"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
)

// simLog is the log: what is in it stays in it.
type simLog struct {
	sim     *simulation
	layout  eventlog.Layout
	created time.Time
	streams [][]*eventlog.Message
	lastOf  []uint64 // by partition: the sequence of its last message
	mutant  simMutant
	reads   int
}

func newSimLog(s *simulation, mutant simMutant) *simLog {
	l := &simLog{sim: s, layout: eventlog.Layout{ID: "simulated", Partitions: simPartitions, Streams: simStreams, Replicas: 1}}
	l.created, l.mutant = s.now, mutant
	l.streams, l.lastOf = make([][]*eventlog.Message, simStreams), make([]uint64, simPartitions)
	return l
}

// add puts a message at the end of its stream.
func (l *simLog) add(m *eventlog.Message) {
	m.Stream = l.layout.Stream(m.Partition)
	m.Sequence = uint64(len(l.streams[m.Stream])) + 1
	m.Time = l.sim.wall().UnixMicro()
	l.streams[m.Stream] = append(l.streams[m.Stream], m)
	l.lastOf[m.Partition] = m.Sequence
	l.sim.references[m.Partition].fold(m)
}

func (l *simLog) last(stream int) uint64 { return uint64(len(l.streams[stream])) }

// at returns a message, nil if there is none.
func (l *simLog) at(stream int, sequence uint64) *eventlog.Message {
	if sequence == 0 || sequence > l.last(stream) {
		return nil
	}
	l.reads++
	if l.mutant == mutantDeliversTwice && sequence > 1 && l.reads%41 == 40 {
		l.sim.store.broken++
		sequence--
	}
	if l.mutant == mutantSkips && sequence < l.last(stream) && l.reads%41 == 40 {
		l.sim.store.broken++
		sequence++
	}
	return l.streams[stream][sequence-1]
}

// hidden reports whether a process cannot read the log now.
func (l *simLog) hidden(p *simProcess, _ int, _ uint64) bool { return p.sim.network.cutOff(p.slot) }

// simLogHandle is the log as one process sees it.
type simLogHandle struct{ process *simProcess }

// Layout implements Log.
func (h *simLogHandle) Layout() eventlog.Layout { return h.process.sim.log.layout }

// Info implements Log.
func (h *simLogHandle) Info(ctx context.Context, stream int) (info eventlog.StreamInfo, err error) {
	l := h.process.sim.log
	err = h.process.call(ctx, nil, false, func() error {
		info = eventlog.StreamInfo{First: 1, Last: l.last(stream), Created: l.created}
		return nil
	})
	return info, err
}

// MessageAt implements Log.
func (h *simLogHandle) MessageAt(ctx context.Context, stream int, sequence uint64) (m eventlog.Message, err error) {
	l := h.process.sim.log
	err = h.process.call(ctx, nil, false, func() error {
		if sequence == 0 || sequence > l.last(stream) {
			return fmt.Errorf("%w: %d", errNotInLog, sequence)
		}
		m = *l.streams[stream][sequence-1]
		return nil
	})
	return m, err
}

// errNotInLog is no eventlog.ErrNoMessage: for that the guard would wait, and it never may happen here.
var errNotInLog = alarmf(codeLogLostTail, "the simulated log has no such message")

// Read implements Log. Readers are simulated by simLife.
func (*simLogHandle) Read(context.Context, int, uint64, func(*eventlog.Message) error) error {
	return errDead
}

// Trim implements Log.
func (*simLogHandle) Trim(context.Context, int, uint64) (uint64, error) { return 0, errDead }

// Spread implements Log.
func (*simLogHandle) Spread(context.Context) (int, error) { return 0, errDead }

// SequenceBefore implements Log.
func (*simLogHandle) SequenceBefore(context.Context, int, time.Time) (uint64, error) {
	return 0, errDead
}

// simWriterHandle writes ticks.
type simWriterHandle struct{ process *simProcess }

// Write implements Writer.
func (h *simWriterHandle) Write(ctx context.Context, items []eventlog.Item) (eventlog.Token, error) {
	s := h.process.sim
	err := h.process.call(ctx, nil, false, func() error {
		for _, item := range items {
			s.append(item.Partition, item.Record)
		}
		return nil
	})
	return eventlog.Token{}, err
}

// simRejectsHandle keeps refused events.
type simRejectsHandle struct{ process *simProcess }

// Put implements Rejects.
func (h *simRejectsHandle) Put(ctx context.Context, rejects ...reject.Reject) error {
	s := h.process.sim
	return h.process.call(ctx, nil, true, func() error {
		for _, r := range rejects {
			s.puts++
			if s.store.mutant == mutantForgetsRejects && s.puts%5 == 4 {
				s.store.broken++
				continue
			}
			s.rejects[r.ID] = struct{}{}
		}
		return nil
	})
}

// simBoard never tells of pressure.
type simBoard struct{}

// Raise implements Board.
func (simBoard) Raise(context.Context, string, string) error { return nil }

// Clear implements Board.
func (simBoard) Clear(context.Context, string) error { return nil }

// Raised implements Board.
func (simBoard) Raised(context.Context, string) (bool, error) { return false, nil }
