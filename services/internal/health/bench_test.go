package health_test

import (
	"fmt"
	"testing"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// typical is an account of 20 users and 10 features, seen on most days.
func typical(b testing.TB) *health.Account {
	b.Helper()
	a := health.New()
	a.Begin(today() - 60)
	n := 0
	add := func(ago int, ev *eventv1.Event) {
		n++
		ev.MessageId = fmt.Sprintf("0192f0a1-7c3e-7b1a-9d2f-%012d", n)
		a.Roll(today()-health.Day(ago), scorecard.Shipped(), func(health.Row) {})
		if r := a.Apply(ev, (today()-health.Day(ago)).Start()+int64(n)*1_234_567); r != nil {
			b.Fatal(r)
		}
	}
	name, plan, currency, owner, segment, date := "Acme Incorporated", "enterprise", "EUR", "jo@example.com", "mid-market", "2025-01-15"
	arr, count, renews := int64(48_000_000_000), int64(40), "2026-12-31"
	add(60, account(func(p *eventv1.Account) {
		p.Name, p.Plan, p.Currency, p.Owner, p.Segment = &name, &plan, &currency, &owner, &segment
		p.ArrMicros, p.Seats, p.CreatedDate, p.RenewalDate = &arr, &count, &date, &renews
	}))
	add(60, role("user-1003", "champion"))
	for ago := 59; ago >= 0; ago-- {
		for u := range 20 {
			if (u*7+ago)%5 < 2 {
				add(ago, login(fmt.Sprintf("user-%04d", 1000+u)))
				add(ago, usage(fmt.Sprintf("user-%04d", 1000+u), fmt.Sprintf("feature %d", (u+ago)%10)))
			}
		}
		switch ago % 20 {
		case 5:
			add(ago, ticket(fmt.Sprint(4000+ago), opened, severity(eventv1.Ticket_SEVERITY_HIGH)))
		case 3:
			add(ago, ticket(fmt.Sprint(4002+ago), closed))
			add(ago, answered(fmt.Sprintf("user-%04d", 1000+ago%20), nps, 9, 0))
			add(ago, touch(meeting, 4))
		}
	}
	a.SetLive()
	a.Evaluate(scorecard.Shipped())
	return a
}

func BenchmarkApplyUsage(b *testing.B) {
	a := typical(b)
	var events []*eventv1.Event
	for i := range 64 {
		events = append(events, usage(fmt.Sprintf("user-%04d", 1000+i%20), fmt.Sprintf("feature %d", i%10)))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if r := a.Apply(events[i%64], today().Start()+int64(i)); r != nil {
			b.Fatal(r)
		}
	}
}

func BenchmarkApplyLogin(b *testing.B) {
	a := typical(b)
	ev := login("user-1007")
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		if r := a.Apply(ev, today().Start()+i); r != nil {
			b.Fatal(r)
		}
	}
}

func BenchmarkApplyTicket(b *testing.B) {
	a := typical(b)
	ev := ticket("4005", updated, severity(eventv1.Ticket_SEVERITY_URGENT))
	ev.MessageId = "0192f0a1-7c3e-7b1a-9d2f-000000000000"
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		if r := a.Apply(ev, today().Start()+i); r != nil {
			b.Fatal(r)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	b.Run("shipped", func(b *testing.B) {
		a, set := typical(b), scorecard.Shipped()
		b.ReportAllocs()
		for b.Loop() {
			a.Evaluate(set)
		}
	})
	b.Run("one card", func(b *testing.B) {
		a, set := typical(b), *scorecard.Shipped()
		set.Cards = set.Cards[1:]
		b.ReportAllocs()
		for b.Loop() {
			a.Evaluate(&set)
		}
	})
}

func BenchmarkRoll(b *testing.B) {
	a, set := typical(b), scorecard.Shipped()
	b.ReportAllocs()
	for b.Loop() {
		a.Roll(a.Day()+1, set, func(health.Row) {})
	}
}

func BenchmarkExplain(b *testing.B) {
	a, set := typical(b), scorecard.Shipped()
	b.ReportAllocs()
	for b.Loop() {
		a.Explain(set)
	}
}

func BenchmarkEncode(b *testing.B) {
	a := typical(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = len(a.Encode(nil, nil))
	}
	b.ReportMetric(float64(n), "bytes")
}

func BenchmarkDecode(b *testing.B) {
	blob := typical(b).Encode(nil, nil)
	b.ReportAllocs()
	var size int
	for b.Loop() {
		a, err := health.Decode(blob, nil)
		if err != nil {
			b.Fatal(err)
		}
		size = a.Size()
	}
	b.ReportMetric(float64(size), "size")
}

// BenchmarkCommit is what one message costs for one account: read, fold, evaluate, write.
func BenchmarkCommit(b *testing.B) {
	blob, set := typical(b).Encode(nil, nil), scorecard.Shipped()
	ev := usage("user-1007", "feature 3")
	b.ReportAllocs()
	for b.Loop() {
		a, err := health.Decode(blob, nil)
		if err != nil {
			b.Fatal(err)
		}
		a.Apply(ev, today().Start())
		a.Evaluate(set)
		a.Encode(nil, nil)
	}
}
