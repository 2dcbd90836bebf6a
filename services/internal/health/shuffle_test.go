package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// someEvent draws any event.
func someEvent(t *rapid.T) *eventv1.Event {
	user := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"}).Draw(t, "user")
	named := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "named")
	id := rapid.SampledFrom([]string{"t1", "t2", "t3"}).Draw(t, "ticket")
	switch rapid.IntRange(0, 11).Draw(t, "kind") {
	case 0, 1:
		return usage(user, rapid.SampledFrom([]string{"f", "g", "h"}).Draw(t, "feature"), rapid.Int64Range(0, 1e15).Draw(t, "quantity"))
	case 2, 3:
		return login(user)
	case 4, 5:
		return ticket(id, eventv1.Ticket_Action(rapid.Int32Range(1, 6).Draw(t, "action")), func(k *eventv1.Ticket) {
			k.Severity = eventv1.Ticket_Severity(rapid.Int32Range(0, 4).Draw(t, "severity"))
			if n := rapid.Int32Range(0, 5).Draw(t, "rating"); n > 0 {
				k.Rating = &n
			}
		})
	case 6:
		return answered(user, nps, rapid.Int32Range(0, 10).Draw(t, "nps"), 0)
	case 7:
		return answered(user, rapid.SampledFrom([]eventv1.Survey_Type{csat, ces}).Draw(t, "type"), rapid.Int32Range(1, 5).Draw(t, "score"), 0)
	case 8:
		return role(named, rapid.SampledFrom([]string{"", "champion", "admin"}).Draw(t, "role"))
	case 9:
		return joined(named, rapid.SampledFrom([]string{"a", "b", "c", "x", "y"}).Draw(t, "previous"))
	case 10:
		return touch(eventv1.Interaction_Kind(rapid.Int32Range(0, 4).Draw(t, "how")), rapid.Int32Range(1, 5).Draw(t, "pulse"))
	}
	return account(func(a *eventv1.Account) {
		n := rapid.Int64Range(0, 50).Draw(t, "seats")
		a.Seats = &n
		if rapid.Bool().Draw(t, "dated") {
			date := (today() - health.Day(rapid.Int32Range(0, 200).Draw(t, "age"))).String()
			a.CreatedDate = &date
		}
		if rapid.Bool().Draw(t, "clears") {
			a.Clear = []string{"created_date", "traits.x"}
		} else {
			a.Traits = []*eventv1.Trait{{Name: "x", Value: &eventv1.Trait_NumberMicros{NumberMicros: n}}}
		}
	})
}

// someFacts draws facts of the last 50 days, often at equal times.
func someFacts(t *rapid.T) []fact {
	return number(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fact {
		ago := rapid.OneOf(rapid.IntRange(0, 4), rapid.IntRange(0, 50), rapid.IntRange(85, 185)).Draw(t, "ago")
		return fact{ago, rapid.Int64Range(0, 2).Draw(t, "clock") * hour, someEvent(t)}
	}), 0, 60).Draw(t, "facts"))
}

func TestMeasuresAreEqualInAnyOrder(t *testing.T) {
	t.Parallel()
	set := standard(t, scorecard.Milestone{Feature: "g", DueDay: 2}, scorecard.Milestone{Feature: "h", DueDay: 3})
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts(t)
		straight := apply(t, health.New(), facts...)
		shuffled := health.New()
		shuffled.Begin(today() - 3)
		late := rapid.IntRange(0, 3).Draw(t, "rolled")
		order := rapid.Permutation(facts).Draw(t, "order")
		for i, f := range order {
			if f.ago < 3 { // the day is never before an event's
				shuffled.Roll(today(), set, func(health.Row) {})
			}
			require.Nil(t, shuffled.Apply(f.ev, f.time()))
			switch rapid.IntRange(0, 9).Draw(t, "between") {
			case 0:
				shuffled = again(t, shuffled)
			case 1:
				shuffled.Evaluate(set)
			case 2:
				if late > i%4 {
					shuffled.Roll(today()-1, set, func(health.Row) {})
				}
			}
		}
		shuffled.Roll(today(), set, func(health.Row) {})
		require.Equal(t, straight.Measures(set), shuffled.Measures(set))
		require.Equal(t, straight.Profile(), shuffled.Profile())
		require.Equal(t, straight.Measures(set), again(t, shuffled).Measures(set))
		require.Equal(t, straight.Facts(set), shuffled.Facts(set))
		require.Equal(t, straight.Facts(set), again(t, shuffled).Facts(set))
	})
}

func TestTheStoredFormIsEqualForEqualStates(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := apply(t, health.New(), someFacts(t)...)
		a.Evaluate(scorecard.Shipped())
		if rapid.Bool().Draw(t, "live") {
			a.SetLive()
		}
		encode := func(a *health.Account) []byte {
			return a.Encode(func(uint32, []byte) { require.Fail(t, "a part") }, func(uint32) { require.Fail(t, "a part") })
		}
		first := encode(a)
		require.Equal(t, first, encode(a))
		b, err := health.Decode(first, nil)
		require.NoError(t, err)
		require.Equal(t, first, encode(b))
		require.Equal(t, a.Result(), b.Result())
		require.Equal(t, a.Profile(), b.Profile())
		require.Equal(t, a.Explain(scorecard.Shipped()), b.Explain(scorecard.Shipped()))
	})
}

func TestEventsAreNotKept(t *testing.T) {
	t.Parallel()
	a := health.New()
	a.Begin(today())
	ev := role("a", "champion")
	ev.MessageId = "m"
	before := proto.Clone(ev)
	require.Nil(t, a.Apply(ev, today().Start()))
	require.True(t, proto.Equal(before, ev), "an event is not changed")
}
