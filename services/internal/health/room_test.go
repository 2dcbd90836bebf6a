package health_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// requireRoom wants the same answer for a day before and after the account is rolled to it, and no trace of
// the question.
func requireRoom(t *testing.T, s *blob, ev *eventv1.Event, at health.Time, day health.Day, code string) {
	t.Helper()
	answer := func(r *health.Refusal) string {
		if r == nil {
			return ""
		}
		return r.Code
	}
	a := s.read(t)
	require.Equal(t, code, answer(a.Room(ev, at, day)), "before the roll")
	require.Equal(t, code, answer(a.Room(ev, at, day)), "asked again")
	main := a.Encode(func(uint32, []byte) { require.Fail(t, "a part was changed") }, nil)
	require.Equal(t, s.main, main)
	a.Roll(day, scorecard.Shipped(), func(health.Row) {})
	require.Equal(t, code, answer(a.Room(ev, at, day)), "after the roll")
	require.Equal(t, code, answer(a.Apply(ev, at)))
}

func TestRoomDoesNotDependOnTheRoll(t *testing.T) {
	t.Parallel()
	t.Run("for joined ids, which are forgotten with their user", func(t *testing.T) {
		t.Parallel()
		a := health.New()
		a.Begin(today() - 500)
		long := (today() - 500).Start()
		applyAt(t, a, churn((today() - 500).String()), long) // rolls in one step
		for i := range 65_536 {                              // a chain, the worst that there can be
			applyAt(t, a, joined(fmt.Sprintf("u%06d", 65_536-i), fmt.Sprintf("u%06d", 65_535-i)), long)
		}
		s := stored(t, a)
		one := joined("v", "w")
		requireRoom(t, s, one, long, today()-500, health.CodeTooManyAliases)
		requireRoom(t, s, one, (today() - 99).Start(), today()-99, health.CodeTooManyAliases)
		requireRoom(t, s, one, today().Start(), today(), "")
		requireRoom(t, s, joined("u000007", "u065000"), long, today()-500, "")
		requireRoom(t, s, login("v"), long, today()-500, "")
		applyAt(t, a, role("u001000", "champion"), long)
		s.write(a)
		requireRoom(t, s, one, today().Start(), today(), health.CodeTooManyAliases)
	})
	t.Run("for tickets, which make room when they are past", func(t *testing.T) {
		t.Parallel()
		a := health.New()
		a.Begin(today() - 200)
		long := (today() - 200).Start()
		for i := range 20_000 {
			action := opened
			if i < 2 {
				action = closed
			}
			applyAt(t, a, ticket(fmt.Sprint("t", i), action), long)
		}
		s := stored(t, a)
		one := ticket("new", opened)
		requireRoom(t, s, one, long, today()-200, health.CodeTooManyTickets)
		requireRoom(t, s, one, (today() - 111).Start(), today()-111, health.CodeTooManyTickets)
		requireRoom(t, s, one, (today() - 110).Start(), today()-110, "")
		requireRoom(t, s, ticket("t7", closed), long, today()-200, "")
	})
	t.Run("for traits, which stay", func(t *testing.T) {
		t.Parallel()
		var names []string
		for i := range 256 {
			names = append(names, fmt.Sprint("traits.", i))
		}
		a := apply(t, health.New(), on(0, cleared(names[:255]...)))
		requireRoom(t, stored(t, a), cleared(names[1:]...), today().Start(), today()+99, "")
		requireRoom(t, stored(t, a), cleared("traits.x", "traits.y"), today().Start(), today()+99, health.CodeTooManyTraits)
		requireRoom(t, stored(t, health.New()), cleared(append(names, "traits.x")...), today().Start(), today(), health.CodeTooManyTraits)
	})
}

// Who has a role is counted while roles and users change, and anew when an account is read.
func TestRolesAreCountedThroughJoins(t *testing.T) {
	t.Parallel()
	full := apply(t, health.New(), repeated(995, func(i int) fact { return on(1, role(fmt.Sprint("u", i), "admin")) })...)
	s := stored(t, full)
	rapid.Check(t, func(rt *rapid.T) {
		a, kept := s.read(t), &blob{parts: maps.Clone(s.parts)}
		user := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "u1", "u2", "v"})
		for i := range rapid.IntRange(1, 12).Draw(rt, "events") {
			ev := role(user.Draw(rt, "user"), rapid.SampledFrom([]string{"champion", "admin", ""}).Draw(rt, "role"))
			if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
				ev.GetUser().PreviousUserId = user.Draw(rt, "previous")
			}
			ev.MessageId = fmt.Sprint("m", i)
			at := (today() - health.Day(rapid.IntRange(0, 5).Draw(rt, "ago"))).Start()
			kept.write(a)
			b, other := kept.read(t), &blob{parts: maps.Clone(kept.parts)}
			want := a.Room(ev, at, a.Day())
			require.Equal(rt, want, b.Room(ev, at, b.Day()))
			require.Equal(rt, want, a.Apply(ev, at))
			if want != nil {
				continue
			}
			require.Nil(rt, b.Apply(ev, at))
			kept.write(a)
			other.write(b)
			require.Equal(rt, kept, other)
		}
	})
}

func TestJoinedUsersKeepTheirRole(t *testing.T) {
	t.Parallel()
	set := standard(t)
	seen := func(a *health.Account) scorecard.Value { return a.Measures(set)[scorecard.ChampionSeen] }
	a := apply(t, health.New(), on(9, role("b", "champion")), on(7, login("c")), on(5, login("a")))
	require.Equal(t, known(9*one), seen(a), "never seen: since the role was set")
	a = apply(t, again(t, a), on(4, joined("c", "b")))
	require.Equal(t, known(7*one), seen(a), "c is the champion too")
	a = apply(t, again(t, a), on(4, joined("b", "a")))
	require.Equal(t, known(5*one), seen(a), "and so is a")
	a = apply(t, again(t, a), on(8, role("a", "admin")).with(later))
	require.Equal(t, scorecard.Value{}, seen(a), "a later role of any of the three")
	a = apply(t, again(t, a), on(6, role("c", "champion")).with(later))
	require.Equal(t, known(5*one), seen(a))
	a.Roll(today()+800, set, func(health.Row) {})
	require.Equal(t, known(805*one), seen(again(t, a)), "who has a role is not forgotten")
	require.Nil(t, a.Apply(login("c"), (today()+799).Start()))
	require.Equal(t, known(one), seen(again(t, a)), "nor are the other ids")
}

// later gives an event a message id of its own.
func later(ev *eventv1.Event) { ev.MessageId = fmt.Sprint("later ", ev.GetUserId()) }
