package alert_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alert"
	"hale.dev/services/internal/rule"
)

const (
	second = int64(1_000_000)
	hour   = 3600 * second
	day    = 24 * hour
	start  = 20_000 * day
)

// story is a book with what its rules' conditions come to, and what happened so far.
type story struct {
	t          require.TestingT
	book       alert.Book
	rules      *rule.Set
	conditions map[string]alert.Condition
	now        int64
	churned    bool
	silent     string
	band       uint8
	score      int64
	quiet      bool
	told       []string
	last       *alertv1.Transition
}

func newStory(t require.TestingT, rules ...*rule.Rule) *story {
	return &story{
		t: t, rules: &rule.Set{Version: 3, Rules: rules}, conditions: map[string]alert.Condition{},
		now: start, band: 4, score: 70 * second,
	}
}

func (s *story) review() *alert.Review {
	return &alert.Review{
		Key: alert.Key{Workspace: "w", Account: "acme"}, At: s.now, Rules: s.rules, Churned: s.churned, Quiet: s.quiet,
		Band: s.band, Score: s.score, Owner: "maya",
		Conditions: func(one *rule.Rule) alert.Condition {
			require.False(s.t, s.churned, "a churned account's conditions are not looked at")
			c, ok := s.conditions[one.Name]
			if !ok {
				c.Clear = true
			}
			return c
		},
		Silent: func(source string) bool { return source == s.silent },
	}
}

// to lets time pass, with a review at each timer on the way, and one at the end.
func (s *story) to(at int64) *story {
	for next := s.book.Next(); next != 0 && next < at; next = s.book.Next() {
		require.Greater(s.t, next, s.now, "a timer lies ahead")
		s.now = next
		s.tell(s.book.Review(s.review())...)
	}
	s.now = at
	s.tell(s.book.Review(s.review())...)
	return s
}

// after is to, counted from now.
func (s *story) after(by int64) *story { return s.to(s.now + by) }

func (s *story) set(name string, c alert.Condition) *story {
	s.conditions[name] = c
	return s
}

func (s *story) holds(name string) *story { return s.set(name, alert.Condition{Holds: true}) }

func (s *story) clear(name string) *story { return s.set(name, alert.Condition{Clear: true}) }

// tell notes transitions, and checks what holds of all: they are numbered without a gap.
func (s *story) tell(all ...*alertv1.Transition) {
	for _, t := range all {
		a := t.GetAlert()
		require.Equal(s.t, fmt.Sprintf("%s-%d", a.GetAlertId(), a.GetRevision()), t.GetTransitionId())
		require.Equal(s.t, s.now, t.GetAt().AsTime().UnixMicro())
		line := a.GetRule() + " " + strings.ToLower(strings.TrimPrefix(t.GetKind().String(), "KIND_"))
		if t.GetNote() != "" {
			line += " " + t.GetNote()
		}
		s.told = append(s.told, line)
		s.last = t
	}
}

// says compares what happened since the last call.
func (s *story) says(lines ...string) *story {
	require.Equal(s.t, lines, s.told)
	s.told = nil
	return s
}

// command gives a command about the alert that was told of last; it returns the code of its refusal.
func (s *story) command(c *logv1.AlertCommand) string {
	c.CommandId, c.Author = "c", "ann"
	if c.GetAlertId() == "" {
		c.AlertId = s.last.GetAlert().GetAlertId()
	}
	if refusal := s.book.Examine(s.review().Key, c, s.now); refusal != nil {
		return refusal.Code
	}
	s.tell(s.book.Command(s.review(), c))
	return ""
}

func (s *story) acknowledge() string {
	return s.command(&logv1.AlertCommand{Command: &logv1.AlertCommand_Acknowledge{Acknowledge: &logv1.Acknowledge{}}})
}

func (s *story) snooze(by int64, worse bool) string {
	return s.command(&logv1.AlertCommand{Command: &logv1.AlertCommand_Snooze{
		Snooze: &logv1.Snooze{UntilMicros: s.now + by, UntilWorse: worse},
	}})
}

func (s *story) resolve() string {
	return s.command(&logv1.AlertCommand{Command: &logv1.AlertCommand_Resolve{Resolve: &logv1.Resolve{}}})
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	plain := func() *rule.Rule {
		return &rule.Rule{Name: "inactive", Severity: rule.SeverityWarning, Owner: rule.OwnerAccount}
	}
	t.Run("a rule fires once, and its alert ends once", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain()).after(hour).says().holds("inactive").after(hour).says("inactive fired")
		a := s.last.GetAlert()
		require.Equal(t, alertv1.State_STATE_FIRING, a.GetState())
		require.Equal(t, alertv1.Severity_SEVERITY_WARNING, a.GetSeverity())
		require.Equal(t, uint64(3), a.GetRulesVersion())
		require.Equal(t, "maya", a.GetAssignee())
		s.after(hour).says().clear("inactive").after(hour).says("inactive resolved clear")
		require.Equal(t, s.now, s.last.GetAlert().GetResolveTime().AsTime().UnixMicro())
		require.Equal(t, 0, s.book.Open())
		s.after(8 * day).says()
		require.True(t, s.book.Empty(), "after a week nothing is remembered")
	})
	t.Run("between when and resolve nothing changes", func(t *testing.T) {
		t.Parallel()
		newStory(t, plain()).set("inactive", alert.Condition{}).after(hour).says().
			holds("inactive").after(hour).says("inactive fired").
			set("inactive", alert.Condition{}).after(hour).says().
			clear("inactive").after(hour).says("inactive resolved clear")
	})
	t.Run("it fires when it held for long enough, at that very time", func(t *testing.T) {
		t.Parallel()
		one := plain()
		one.For = 6 * hour
		s := newStory(t, one).holds("inactive").after(hour).says()
		s.after(3 * hour).says().clear("inactive").after(hour).says().holds("inactive").after(hour).says()
		since := s.now
		s.after(7 * hour).says("inactive fired")
		require.Equal(t, since+6*hour, s.last.GetAt().AsTime().UnixMicro())
		require.Equal(t, since, s.last.GetAlert().GetSince().AsTime().UnixMicro())
	})
	t.Run("it goes on firing for a while", func(t *testing.T) {
		t.Parallel()
		one := plain()
		one.KeepFiringFor = 2 * hour
		newStory(t, one).holds("inactive").after(hour).says("inactive fired").
			clear("inactive").after(hour).says().holds("inactive").after(hour / 2).says().
			clear("inactive").after(hour).says().after(3 * hour).says("inactive resolved clear")
	})
	t.Run("nobody takes it up: it is escalated three times", func(t *testing.T) {
		t.Parallel()
		one := plain()
		one.EscalateAfter = hour
		s := newStory(t, one).holds("inactive").after(hour).says("inactive fired")
		s.after(10*hour).says("inactive escalated", "inactive escalated", "inactive escalated")
		require.Equal(t, uint32(3), s.last.GetAlert().GetEscalation())
	})
	t.Run("once acknowledged it is not escalated", func(t *testing.T) {
		t.Parallel()
		one := plain()
		one.EscalateAfter = hour
		s := newStory(t, one).holds("inactive").after(hour).says("inactive fired")
		require.Empty(t, s.acknowledge())
		require.Equal(t, alert.CodeAcknowledged, s.acknowledge())
		s.says("inactive acknowledged").after(10 * hour).says()
		require.Equal(t, "ann", s.last.GetAlert().GetAcknowledgedBy())
	})
	t.Run("snoozed it wakes at its time", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain()).holds("inactive").after(hour)
		require.Equal(t, alert.CodeSnooze, s.snooze(0, false))
		require.Equal(t, alert.CodeSnooze, s.snooze(91*day, false))
		require.Empty(t, s.snooze(5*hour, true))
		s.after(4*hour).says("inactive fired", "inactive snoozed").after(2 * hour).says("inactive woke time")
		require.Equal(t, start+6*hour, s.last.GetAt().AsTime().UnixMicro())
	})
	t.Run("or when the account gets worse", func(t *testing.T) {
		t.Parallel()
		for name, worse := range map[string]func(*story){
			"a band lower": func(s *story) { s.band-- },
			"ten points":   func(s *story) { s.score -= 10 * second },
		} {
			s := newStory(t, plain()).holds("inactive").after(hour)
			require.Empty(t, s.snooze(day, true))
			s.band, s.score = 0, -1 // unknown is neither better nor worse
			s.after(hour).says("inactive fired", "inactive snoozed")
			s.band, s.score = 4, 70*second
			worse(s)
			s.after(hour)
			require.Equal(t, []string{"inactive woke worse"}, s.told, name)
		}
	})
	t.Run("resolved by hand it stays quiet until its cause was gone", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain()).holds("inactive").after(hour)
		require.Empty(t, s.resolve())
		s.says("inactive fired", "inactive resolved").after(day).says().
			clear("inactive").after(hour).says().holds("inactive").after(hour).says("inactive fired")
	})
	t.Run("a revision that has passed is refused", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain()).holds("inactive").after(hour)
		require.Empty(t, s.acknowledge())
		assign := &logv1.AlertCommand{Revision: 1, Command: &logv1.AlertCommand_Assign{Assign: &logv1.Assign{Assignee: "bo"}}}
		require.Equal(t, alert.CodeChanged, s.command(assign))
		assign.Revision = 2
		require.Empty(t, s.command(assign))
		require.Equal(t, "bo", s.last.GetAlert().GetAssignee())
		require.Equal(t, alert.CodeNotOpen, s.command(&logv1.AlertCommand{
			AlertId: "x", Command: &logv1.AlertCommand_Comment{Comment: &logv1.Comment{}},
		}))
	})
	t.Run("one that comes and goes is damped", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain())
		for range 2 {
			s.holds("inactive").after(hour).clear("inactive").after(hour)
		}
		s.says("inactive fired", "inactive resolved clear", "inactive fired", "inactive resolved clear")
		s.holds("inactive").after(hour).says("inactive fired")
		require.True(t, s.last.GetAlert().GetFlapping())
		for range 5 {
			s.clear("inactive").after(23 * hour).holds("inactive").after(hour)
		}
		s.says().clear("inactive").after(hour).after(25 * hour).says("inactive resolved clear")
	})
	t.Run("a rule that is gone ends its alert, and so does leaving its scope", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain()).holds("inactive").after(hour).says("inactive fired")
		s.set("inactive", alert.Condition{Out: true}).after(hour).says("inactive resolved out_of_scope")
		s.holds("inactive").after(hour).says("inactive fired")
		s.rules = &rule.Set{}
		s.after(hour).says("inactive resolved rule_removed")
	})
	t.Run("what fires as a load closes is quiet", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain())
		s.quiet = true
		s.holds("inactive").after(hour).says("inactive fired")
		require.True(t, s.last.GetAlert().GetQuiet())
	})
	t.Run("it does not fire twice in a microsecond", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, plain()).holds("inactive").after(hour)
		first := s.last.GetAlert().GetAlertId()
		s.clear("inactive").to(s.now).holds("inactive").to(s.now).
			says("inactive fired", "inactive resolved clear").after(1).says("inactive fired")
		require.NotEqual(t, first, s.last.GetAlert().GetAlertId())
	})
}

func TestHolds(t *testing.T) {
	t.Parallel()
	rules := func() []*rule.Rule {
		return []*rule.Rule{
			{Name: "at_risk", InhibitedBy: []string{"critical"}, EscalateAfter: hour},
			{Name: "critical"},
			{Name: "inactive", Sources: []string{"usage"}, For: hour},
		}
	}
	t.Run("the worse alert holds the other back, whatever the order of the document", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, rules()...).holds("at_risk").holds("critical").after(hour).says("critical fired")
		s.after(hour).says().clear("critical").after(hour).says("critical resolved clear", "at_risk fired")
		s.holds("critical").after(hour/2).says("critical fired", "at_risk held")
		require.Equal(t, []string{"critical"}, s.last.GetAlert().GetHeldBy())
		s.after(day).says().clear("critical").after(hour).says("critical resolved clear", "at_risk released")
		s.after(hour).says("at_risk escalated")
	})
	t.Run("a silent source holds what it would cause", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, rules()...)
		s.silent = "usage"
		s.holds("inactive").after(hour).after(day).says()
		require.Zero(t, s.book.Next(), "no timer runs while it waits")
		s.silent = ""
		s.after(hour).says("inactive fired")
		s.silent = "usage"
		s.after(hour).says("inactive held")
		require.Equal(t, []string{"source:usage"}, s.last.GetAlert().GetHeldBy())
	})
	t.Run("a customer who left holds everything", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, rules()...).holds("critical").holds("inactive").after(hour).says("critical fired")
		s.churned = true
		s.after(hour).says("critical held").after(3 * day).says()
		require.Equal(t, []string{"churned"}, s.last.GetAlert().GetHeldBy())
		s.churned = false
		s.after(hour).says("critical released").after(2 * hour).says("inactive fired")
	})
	t.Run("alerts about sources are another kind", func(t *testing.T) {
		t.Parallel()
		s := newStory(t, &rule.Rule{Name: "source_silent", OnSource: true}).holds("source_silent").after(hour)
		s.says()
	})
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newStory(t, &rule.Rule{Name: "a", InhibitedBy: []string{"c"}, EscalateAfter: hour},
			&rule.Rule{Name: "b", For: hour, KeepFiringFor: hour}, &rule.Rule{Name: "c", Sources: []string{"usage"}})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "rule")
			s.set(name, rapid.SampledFrom([]alert.Condition{{Holds: true}, {Clear: true}, {}, {Out: true}}).Draw(t, "condition"))
			s.churned = rapid.IntRange(0, 9).Draw(t, "churned") == 0
			s.silent = rapid.SampledFrom([]string{"", "usage"}).Draw(t, "silent")
			s.after(rapid.Int64Range(0, 3*hour).Draw(t, "passes"))
			if s.last != nil && s.last.GetAlert().GetState() != alertv1.State_STATE_RESOLVED {
				_ = s.snooze(rapid.Int64Range(-1, day).Draw(t, "snooze"), true)
			}
			base := s.now - rapid.Int64Range(-2*day, 2*day).Draw(t, "base")
			again, err := alert.Read(s.book.Append(nil, base), base)
			require.NoError(t, err)
			require.Equal(t, s.book, again)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{0, 0})
	f.Add([]byte{1, 0, 1, 'a', 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		book, err := alert.Read(b, start)
		if err != nil {
			return
		}
		again, err := alert.Read(book.Append(nil, start), start)
		require.NoError(t, err)
		require.Equal(t, book, again)
	})
}
