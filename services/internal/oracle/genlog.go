package oracle

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
)

// GenOptions bound what is generated.
type GenOptions struct {
	// Messages is the largest number of messages; 0: 50.
	Messages int
	// Days is the longest time between the first and the last message; 0: 380.
	Days int64
	// Documents are scorecards documents that may be put in force; none: no changes.
	Documents [][]byte
	// NoLoads leaves historical loads out.
	NoLoads bool
	// Commands says that people decide things about accounts.
	Commands bool
	// Alerts says what happens about alerts; nil: nothing but what the rules in force do.
	Alerts *GenAlerts
}

// draft is a record before ids and times are known.
type draft struct {
	what   string
	target int   // which account
	shift  int64 // event time relative to log time, or advance of a load's time
	source int   // which earlier event is repeated
	load   int   // which load
	strict bool  // that load, though it may have closed long ago
	stray  bool  // to an account with live events
	prefix string
	body   *eventv1.Event
	doc    int
	choice *logv1.AccountCommand // its days are relative to log time
	alert  *alertDraft
}

// step is a message before its time is known.
type step struct {
	advance int64
	timer   bool // advance from the next timer, not from log time
	drafts  []draft
}

// base is the first log time of every generated log: noon of a day in February 2024.
const base = 19_780*day + 12*hour

// FirstDay is the day on which every generated log begins. Loads reach back at most 260 days from a later day.
func FirstDay() Day { return DayOf(base) }

// GenLog draws the whole log of a partition: several accounts in two workspaces, every kind of event,
// duplicates, late and early events, scorecards, ticks, gaps of days, and historical loads; if wanted, what people decide,
// and what happens about alerts.
func GenLog(t *rapid.T, o GenOptions) []Message {
	messages, _ := GenWorld(t, o)
	return messages
}

// GenWorld is GenLog, and the world that the log makes, if alerts matter; else nil.
func GenWorld(t *rapid.T, o GenOptions) ([]Message, *World) {
	if o.Messages == 0 {
		o.Messages = 50
	}
	if o.Days == 0 {
		o.Days = 380
	}
	fewest := one(t, "messages", 1, o.Messages/4, o.Messages/2)
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step { return genStep(t, o) }), fewest, o.Messages).
		Draw(t, "steps")
	s := script{options: o, now: base, loads: map[loadKey]*progress{}}
	if o.Alerts != nil {
		s.world = newWorld(o.Alerts.Options)
	}
	var messages []Message
	for _, step := range steps {
		messages = append(messages, s.message(step))
	}
	return messages, s.world
}

func genStep(t *rapid.T, o GenOptions) step {
	const minute = 60 * second
	advances := []int64{
		second, 0, 10 * minute, day, 3 * hour, 1, 59*minute + 59*second, hour, 26 * hour, 3 * day,
		second, hour / 2, 2 * day, 7 * day, 7*day + 2*hour, 7*day + 2*hour + 1, 20 * day, 45 * day, -10 * minute,
	}
	flavours := []string{"live", "live", "mixed", "load", "load", "load"}
	if o.NoLoads {
		flavours = []string{"live"}
	}
	flavour := one(t, "flavour", flavours...)
	fewest := 1
	if flavour == "load" {
		fewest = 8
		advances = []int64{second, 0, 10 * minute, 59*minute + 59*second}
	}
	drafts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) draft { return genDraft(t, o, flavour) }), fewest, 20)
	st := step{advance: one(t, "advance", advances...), drafts: drafts.Draw(t, "records")}
	if o.Alerts != nil && chance(t, "at a timer", 30) {
		st.timer, st.advance = true, one[int64](t, "from the timer", 0, -1, 1)
	}
	return st
}

func genDraft(t *rapid.T, o GenOptions, flavour string) draft {
	whats := []string{"event", "event", "event", "event", "event", "event", "repeat", "changed", "tick"}
	switch flavour {
	case "mixed":
		whats = append(whats, "load", "load", "load", "close")
	case "load":
		whats = []string{"load", "load", "load", "load", "load", "load", "load", "repeat", "changed", "event"}
	}
	if len(o.Documents) > 0 {
		whats = append(whats, "scorecards")
	}
	if o.Commands {
		whats = append(whats, "command", "command")
	}
	if o.Alerts != nil {
		whats = append(whats, "rules", "source", "source", "decision", "decision", "decision")
	}
	d := draft{what: one(t, "record", whats...), target: one(t, "account", 0, 0, 0, 1, 1, 2)}
	switch d.what {
	case "event":
		d.body, d.prefix, d.shift = genAny(t, DayOf(base)), genID(t), genShift(t)
	case "repeat", "changed":
		d.source = rapid.IntRange(0, 1000).Draw(t, "source")
		d.body, d.shift = genAny(t, DayOf(base)), genShift(t)
	case "load":
		d.body, d.prefix = genAny(t, DayOf(base)-150), genID(t)
		d.load = one(t, "load", 0, 0, 0, 0, 0, 1)
		d.strict, d.stray = chance(t, "into a closed load", 3), chance(t, "to a live account", 4)
		d.shift = one(t, "load advance", hour, 0, 7*hour, 1, day, 2*day, hour, 6*day, -3*day, 20*day)
	case "close":
		d.load = rapid.IntRange(0, 2).Draw(t, "load")
	case "command":
		d.choice = genChoice(t)
	case "rules", "source", "decision":
		d.alert = genAlertDraft(t, o.Alerts, d.what)
	case "scorecards":
		d.doc = rapid.IntRange(0, len(o.Documents)-1).Draw(t, "document")
	}
	return d
}

// genShift draws an event's time relative to log time.
func genShift(t *rapid.T) int64 {
	switch one(t, "time", "now", "late", "edge") {
	case "late":
		return -rapid.Int64Range(0, 7*day).Draw(t, "late by")
	case "edge":
		return one(t, "edge", -7*day, -7*day-1, -7*day+1, -8*day, hour, hour+1, hour-1, 2*hour, -12*hour, -12*hour-1, -day)
	default:
		return 0
	}
}

// targets are the accounts that live events go to; load events go to some more, and sometimes to these.
func targets() []Key {
	return []Key{{"default", "acme"}, {"default", "globex"}, {"other", "acme"}}
}

// script turns steps into messages.
type script struct {
	options GenOptions
	now     int64 // log time
	number  int
	version uint64
	past    []*logv1.Record
	loads   map[loadKey]*progress

	rules uint64 // version
	world *World // as of the last message, if alerts matter
}

// progress is how far a load has come.
type progress struct {
	round int   // how many loads of this number have closed before
	time  int64 // latest event time
	last  int64 // log time of the latest event
}

// id names the load. A load that was idle for an hour has closed; the next one has another name.
func (p *progress) id(number int) string { return fmt.Sprintf("load-%d-%d", number, p.round) }

func (s *script) message(st step) Message {
	at := s.now + st.advance
	if st.timer {
		at = max(s.now, s.nextTimer()+st.advance)
	}
	if at > base+s.options.Days*day {
		at = s.now
	}
	s.now = max(s.now, at)
	m := Message{Time: at}
	for _, d := range st.drafts {
		if r := s.record(d); r != nil {
			m.Records = append(m.Records, r)
		}
	}
	if s.world != nil {
		s.world.apply(m)
	}
	return m
}

func (s *script) record(d draft) *logv1.Record {
	to := targets()[d.target]
	switch d.what {
	case "event":
		return s.event(to, d, s.now+d.shift)
	case "load":
		return s.loadEvent(to, d)
	case "repeat", "changed":
		return s.repeat(d)
	case "close":
		p := s.load(to.Workspace, d.load)
		r := &logv1.Record{Workspace: to.Workspace, Payload: &logv1.Record_CloseLoad{
			CloseLoad: &logv1.CloseLoad{Historical: p.id(d.load)},
		}}
		p.last = s.now - hour // the next event begins another
		return r
	case "command":
		return s.command(to, d)
	case "rules", "source", "decision":
		return s.alertRecord(to, d)
	case "scorecards":
		s.version++
		return &logv1.Record{Workspace: to.Workspace, Payload: &logv1.Record_SetScorecards{
			SetScorecards: &logv1.SetScorecards{Version: s.version, Document: s.options.Documents[d.doc]},
		}}
	default:
		return &logv1.Record{Payload: &logv1.Record_Tick{Tick: &logv1.Tick{}}}
	}
}

// load returns a load that is open, or has not begun.
func (s *script) load(workspace string, number int) *progress {
	key := loadKey{workspace: workspace, id: strconv.Itoa(number)}
	p := s.loads[key]
	if p == nil {
		p = &progress{time: s.now - 200*day, last: s.now}
		s.loads[key] = p
	}
	if s.now-p.last >= hour {
		*p = progress{round: p.round + 1, time: s.now - 40*day, last: s.now}
	}
	return p
}

// event makes a record of a new event.
func (s *script) event(to Key, d draft, at int64) *logv1.Record {
	e := proto.CloneOf(d.body)
	s.number++
	e.MessageId, e.AccountId = fmt.Sprintf("%s-%d", d.prefix, s.number), to.Account
	e.OccurredAt = timestamp(max(0, at))
	r := &logv1.Record{Workspace: to.Workspace, Origin: "native", Payload: &logv1.Record_Event{Event: e}}
	s.past = append(s.past, r)
	return r
}

// loadEvent makes an event of a load, whose time goes on mostly. Most loads have accounts of their own.
func (s *script) loadEvent(to Key, d draft) *logv1.Record {
	p := s.load(to.Workspace, d.load)
	id := p.id(d.load)
	if d.strict {
		id = fmt.Sprintf("load-%d-0", d.load)
	} else if !d.stray {
		to.Account = "old-" + id
	}
	at := min(p.time+d.shift, s.now+2*hour)
	p.time, p.last = min(max(p.time, at), s.now), s.now
	r := s.event(to, d, at)
	r.GetEvent().Historical = id
	return r
}

// repeat sends an earlier event again: as it was, or with other content under the same id.
func (s *script) repeat(d draft) *logv1.Record {
	if len(s.past) == 0 {
		return nil
	}
	r := proto.CloneOf(s.past[d.source%len(s.past)])
	if d.what == "changed" {
		was := r.GetEvent()
		e := proto.CloneOf(d.body)
		e.MessageId, e.AccountId, e.Historical = was.GetMessageId(), was.GetAccountId(), was.GetHistorical()
		e.OccurredAt = timestamp(max(0, s.now+d.shift))
		r.Payload = &logv1.Record_Event{Event: e}
	}
	return r
}

func timestamp(micros int64) *timestamppb.Timestamp {
	return &timestamppb.Timestamp{Seconds: micros / second, Nanos: int32(micros % second * 1000)}
}

// GenEvents draws the accepted events of one account, each message once, over the last 200 days before
// the end of today.
func GenEvents(t *rapid.T, today Day, most int) []Timed {
	type dated struct {
		body *eventv1.Event
		id   string
		at   int64
	}
	gen := rapid.Custom(func(t *rapid.T) dated {
		back := rapid.Int64Range(0, 200).Draw(t, "days back")
		inDay := one(t, "time of day", 0, hour, day-1, 12*hour, 1)
		return dated{body: genBody(t, today-100), id: genID(t), at: int64(today-Day(back))*day + inDay}
	})
	var events []Timed
	fewest := one(t, "size", 1, most/4, most/2)
	for i, d := range rapid.SliceOfN(gen, fewest, most).Draw(t, "events") {
		e := proto.CloneOf(d.body)
		e.MessageId, e.AccountId = fmt.Sprintf("%s-%d", d.id, i), "acme"
		e.OccurredAt = timestamp(d.at)
		events = append(events, Timed{Event: e, Time: d.at})
	}
	return events
}
