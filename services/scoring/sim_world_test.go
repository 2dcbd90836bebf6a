package scoring

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

const (
	simPartitions = 4
	simStreams    = 2
	simProcesses  = 3
)

// simulation is one world: log, store, network, clock and processes. It does one step at a time, and what it does
// depends on nothing but the steps.
type simulation struct {
	log        *simLog
	store      *simStore
	network    simNetwork
	client     *simClient
	references []*simReference
	rejects    map[string]struct{}
	processes  [simProcesses]*simProcess
	beaten     [simProcesses]time.Time
	late       []*simRequest // commits that are still on their way, though nobody waits for them

	begun   time.Time
	now     time.Time     // the clock of the engines, and of distances
	skipped time.Duration // how far the time of day is ahead of it: what happened in long quiet times is left out

	violation error
	started   int
	commits   int
	puts      int
	counts    map[string]int
	tell      func(line string) // nil: nobody listens
}

func newSimulation(mutant simMutant) *simulation {
	s := &simulation{
		now: time.Unix(int64(oracle.FirstDay())*24*3600, 0).UTC().Add(20 * time.Hour), rejects: map[string]struct{}{},
		counts: map[string]int{},
	}
	s.begun = s.now
	s.log = newSimLog(s, mutant)
	s.store = newSimStore(s, simPartitions, mutant)
	s.client = newSimClient(s)
	for p := range simPartitions {
		s.references = append(s.references, newSimReference(s, p))
	}
	return s
}

// wall is the time of day, for the log and for processes.
func (s *simulation) wall() time.Time { return s.now.Add(s.skipped) }

// append puts records into the log of a partition.
func (s *simulation) append(partition int, records ...*logv1.Record) {
	data := binary.BigEndian.AppendUint64(nil, s.log.last(s.log.layout.Stream(partition)))
	s.log.add(&eventlog.Message{Partition: partition, Records: records, Data: append(data, byte(len(records)))})
	s.sayf("%d records for partition %d: message %d, at %s", len(records), partition, s.log.lastOf[partition],
		s.wall().Format("Jan 2 15:04"))
}

// parse is scorecard.Parse, each document once.
func (s *simulation) parse(document []byte) (*scorecard.Set, error) { return simParse(document) }

// pass lets time pass. Who is due for a beat tells of itself.
func (s *simulation) pass(d time.Duration) {
	s.now = s.now.Add(d)
	for slot, p := range s.processes {
		if p != nil && !p.stopped && s.now.Sub(s.beaten[slot]) >= memberInterval {
			p.group.Tell()
			p.follow()
		}
	}
}

// violatedf notes that something happened that must not, once.
func (s *simulation) violatedf(format string, args ...any) {
	if s.violation == nil {
		s.violation = fmt.Errorf(format, args...)
		s.sayf("VIOLATED: %v", s.violation)
	}
}

// checkCommit holds a commit that is about to be applied against the log.
func (s *simulation) checkCommit(p *simPart, c *store.Commit) {
	r := s.references[c.Partition]
	want, known := r.totals[c.Cursor]
	state, err := fold.DecodeState(c.State)
	switch {
	case err != nil:
		s.violatedf("partition %d: a state that cannot be read: %v", c.Partition, err)
	case c.Cursor < p.head.Cursor:
		s.violatedf("partition %d goes back from %d to %d", c.Partition, p.head.Cursor, c.Cursor)
	case !known:
		s.violatedf("partition %d claims message %d, which it does not have", c.Partition, c.Cursor)
	case want != simTotals{state.Counted, state.Duplicates, state.Rejected}:
		s.violatedf("partition %d up to %d: %d counted, %d duplicates, %d rejected; wanted %+v", c.Partition, c.Cursor,
			state.Counted, state.Duplicates, state.Rejected, want)
	}
	for _, refused := range r.passed(c.From, c.Cursor) {
		if _, kept := s.rejects[refused.id]; !kept {
			s.violatedf("partition %d is stored up to %d, but %s is not among the rejects", c.Partition, c.Cursor, refused.id)
		}
	}
}

// end frees what the world holds.
func (s *simulation) end() {
	s.tell = nil
	for _, p := range s.processes {
		if p != nil {
			p.bury()
		}
	}
}

func (s *simulation) count(what string) { s.counts[what]++ }

// sayf tells of what happens.
func (s *simulation) sayf(format string, args ...any) {
	if s.tell != nil {
		s.tell(fmt.Sprintf(format, args...))
	}
}

// short makes an epoch readable.
func (s *simulation) short(epoch uint64) uint64 {
	return (epoch - min(epoch, uint64(s.begun.UnixMicro()))) / 1000
}

// settled says what is missing until all is as it should be; empty: nothing.
func (s *simulation) settled() string {
	for n, p := range s.store.parts {
		switch {
		case p.head.Cursor != s.log.lastOf[n]:
			return fmt.Sprintf("partition %d is stored up to %d, its log ends at %d", n, p.head.Cursor, s.log.lastOf[n])
		case p.lease.Owner == "" || !p.until.After(s.now):
			return fmt.Sprintf("partition %d has no owner", n)
		case string(p.head.State) != string(s.references[n].state()):
			return fmt.Sprintf("partition %d has another state than the log", n)
		}
	}
	for stream := range simStreams {
		owners := slices.DeleteFunc(slices.Clone(s.processes[:]), func(p *simProcess) bool {
			return p == nil || !p.lives[stream].scores()
		})
		if len(owners) != 1 {
			return fmt.Sprintf("stream %d has %d owners", stream, len(owners))
		}
	}
	return ""
}
