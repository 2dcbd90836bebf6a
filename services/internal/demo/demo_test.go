package demo_test

import (
	"encoding/json"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/demo"
)

func end() time.Time { return time.Date(2026, 3, 18, 15, 4, 5, 0, time.UTC) }

func TestConfig(t *testing.T) {
	t.Parallel()

	require.NoError(t, demo.Config{}.Validate(), "the zero value works")
	require.ErrorContains(t, demo.Config{Accounts: -1}.Validate(), "accounts -1: must be from 1 to 100000")
	require.ErrorContains(t, demo.Config{Days: 400}.Validate(), "days 400: must be from 1 to 390")
}

func TestPortfolio(t *testing.T) {
	t.Parallel()

	t.Run("the same seed and end make the same portfolio and the same events", func(t *testing.T) {
		t.Parallel()

		c := demo.Config{Seed: 7, Accounts: 25, Days: 40}
		a, b := demo.New(c, end()), demo.New(c, end())
		require.Equal(t, a.Accounts, b.Accounts)

		for i := range a.Accounts {
			first, second := a.History(&a.Accounts[i]), b.History(&b.Accounts[i])
			require.Len(t, second, len(first))

			for n := range first {
				require.True(t, proto.Equal(first[n], second[n]), "%s\n%s", first[n], second[n])
			}
		}
	})

	t.Run("another seed makes another portfolio", func(t *testing.T) {
		t.Parallel()

		a := demo.New(demo.Config{Seed: 1, Accounts: 20}, end())
		b := demo.New(demo.Config{Seed: 2, Accounts: 20}, end())
		require.NotEqual(t, a.Accounts, b.Accounts)
	})

	t.Run("account ids are unique", func(t *testing.T) {
		t.Parallel()

		p := demo.New(demo.Config{Accounts: 3000}, end())
		seen := map[string]bool{}

		for _, a := range p.Accounts {
			require.False(t, seen[a.ID], a.ID)
			seen[a.ID] = true
		}
	})

	t.Run("every story is told, even in a small portfolio", func(t *testing.T) {
		t.Parallel()

		p := demo.New(demo.Config{Accounts: 5}, end())
		for _, s := range demo.Stories() {
			require.NotEmpty(t, p.Of(s), s)
			require.NotEqual(t, "unknown", s.String())
		}
	})

	t.Run("the shipped portfolio has the promised size", func(t *testing.T) {
		t.Parallel()

		p := demo.New(demo.Config{Seed: 1}, end())
		require.Len(t, p.Accounts, 300)
		require.Greater(t, p.Size(), 150_000)
		require.Less(t, p.Size(), 400_000)
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()

	validator, err := protovalidate.New()
	require.NoError(t, err)

	p := demo.New(demo.Config{Seed: 3, Accounts: 30, Days: 60}, end())
	begins := end().AddDate(0, 0, -60)
	ids := map[string]bool{}
	kinds := map[string]bool{}

	for i := range p.Accounts {
		last := time.Time{}

		for _, e := range p.History(&p.Accounts[i]) {
			require.NoError(t, validator.Validate(e), "%s", e)
			require.Equal(t, p.Accounts[i].ID, e.GetAccountId())
			require.False(t, ids[e.GetMessageId()], "the id %s is used twice", e.GetMessageId())
			ids[e.GetMessageId()] = true

			at := e.GetOccurredAt().AsTime()
			require.False(t, at.Before(last), "events of an account stand in time order")
			require.True(t, at.After(begins) && at.Before(end()), "at %s", at)
			last = at

			kinds[string(e.ProtoReflect().WhichOneof(e.ProtoReflect().Descriptor().Oneofs().Get(0)).Name())] = true
		}
	}

	require.Len(t, kinds, 7, "every kind of event occurs")
}

func TestStoriesShowInTheEvents(t *testing.T) {
	t.Parallel()

	p := demo.New(demo.Config{Seed: 1}, end())

	// visits counts usage events in the last days of a story, per 1,000 in the days before.
	visits := func(s demo.Story, lastDays int) (share float64) {
		var late, early int

		for _, a := range p.Of(s) {
			for _, e := range p.History(&a) {
				switch at := e.GetOccurredAt().AsTime(); {
				case e.GetUsage() == nil:
				case at.After(end().AddDate(0, 0, -lastDays)):
					late++
				case at.After(end().AddDate(0, 0, -2*lastDays)):
					early++
				}
			}
		}

		return float64(late) / float64(early)
	}

	require.InDelta(t, 1, visits(demo.Steady, 28), 0.1)
	require.Greater(t, visits(demo.Growing, 28), 1.1)
	require.Less(t, visits(demo.Leaving, 28), 0.4)

	urgent := func(s demo.Story) (n int) {
		for _, a := range p.Of(s) {
			for _, e := range p.History(&a) {
				if e.GetTicket().GetSeverity() == eventv1.Ticket_SEVERITY_URGENT {
					n++
				}
			}
		}

		return n * 100 / len(p.Of(s))
	}

	require.Greater(t, urgent(demo.Angry), 10*urgent(demo.Steady))
}

func TestLive(t *testing.T) {
	t.Parallel()

	validator, err := protovalidate.New()
	require.NoError(t, err)

	p := demo.New(demo.Config{Accounts: 20}, end())
	live := p.Live("run-1")
	ids := map[string]bool{}
	at := end()

	for range 200 {
		at = at.Add(time.Second)
		group := live.Group(at, 10)
		require.Len(t, group, 10)

		for _, e := range group {
			require.NoError(t, validator.Validate(e), "%s", e)
			require.False(t, ids[e.GetMessageId()])
			ids[e.GetMessageId()] = true
			require.False(t, e.GetOccurredAt().AsTime().After(at), "nothing happens in the future")
		}
	}

	other := p.Live("run-2").Next(at)
	require.False(t, ids[other.GetMessageId()], "another run has ids of its own")
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()

	p := demo.New(demo.Config{Seed: 3, Accounts: 30, Days: 60}, end())

	for i := range p.Accounts {
		for _, e := range p.History(&p.Accounts[i]) {
			line := demo.AppendJSON(nil, e)
			require.True(t, json.Valid(line), "%s", line)
			require.NotContains(t, string(line), "\n")
		}
	}

	e := &eventv1.Event{
		MessageId: "m\"1", AccountId: "a", Historical: "l",
		Body: &eventv1.Event_Account{Account: &eventv1.Account{
			ArrMicros: new(int64(1_250_000)), Seats: new(int64(3)),
			Traits: []*eventv1.Trait{
				{Name: "n", Value: &eventv1.Trait_NumberMicros{NumberMicros: -500_000}},
				{Name: "f", Value: &eventv1.Trait_Flag{Flag: true}},
			},
		}},
	}
	require.JSONEq(t,
		`{"type":"account","id":"m\"1","account":"a","historical":"l","arr":1.25,"seats":3,"traits":{"n":-0.5,"f":true}}`,
		string(demo.AppendJSON(nil, e)))
}
