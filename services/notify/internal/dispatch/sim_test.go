package dispatch_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

const workspace = "w"

var began = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

// outcome says how long a try takes and what becomes of it.
type outcome func(j dispatch.Job, at time.Time, try int) (time.Duration, error)

// sent is a try that a receiver saw.
type sent struct {
	at    time.Time
	job   dispatch.Job
	err   error
	lives int // how many times the process had started
}

// sim runs a state on a clock of its own, with streams in memory.
type sim struct {
	t       testing.TB
	random  *rand.Rand
	now     time.Time
	setup   *dispatch.Setup
	state   *dispatch.State
	alerts  []*logv1.AlertRecord // ALERTS
	at      []time.Time          // when each comes
	read    int                  // how many of them the state has seen
	notify  map[string]delivery.Entry
	last    uint64
	running []flight
	tries   map[string]int
	sent    []sent
	outcome outcome
	lives   int
}

type flight struct {
	job  dispatch.Job
	err  error
	ends time.Time
}

func newSim(t testing.TB, seed uint64, set *receiver.Set, o outcome) *sim {
	t.Helper()

	s := &sim{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), now: began, setup: &dispatch.Setup{Receivers: set},
		notify: map[string]delivery.Entry{}, tries: map[string]int{}, outcome: o,
	}
	s.restart()

	return s
}

// restart forgets all but the streams.
func (s *sim) restart() {
	s.lives++
	s.running = nil
	s.state = dispatch.New(s.random.Float64)
	s.state.SetUp(workspace, s.setup)

	var all []delivery.Entry
	for _, e := range s.notify {
		all = append(all, e)
	}

	slices.SortFunc(all, func(a, b delivery.Entry) int { return cmp.Compare(a.Sequence, b.Sequence) })

	for _, e := range all {
		require.NoError(s.t, s.state.Load(e))
	}

	s.read = int(s.state.Cursor().Sequence)
}

// add lets a transition come at a time.
func (s *sim) add(at time.Time, kind alertv1.Transition_Kind, a *alertv1.Alert) {
	a = proto.CloneOf(a)
	if a.GetFireTime() == nil {
		a.FireTime = timestamppb.New(at)
	}

	s.alerts = append(s.alerts, &logv1.AlertRecord{Workspace: workspace, Transition: &alertv1.Transition{
		TransitionId: fmt.Sprintf("%s-%d", a.GetAlertId(), a.GetRevision()), Kind: kind, At: timestamppb.New(at), Alert: a,
	}})
	s.at = append(s.at, at)
}

// put writes records, as the stream would; only some of them if the process dies meanwhile.
func (s *sim) put(writes []delivery.Write, survive int) bool {
	for i, w := range writes {
		if i == survive {
			return false
		}

		key := recordName(w.Record)
		require.Equal(s.t, s.notify[key].Sequence, w.Replaces, "replaces the record that is there: %s", key)
		s.last++
		s.notify[key] = delivery.Entry{Record: clone(w.Record), Sequence: s.last, Time: s.now}
		s.state.Written(w.Record, s.last)
	}

	return survive != len(writes)
}

func recordName(r delivery.Record) string {
	switch r := r.(type) {
	case *delivery.Delivery:
		return "d/" + r.Receiver + "/" + r.TransitionID()
	case *delivery.Notice:
		return "n/" + r.ID
	default:
		return "c"
	}
}

func clone(r delivery.Record) delivery.Record {
	switch r := r.(type) {
	case *delivery.Delivery:
		c := *r

		return &c
	case *delivery.Notice:
		c := *r

		return &c
	case *delivery.Cursor:
		c := *r

		return &c
	default:
		return r
	}
}

// step does what is to be done now and goes on to when something happens; false: nothing will. die is after how many
// written records the process dies and starts again; -1: it does not.
func (s *sim) step(die int) bool {
	alive := s.accept(&die) && s.finish(&die)

	if alive {
		plan, err := s.state.Start(s.now)
		require.NoError(s.t, err)

		if alive = s.write(plan.Writes, &die); alive {
			for _, j := range plan.Jobs {
				s.send(j)
			}
		}
	}

	if !alive {
		s.restart()

		return true
	}

	return s.advance()
}

func (s *sim) write(writes []delivery.Write, die *int) bool {
	if *die < 0 {
		return s.put(writes, -1)
	}

	alive := s.put(writes, *die)
	*die -= len(writes)

	return alive
}

func (s *sim) accept(die *int) bool {
	var writes []delivery.Write

	from := s.read

	for s.read < len(s.alerts) && !s.at[s.read].After(s.now) {
		more, err := s.state.Accept(uint64(s.read+1), s.alerts[s.read], s.now)
		require.NoError(s.t, err)

		writes = append(writes, more...)
		s.read++
	}

	if from == s.read {
		return true
	}

	return s.write(writes, die) && s.write([]delivery.Write{s.state.Advance(delivery.Cursor{Sequence: uint64(s.read)})}, die)
}

func (s *sim) finish(die *int) bool {
	for i := 0; i < len(s.running); {
		f := s.running[i]
		if f.ends.After(s.now) {
			i++

			continue
		}

		s.running = slices.Delete(s.running, i, i+1)
		writes, err := s.state.Result(f.job, f.err, s.now)
		require.NoError(s.t, err)

		if !s.write(writes, die) {
			return false
		}
	}

	return true
}

func (s *sim) send(j dispatch.Job) {
	s.tries[j.ID]++
	takes, err := s.outcome(j, s.now, s.tries[j.ID])
	s.sent = append(s.sent, sent{at: s.now, job: j, err: err, lives: s.lives})
	s.running = append(s.running, flight{job: j, err: err, ends: s.now.Add(takes)})
}

func (s *sim) advance() bool {
	next := s.state.Next(s.now)
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}

	for _, f := range s.running {
		sooner(f.ends)
	}

	if s.read < len(s.alerts) {
		sooner(s.at[s.read])
	}

	if next.IsZero() {
		return false
	}

	if !next.After(s.now) {
		next = s.now.Add(time.Millisecond)
	}

	s.now = next

	return true
}

// run goes on until nothing happens any more, or until a time.
func (s *sim) run(until time.Time) {
	for n := 0; s.step(-1) && s.now.Before(until); n++ {
		require.Less(s.t, n, 1_000_000, "it comes to an end")
	}
}

// delivered are the ids of the transitions that a receiver has taken, with when it first did.
func (s *sim) delivered(name string) map[string]time.Time {
	all := map[string]time.Time{}

	for _, one := range s.sent {
		if one.err != nil || one.job.Receiver.Name != name {
			continue
		}

		for _, n := range one.job.Notifications {
			for _, t := range n.Alerts {
				if _, known := all[t.GetTransitionId()]; !known {
					all[t.GetTransitionId()] = one.at
				}
			}
		}
	}

	return all
}

func good(dispatch.Job, time.Time, int) (time.Duration, error) { return 50 * time.Millisecond, nil }

// to makes a receiver as a document with nothing but its name and kind does.
func to(name string, settings sender.Settings) *receiver.Receiver {
	return &receiver.Receiver{
		Name: name, Settings: settings, Concurrency: 4, Rate: 60, Timeout: 15 * time.Second, RetryFor: 72 * time.Hour,
		Events: []alertv1.Transition_Kind{
			alertv1.Transition_KIND_FIRED, alertv1.Transition_KIND_WOKE, alertv1.Transition_KIND_ESCALATED,
			alertv1.Transition_KIND_RELEASED, alertv1.Transition_KIND_RESOLVED,
		},
	}
}

// all makes a set in which every alert goes to every receiver.
func all(receivers ...*receiver.Receiver) *receiver.Set {
	r := &receiver.Route{Default: true, GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute}
	for _, one := range receivers {
		r.Receivers = append(r.Receivers, one.Name)
	}

	return &receiver.Set{Receivers: receivers, Routes: []*receiver.Route{r}}
}

func warning(id string, revision uint32) *alertv1.Alert {
	return &alertv1.Alert{
		AlertId: id, Revision: revision, Rule: "inactive", Severity: alertv1.Severity_SEVERITY_WARNING, AccountId: "acme",
		Subject: &alertv1.Subject{Owner: "ann"},
	}
}
