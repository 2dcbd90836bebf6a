package dispatch

import (
	"cmp"
	"strings"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/matcher"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// Silence keeps alerts that match from being delivered.
type Silence struct {
	ID         string
	Matchers   []matcher.Matcher
	Start, End time.Time
}

// Setup is what operators have set for a workspace.
type Setup struct {
	Receivers *receiver.Set
	Silences  []Silence
}

// State is all that is known of deliveries. It is not safe for concurrent use.
type State struct {
	random func() float64
	// retention is how long deliveries are kept that decide nothing any more; 0: for ever.
	retention time.Duration
	setups    map[string]*Setup
	cursor    delivery.Cursor
	written   map[string]uint64            // sequence of each record that may be replaced, by its key
	seen      map[string]delivery.Cursor   // deliveries that the cursor does not stand for, with where their transition was
	alerts    map[place]map[string]*thread // open alerts, by receiver
	lanes     map[place]*lane              // receivers

	periods     map[place]time.Time // digests, with the end of the last period
	making      map[place]bool      // digests that are being made
	retryDigest map[place]time.Time // when one is made again that could not be
}

// place names an alert, a receiver or a digest of a workspace.
type place struct{ workspace, name string }

func (p place) compare(other place) int {
	return cmp.Or(strings.Compare(p.workspace, other.workspace), strings.Compare(p.name, other.name))
}

// thread is what a receiver was told of one alert.
type thread struct {
	group string
	// told says that the receiver has heard that the alert is there, heard that it may have: a try may arrive though its
	// answer does not, and the next one be refused.
	told, heard bool
	// over says that the alert has ended; the thread goes when nothing waits any more.
	over bool
	// waiting is how many deliveries are in notices that are not over.
	waiting int
	latest  *alertv1.Transition
}

// lane is a receiver with all that waits for it.
type lane struct {
	groups   map[string]*group
	inFlight int
	tokens   float64
	filled   time.Time
	dead     map[string]*notice

	refreshAt  time.Time
	refreshing bool
}

// group is what is told together. Its notices are sent one after the other.
type group struct {
	open []*open
	busy map[string]*notice // closed, and not over
	last time.Time          // when the last notice was closed
}

// open is a notice that is not closed yet.
type open struct {
	id       string
	due      time.Time
	since    time.Time
	slept    bool
	critical bool
	members  []*member
}

// member is a delivery in a notice.
type member struct {
	id         string
	alertID    string
	revision   uint32
	transition *alertv1.Transition
}

// notice is a closed notice with what it tells.
type notice struct {
	record   *delivery.Notice
	members  []*member
	digest   *sender.Digest // nil: it tells of its members
	settled  bool           // its members do not wait any more
	inFlight bool
}

// New returns an empty state. random gives numbers from 0 to 1, 1 excluded.
func New(random func() float64) *State {
	return &State{
		random: random, setups: map[string]*Setup{}, written: map[string]uint64{}, seen: map[string]delivery.Cursor{},
		alerts: map[place]map[string]*thread{}, lanes: map[place]*lane{},
		periods: map[place]time.Time{}, making: map[place]bool{}, retryDigest: map[place]time.Time{},
	}
}

// Retain says how long deliveries are kept that decide nothing any more, so that none older than that is missed.
func (s *State) Retain(retention time.Duration) { s.retention = retention }

// Cursor is the place in ALERTS up to which everything is decided.
func (s *State) Cursor() delivery.Cursor { return s.cursor }

// SetUp puts what operators have set for a workspace in force.
func (s *State) SetUp(workspace string, setup *Setup) { s.setups[workspace] = setup }

// setup never returns nil.
func (s *State) setup(workspace string) *Setup {
	if found := s.setups[workspace]; found != nil {
		return found
	}

	return &Setup{}
}

func (s *State) lane(workspace, receiver string) *lane {
	at := place{workspace, receiver}

	l := s.lanes[at]
	if l == nil {
		l = &lane{groups: map[string]*group{}, dead: map[string]*notice{}}
		s.lanes[at] = l
	}

	return l
}

func (l *lane) group(key string) *group {
	g := l.groups[key]
	if g == nil {
		g = &group{busy: map[string]*notice{}}
		l.groups[key] = g
	}

	return g
}

func (s *State) thread(workspace, alertID, receiver string) *thread {
	return s.alerts[place{workspace, alertID}][receiver]
}

// forget lets a thread go that has nothing to wait for.
func (s *State) forget(workspace, alertID, receiver string) {
	t := s.thread(workspace, alertID, receiver)
	if t == nil || !t.over || t.waiting > 0 {
		return
	}

	at := place{workspace, alertID}
	delete(s.alerts[at], receiver)

	if len(s.alerts[at]) == 0 {
		delete(s.alerts, at)
	}
}
