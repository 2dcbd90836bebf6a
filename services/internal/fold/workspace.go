package fold

import (
	"encoding/binary"
	"slices"

	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/wire"
)

// Workspace is what a partition keeps of a workspace's settings beside its scorecards.
type Workspace struct {
	Name string
	// Change counts what was changed: scorecards, rules, sources that fell silent or came back. ChangedAt is the log time of
	// the last change.
	Change    uint64
	ChangedAt int64
	// RulesVersion is that of the rules in force; 0: the shipped ones.
	RulesVersion uint64
	// Silence of each source.
	Silence [health.SourceCount]Silence
	// books are the alerts about sources; partition 0 alone has some.
	books [health.SourceCount]alert.Book
}

// Silence says whether a source is silent.
type Silence struct {
	Silent bool
	// Last is when its last event came (log time of any partition), as of the decision; 0: nothing was decided yet.
	Last int64
}

// Workspace returns what is known of a workspace's settings.
func (s *State) Workspace(name string) Workspace {
	if w := s.findWorkspace(name); w != nil {
		return *w
	}
	return Workspace{Name: name}
}

func (s *State) findWorkspace(name string) *Workspace {
	i := slices.IndexFunc(s.workspaces, func(w Workspace) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return &s.workspaces[i]
}

// change notes that a workspace's settings change now, and returns what is known of it, made if need be.
func (s *State) change(name string) *Workspace {
	w := s.findWorkspace(name)
	if w == nil {
		s.workspaces = append(s.workspaces, Workspace{Name: name})
		w = &s.workspaces[len(s.workspaces)-1]
	}
	w.Change++
	w.ChangedAt = s.LogTime
	return w
}

// silent are the sources that are silent.
func (w *Workspace) silent() health.SourceSet {
	var set health.SourceSet
	for source, s := range w.Silence {
		if s.Silent {
			set |= 1 << source
		}
	}
	return set
}

// appendAlerting appends what is known of all workspaces, and of the outbox and the timers.
func (s *State) appendAlerting(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.workspaces)))
	for i := range s.workspaces {
		b = s.workspaces[i].append(b, s.LogTime)
	}
	for _, n := range []uint64{s.OutboxFirst, s.OutboxNext, s.AlertsLast, uint64(len(s.timerHours))} {
		b = binary.AppendUvarint(b, n)
	}
	for _, h := range s.timerHours {
		b = binary.AppendVarint(b, h)
	}
	return b
}

func (w *Workspace) append(b []byte, now int64) []byte {
	b = wire.Append(b, w.Name)
	for _, n := range []uint64{w.Change, uint64(w.ChangedAt), w.RulesVersion} { //nolint:gosec // bit pattern
		b = binary.AppendUvarint(b, n)
	}
	for i := range w.Silence {
		s := &w.Silence[i]
		b = append(b, boolByte(s.Silent)|boolByte(!w.books[i].Empty())<<1)
		b = binary.AppendUvarint(b, uint64(s.Last)) //nolint:gosec // bit pattern
		if !w.books[i].Empty() {
			b = wire.Append(b, w.books[i].Append(nil, now))
		}
	}
	return b
}

// readAlerting reads what appendAlerting wrote.
func (s *State) readAlerting(r *wire.Reader) bool {
	for n := r.Count(); n > 0 && !r.Bad(); n-- {
		var w Workspace
		if !w.read(r, s.LogTime) {
			return false
		}
		s.workspaces = append(s.workspaces, w)
	}
	s.OutboxFirst, s.OutboxNext, s.AlertsLast = r.Uvarint(), r.Uvarint(), r.Uvarint()
	for n := r.Count(); n > 0 && !r.Bad(); n-- {
		s.timerHours = append(s.timerHours, r.Varint())
	}
	return !r.Bad() && slices.IsSorted(s.timerHours)
}

func (w *Workspace) read(r *wire.Reader, now int64) bool {
	const silent, book = 1, 2
	w.Name, w.Change = r.Text(), r.Uvarint()
	w.ChangedAt, w.RulesVersion = int64(r.Uvarint()), r.Uvarint() //nolint:gosec // bit pattern
	for i := range w.Silence {
		flags := r.Byte()
		w.Silence[i] = Silence{Silent: flags&silent != 0, Last: int64(r.Uvarint())} //nolint:gosec // bit pattern
		if flags&book == 0 {
			continue
		}
		read, err := alert.Read(r.Chunk(), now)
		if err != nil {
			return false
		}
		w.books[i] = read
	}
	return !r.Bad()
}
