package fold

import (
	"encoding/binary"
	"math/bits"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/wire"
)

const (
	// activityHours is how many hours an Activity reaches back, that of its last event included: 14 days.
	activityHours = 14 * 24
	activityWords = (activityHours + 63) / 64
	// minSilence is how long no source counts as silent, and gapsOfSilence how many times its largest gap has to pass.
	minSilence    = 6 * hour
	gapsOfSilence = 4
	// rhythmDays is on how many days of the 14 up to its last event a source must have sent, so that its gaps tell
	// anything: on half of them, which takes a weekend in.
	rhythmDays = 7
	dayHours   = 24
)

// SourceState says what the time since its last event means for a source.
type SourceState uint8

// The states of a source.
const (
	// SourceNever sent anything.
	SourceNever SourceState = iota
	// SourceSending sent something lately, as far as its own rhythm goes.
	SourceSending
	// SourceSparse sends nothing just now, and too seldom to tell whether that means anything.
	SourceSparse
	// SourceSilent sends nothing any more, though it used to: it broke, or was turned off.
	SourceSilent
)

// Activity is when a source of a workspace sent live events. Times are log time: that of arrival. The zero value is that
// of a source that never sent any.
type Activity struct {
	// Last is when its last event came, in microseconds; 0: never.
	Last int64
	// hours has bit i set if events came in the hour that is i before that of Last.
	hours [activityWords]uint64
}

// note takes in an event.
func (a *Activity) note(now int64) {
	if a.Last == 0 || now/hour > a.Last/hour {
		a.shift(now/hour - a.Last/hour)
		a.hours[0] |= 1
	}
	a.Last = max(a.Last, now)
}

// shift lets hours pass.
func (a *Activity) shift(by int64) {
	const word = 64
	if by >= activityHours {
		a.hours = [activityWords]uint64{}
		return
	}
	words, rest := int(by/word), uint(by%word) //nolint:gosec // 0 to 63
	for i := activityWords - 1; i >= 0; i-- {
		var v uint64
		if from := i - words; from >= 0 {
			v = a.hours[from] << rest
			if from > 0 {
				v |= a.hours[from-1] >> (word - rest)
			}
		}
		a.hours[i] = v
	}
	a.hours[activityWords-1] &= 1<<(activityHours%word) - 1
}

// Merge returns what both saw together, as where they are of two partitions.
func (a Activity) Merge(b Activity) Activity {
	if b.Last > a.Last {
		a, b = b, a
	}
	if b.Last == 0 {
		return a
	}
	b.shift(a.Last/hour - b.Last/hour)
	for i := range a.hours {
		a.hours[i] |= b.hours[i]
	}
	return a
}

// LargestGap returns the most hours that lay between an event and the next in the 14 days before now; 0: there were not
// two hours with events. The silence since the last event is no gap.
func (a Activity) LargestGap(now int64) int64 {
	a.shift(max(0, now/hour-a.Last/hour))
	largest, last := 0, -1
	for i, word := range a.hours {
		for ; word != 0; word &= word - 1 {
			at := i*64 + bits.TrailingZeros64(word)
			if last >= 0 {
				largest = max(largest, at-last)
			}
			last = at
		}
	}
	return int64(largest)
}

// SilentAfter returns after how many microseconds without an event the source counts as silent: 6 hours, or 4 times its
// largest gap of 14 days. 0: never, because it sent on fewer than 7 of the 14 days up to its last event, so that its
// gaps say nothing.
func (a Activity) SilentAfter(now int64) int64 {
	if a.days() < rhythmDays {
		return 0
	}
	return max(minSilence, gapsOfSilence*a.LargestGap(now)*hour)
}

// State tells a source that is broken from one that is still. Everything that asks for silence asks here.
func (a Activity) State(now int64) SourceState {
	quiet, after := now-a.Last, a.SilentAfter(now)
	switch {
	case a.Last == 0:
		return SourceNever
	case quiet <= max(minSilence, after):
		return SourceSending
	case after == 0:
		return SourceSparse
	default:
		return SourceSilent
	}
}

// days counts the days, UTC, that had events among the 14 up to the last event. How long that is ago does not matter: a
// source that broke stays as regular as it was.
func (a *Activity) days() int {
	n, last := 0, int64(-1)
	for i, word := range a.hours {
		for ; word != 0; word &= word - 1 {
			if day := (a.Last/hour - int64(i*64+bits.TrailingZeros64(word))) / dayHours; day != last {
				n, last = n+1, day
			}
		}
	}
	return n
}

// sources is the activity of a workspace's sources.
type sources struct {
	workspace string
	of        [health.SourceCount]Activity
}

// Sources returns the activity of a workspace's sources in this partition.
func (s *State) Sources(workspace string) [health.SourceCount]Activity {
	for i := range s.activity {
		if s.activity[i].workspace == workspace {
			return s.activity[i].of
		}
	}
	return [health.SourceCount]Activity{}
}

// noteSource takes in a live event. Mostly it is of the workspace of the one before.
func (p *Partition) noteSource(workspace string, ev *eventv1.Event) {
	if p.busy >= len(p.activity) || p.activity[p.busy].workspace != workspace {
		p.busy = p.findSources(workspace)
	}
	p.activity[p.busy].of[health.SourceOfEvent(ev)].note(p.LogTime)
}

// findSources returns the place of a workspace's sources, made if need be.
func (s *State) findSources(workspace string) int {
	for i := range s.activity {
		if s.activity[i].workspace == workspace {
			return i
		}
	}
	s.activity = append(s.activity, sources{workspace: workspace})
	return len(s.activity) - 1
}

// appendActivity appends the activity of all sources: of each that has any, the time since its last event and its hours.
func (s *State) appendActivity(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.activity)))
	for i := range s.activity {
		b = wire.Append(b, s.activity[i].workspace)
		at, mask := len(b), byte(0)
		b = append(b, 0)
		for n := range s.activity[i].of {
			a := &s.activity[i].of[n]
			if a.Last == 0 {
				continue
			}
			mask |= 1 << n
			b = binary.AppendUvarint(b, uint64(s.LogTime-a.Last)) //nolint:gosec // it is not later
			b = a.appendHours(b)
		}
		b[at] = mask
	}
	return b
}

// appendHours appends the hours as lengths of runs, with and without events in turn, until the last hour that had some:
// a source that is never silent, and one that seldom is not, take a few bytes.
func (a *Activity) appendHours(b []byte) []byte {
	const room = 64 // mostly enough
	runs := make([]byte, 0, room)
	for at := 0; ; {
		on := a.run(at, false)
		runs = binary.AppendUvarint(runs, uint64(on-at)) //nolint:gosec // it is not less
		off := a.run(on, true)
		if off >= activityHours {
			return wire.Append(b, runs)
		}
		runs = binary.AppendUvarint(runs, uint64(off-on)) //nolint:gosec // it is not less
		at = off
	}
}

// run returns the first hour from one on that had events, or had none.
func (a *Activity) run(from int, had bool) int {
	const word = 64
	for from < activityHours {
		hours := a.hours[from/word]
		if !had {
			hours = ^hours
		}
		if hours >>= from % word; hours != 0 {
			return min(from+bits.TrailingZeros64(hours), activityHours)
		}
		from += word - from%word
	}
	return activityHours
}

// readActivity reads what appendActivity wrote.
func (s *State) readActivity(r *wire.Reader) bool {
	for n := r.Count(); n > 0; n-- {
		w := sources{workspace: r.Text()}
		mask := r.Byte()
		if mask>>health.SourceCount != 0 {
			return false
		}
		for n := range w.of {
			if mask&(1<<n) == 0 {
				continue
			}
			a := &w.of[n]
			a.Last = s.LogTime - int64(r.Uvarint()) //nolint:gosec // checked below
			if a.Last <= 0 || a.Last > s.LogTime || !a.readHours(wire.NewReader(r.Chunk())) {
				return false
			}
		}
		s.activity = append(s.activity, w)
	}
	return true
}

// readHours reads runs of hours.
func (a *Activity) readHours(r *wire.Reader) bool {
	at, had := uint64(0), true
	for r.Len() > 0 {
		n := r.Uvarint()
		if n == 0 || n > activityHours-at {
			return false
		}
		for ; n > 0; n-- {
			if had {
				a.hours[at/64] |= 1 << (at % 64)
			}
			at++
		}
		had = !had
	}
	return r.Done() && at > 0 && !had
}
