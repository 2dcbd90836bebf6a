package query

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// maxAnswers bounds the memory of the answers that are kept, bytes.
const maxAnswers = 64 << 20

// answers keeps how accounts were explained. The store is still read for every call; what is saved is to explain
// again what did not change. An answer is used only where all that it was made of is the same, byte by byte, so it
// cannot be older than the value that was just read.
//
// About the least recently used go: a hit moves an answer into the new one of two generations, and when that one has
// half of the room, the old one goes.
type answers struct {
	half int // of the room, bytes

	mu       sync.RWMutex
	new, old map[string]*made
	size     int // of the new generation, bytes
}

// made is an answer, and what it was made of.
type made struct {
	main []byte // the account's value; the store never changes it
	set  *scorecard.Set
	day  health.Day // of log time
	// load of the account, and whether it was open.
	workspace, load string
	open            bool

	health []byte // an encoded AccountHealth without as_of, which is another one at every commit of the partition
}

func newAnswers(room int) *answers {
	return &answers{half: room / 2, new: map[string]*made{}} //nolint:mnd // half
}

// explain puts the answer for an account into a view: the one that is kept, else a new one.
func (a *answers) explain(v *view, main []byte, state *fold.State, workspace string) error {
	if m := a.get(v.id); m != nil && m.holds(v, main, state) {
		v.answer = m.health

		return nil
	}

	if err := v.decode(main, nil, nil, state, workspace); err != nil {
		return err
	}

	m := &made{
		main: main, set: v.set, day: health.DayOf(v.logTime), workspace: workspace, load: v.load,
		open: v.load != "" && state.OpenLoad(workspace, v.load),
	}
	_, account, _ := store.SplitAccount(v.id)

	h := v.health(account)
	h.AsOf = nil

	var err error
	if m.health, err = proto.Marshal(h); err != nil {
		return fmt.Errorf("encoding the health of an account: %w", err)
	}

	a.put(v.id, m)
	v.account, v.answer = nil, m.health

	return nil
}

// holds reports whether the answer is that for a view.
func (m *made) holds(v *view, main []byte, state *fold.State) bool {
	return m.set == v.set && m.day == health.DayOf(v.logTime) && bytes.Equal(m.main, main) &&
		(m.load == "" || m.open == state.OpenLoad(m.workspace, m.load))
}

// entryBytes is about what an answer takes beside its bytes.
const entryBytes = 250

func (m *made) size(id string) int { return len(id) + len(m.main) + len(m.health) + entryBytes }

func (a *answers) get(id string) *made {
	a.mu.RLock()
	m, found := a.new[id]
	if !found {
		m = a.old[id]
	}
	a.mu.RUnlock()

	if !found && m != nil {
		a.put(id, m)
	}

	return m
}

func (a *answers) put(id string, m *made) {
	a.mu.Lock()
	defer a.mu.Unlock()

	if before := a.new[id]; before != nil {
		a.size -= before.size(id)
	}

	a.new[id] = m
	a.size += m.size(id)

	if a.size > a.half {
		a.new, a.old, a.size = map[string]*made{}, a.new, 0
	}
}

// Numbers of the fields that are written here.
const (
	fieldHealth protowire.Number = 1  // of GetHealthResponse
	fieldAsOf   protowire.Number = 10 // of AccountHealth
)

// encodedHealth is a response whose health is encoded already: it is carried as a field that the message does not
// know, which is written as it is, so that nobody who gets it can tell. The children, which are no part of what is kept,
// go before it as a health of their own: readers merge the two.
func encodedHealth(known []byte, logTime int64, children *healthv1.Children) *healthv1.GetHealthResponse {
	const most = 40 // bytes of what is added

	asOf := timestamp(logTime)
	size := len(known)

	if asOf != nil {
		size += protowire.SizeTag(fieldAsOf) + protowire.SizeBytes(proto.Size(asOf))
	}

	b := make([]byte, 0, len(known)+most)
	b = protowire.AppendTag(b, fieldHealth, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	b = append(b, known...)

	if asOf != nil {
		b = protowire.AppendTag(b, fieldAsOf, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(proto.Size(asOf))) //nolint:gosec // a size
		b, _ = proto.MarshalOptions{}.MarshalAppend(b, asOf)    // two numbers cannot fail
	}

	answer := &healthv1.GetHealthResponse{}
	if children != nil {
		answer.Health = &healthv1.AccountHealth{Children: children}
	}

	answer.ProtoReflect().SetUnknown(b)

	return answer
}

// states keeps the last state of every partition: many reads lie between two commits.
type states struct {
	of []atomic.Pointer[decodedState]
}

type decodedState struct {
	raw   []byte
	state fold.State
}

func newStates(partitions int) *states {
	return &states{of: make([]atomic.Pointer[decodedState], partitions)}
}

// decode reads a partition's state. It is shared: nobody may change it.
func (s *states) decode(partition int, raw []byte) (*fold.State, error) {
	if last := s.of[partition].Load(); last != nil && bytes.Equal(last.raw, raw) {
		return &last.state, nil
	}

	state, err := fold.DecodeState(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the state of partition %d: %w", partition, err)
	}

	next := &decodedState{raw: raw, state: state}
	s.of[partition].Store(next)

	return &next.state, nil
}
