package query_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// told is an event of a made-up quarter.
type told struct {
	at    int64
	event *eventv1.Event
}

const (
	quarterAccounts = 14
	quarterDays     = 100 // 2026-01-05 to 2026-04-15
)

// quarter makes up what accounts did, in the order of time.
func quarter(t *testing.T, rnd *rand.Rand) []told {
	t.Helper()

	var all []told

	begin := at(t, "2026-01-05")
	add := func(account string, body func(*eventv1.Event)) {
		when := begin + rnd.Int64N(quarterDays)*day + rnd.Int64N(day/4)
		e := &eventv1.Event{
			MessageId: fmt.Sprint("m", len(all)), AccountId: account, OccurredAt: timestamppb.New(time.UnixMicro(when)),
		}
		body(e)
		all = append(all, told{when, e})
	}

	for i := range quarterAccounts {
		account := accountID(i)

		for range 3 + rnd.IntN(40) { // some are busy, some are not
			add(account, func(e *eventv1.Event) {
				e.UserId = fmt.Sprint("u", rnd.IntN(4))
				e.Body = &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: fmt.Sprint("f", rnd.IntN(8))}}
			})
		}

		for range 1 + rnd.IntN(4) {
			add(account, func(e *eventv1.Event) {
				e.Body = &eventv1.Event_Account{Account: &eventv1.Account{
					ArrMicros: new(rnd.Int64N(4) * 1_250_000), Currency: new("USD"), Seats: new(int64(4)),
					RenewalDate: new(fmt.Sprintf("2026-%02d-%02d", 1+rnd.IntN(6), 1+rnd.IntN(28))),
					Segment:     new([]string{"smb", "mid"}[i%2]),
				}}
			})
		}

		for range rnd.IntN(8) {
			add(account, func(e *eventv1.Event) {
				e.UserId = []string{"", "u0", "u1"}[rnd.IntN(3)]
				e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{
					Type: eventv1.Survey_TYPE_NPS, Action: eventv1.Survey_ACTION_ANSWERED, Score: new(rnd.Int32N(11)),
				}}
			})
		}

		if rnd.IntN(3) == 0 { // leaves; some come back
			add(account, func(e *eventv1.Event) {
				date := e.GetOccurredAt().AsTime().Format(time.DateOnly)
				e.Body = &eventv1.Event_Account{Account: &eventv1.Account{ChurnDate: &date}}
			})
			add(account, func(e *eventv1.Event) {
				e.Body = &eventv1.Event_Account{Account: &eventv1.Account{Clear: []string{"churn_date"}}}
			})
		}
	}

	slices.SortFunc(all, func(a, b told) int { return int(a.at - b.at) })

	return all
}

// witness knows what the accounts are from the oracle, and their contracts from their events.
type witness struct {
	world  *oracle.World
	events []told
	today  oracle.Day
}

func (w *witness) accounts() (all []*oracle.Account) {
	for _, key := range w.world.Accounts() {
		all = append(all, w.world.Account(key.Workspace, key.Account))
	}

	return all
}

// profile is the arr, in micros, and the renewal date of an account before a moment.
func (w *witness) profile(account string, before int64) (arr int64, renewal string) {
	for _, e := range w.events {
		if p := e.event.GetAccount(); p != nil && p.ArrMicros != nil && e.event.GetAccountId() == account && e.at < before {
			arr, renewal = p.GetArrMicros(), p.GetRenewalDate()
		}
	}

	return arr, renewal
}

// end is the account's arr at the end of a month, 0 where it is not there; the last month ends now.
func (w *witness) end(a *oracle.Account, month time.Time) (arr int64, renewal string) {
	next := month.AddDate(0, 1, 0)
	arr, renewal = w.profile(a.Account, next.UnixMicro())
	last := oracle.DayOf(next.UnixMicro()) - 1

	there := slices.ContainsFunc(a.Rows, func(r oracle.Row) bool { return r.Day == last })
	if last >= w.today {
		there = a.Stage != "churned"
	}

	if !there {
		return 0, ""
	}

	return arr, renewal
}

func TestPortfolioAgreesWithTheOracle(t *testing.T) {
	t.Parallel()

	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()

			var (
				w        = prepare(t, openMemory(t))
				now      = at(t, "2026-04-15")
				o        = &witness{events: quarter(t, rand.New(rand.NewPCG(seed, 4))), today: oracle.DayOf(now)}
				messages []oracle.Message
			)

			for _, e := range o.events {
				w.score(home, e.event.GetAccountId(), e.at, 0, e.event)
				messages = append(messages, oracle.Message{Time: e.at, Records: []*logv1.Record{{
					Workspace: home, Payload: &logv1.Record_Event{Event: e.event},
				}}})
			}

			for i := range quarterAccounts {
				w.score(home, accountID(i), now, 0) // the night has passed
			}

			messages = append(messages, oracle.Message{Time: now})
			o.world = oracle.Replay(messages, oracle.Options{Shipped: scorecard.Shipped()})
			w.run()
			require.Eventually(t, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

			there := int32(0)
			for _, a := range o.accounts() {
				if a.Stage != "churned" {
					there++
				}
			}

			got := requirePortfolio(t, w, &healthv1.GetPortfolioRequest{FromMonth: "2026-01", MovementDays: 20}, there)
			require.Equal(t, now, got.GetAsOf().AsTime().UnixMicro())
			o.requireBands(t, got)
			o.requireMovements(t, got)
			o.requireRetention(t, got)
			o.requireNPS(t, got)
		})
	}
}

func (w *witness) requireBands(t *testing.T, got *healthv1.GetPortfolioResponse) {
	t.Helper()

	for _, band := range got.GetBands() {
		var (
			accounts, scored int32
			score            float64
			arr              int64
		)

		for _, a := range w.accounts() {
			if a.Stage == "churned" || a.Band != band.GetName() {
				continue
			}

			accounts++

			mine, _ := w.profile(a.Account, at(t, "2026-04-16"))
			arr += mine

			if a.Last.Known {
				scored++
				score += float64(a.Last.Score) / 1e6
			}
		}

		require.Equal(t, accounts, band.GetAccounts(), band.GetName())
		require.Equal(t, scored, band.GetScored(), band.GetName())
		require.InDelta(t, float64(arr)/1e6, band.GetArr(), 1e-9)

		if scored > 0 {
			require.InDelta(t, score/float64(scored), band.GetScore(), 1e-6)
		}
	}
}

func (w *witness) requireMovements(t *testing.T, got *healthv1.GetPortfolioResponse) {
	t.Helper()

	want, have := map[string]int32{}, map[string]int32{}

	for _, a := range w.accounts() {
		from, to := "unspecified", a.Band

		for _, r := range a.Rows {
			if r.Day == w.today-20 {
				from = r.Band
			}
		}

		if a.Stage == "churned" {
			to = "unspecified"
		}

		if from != to || to != "unspecified" {
			want[from+" to "+to]++
		}
	}

	for _, m := range got.GetMovements() {
		have[health.Band(m.GetFromBand()).String()+" to "+health.Band(m.GetToBand()).String()] += m.GetAccounts()
	}

	require.Equal(t, want, have)
}

func (w *witness) requireRetention(t *testing.T, got *healthv1.GetPortfolioResponse) {
	t.Helper()
	require.Len(t, got.GetMonths(), 4)

	for i, m := range got.GetMonths() {
		var (
			month                                             = time.Date(2026, time.January+time.Month(i), 1, 0, 0, 0, 0, time.UTC)
			opening, grown, shrunk, gone, fresh, due, renewed int64
			customers, lost                                   int32
		)

		for _, a := range w.accounts() {
			before, renewal := w.end(a, month.AddDate(0, -1, 0))
			after, _ := w.end(a, month)
			opening += before

			if before == 0 {
				fresh += after

				continue
			}

			customers++

			switch {
			case after == 0:
				lost++
				gone += before
			case after > before:
				grown += after - before
			default:
				shrunk += before - after
			}

			if renewal >= month.Format(time.DateOnly) && renewal < month.AddDate(0, 1, 0).Format(time.DateOnly) &&
				renewal <= "2026-04-15" {
				due += before
				renewed += after
			}
		}

		for name, pair := range map[string]struct {
			want int64
			got  float64
		}{
			"opening": {opening, m.GetOpeningArr()}, "expansion": {grown, m.GetExpansionArr()},
			"contraction": {shrunk, m.GetContractionArr()}, "churned": {gone, m.GetChurnedArr()},
			"new": {fresh, m.GetNewArr()}, "renewable": {due, m.GetRenewableArr()}, "renewed": {renewed, m.GetRenewedArr()},
		} {
			require.InDelta(t, float64(pair.want)/1e6, pair.got, 1e-9, m.GetMonth()+" "+name)
		}

		require.Equal(t, customers, m.GetAccounts(), m.GetMonth())
		require.Equal(t, lost, m.GetChurnedAccounts(), m.GetMonth())
	}
}

// requireNPS counts every answer of nobody, and the latest of each person known by name.
func (w *witness) requireNPS(t *testing.T, got *healthv1.GetPortfolioResponse) {
	t.Helper()

	type answer struct {
		month string
		score int32
	}

	answers := map[string]answer{}

	for _, e := range w.events {
		if s := e.event.GetSurvey(); s != nil {
			who := e.event.GetAccountId() + " " + e.event.GetUserId()
			if e.event.GetUserId() == "" {
				who = e.event.GetMessageId()
			}

			answers[who] = answer{time.UnixMicro(e.at).UTC().Format("2006-01"), s.GetScore()}
		}
	}

	seen := int64(0)

	for _, f := range got.GetSurveys() {
		if f.GetSegment() != "" {
			continue
		}

		var n, sum float64

		for _, a := range answers {
			if a.month == f.GetMonth() {
				n++

				switch {
				case a.score >= 9:
					sum++
				case a.score <= 6:
					sum--
				}
			}
		}

		require.InDelta(t, n, float64(f.GetNpsAnswers()), 0, f.GetMonth())
		seen += f.GetNpsAnswers()

		if n > 0 {
			require.InDelta(t, 100*sum/n, f.GetNps(), 1e-6)
		}
	}

	require.EqualValues(t, len(answers), seen)
}
