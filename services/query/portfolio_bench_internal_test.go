package query

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/portfolio"
)

// benchRow is an account with two years and a month behind it.
func benchRow(rnd *rand.Rand, i int, today health.Day) *column.Row {
	r := &column.Row{
		Account: fmt.Sprint("account-", i), Name: "Some Company", Day: today, Currency: "USD",
		Owner: fmt.Sprint("owner-", rnd.IntN(200)), Segment: fmt.Sprint("segment-", rnd.IntN(5)),
		Score: rnd.Int64N(100e6), ScoreKnown: true, Band: healthv1.Band(1 + rnd.IntN(5)),
		ComputedBand: healthv1.Band(1 + rnd.IntN(5)), Stage: healthv1.Stage(1 + rnd.IntN(5)),
		ARR: rnd.Int64N(1e12), ARRKnown: true, Renewal: today + health.Day(rnd.IntN(365)),
		Created: today - health.Day(rnd.IntN(800)), First: column.NoDay, Churn: today, LastSeen: today,
	}
	for i := range r.Measures {
		r.Measures[i] = column.Number(rnd.Int64N(100e6))
	}

	var (
		months  []health.MonthEnd
		recent  []health.DayEnd
		answers []health.SurveyFact
	)

	for m := range health.Month(24) {
		months = append(months, health.MonthEnd{
			Month: health.MonthOf(today) - 24 + m, ARR: scorecard.Value{Micros: rnd.Int64N(1e12), Known: true},
		})
	}

	for d := range health.Day(health.RecentDays) {
		recent = append(recent, health.DayEnd{Day: today - health.RecentDays + d, Band: health.BandSteady})
	}

	for d := range health.Day(4) {
		answers = append(answers, health.SurveyFact{Day: today - 100 + 30*d, Sent: 5, Answered: 2, NPS: 2, Promoters: 1})
	}

	r.SetPast(recent, months, answers)

	return r
}

// BenchmarkPortfolio sums up all accounts of a workspace, the taking of the rows included.
func BenchmarkPortfolio(b *testing.B) {
	for _, accounts := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint("accounts=", accounts), func(b *testing.B) {
			const today = health.Day(20_500)

			var (
				rnd   = rand.New(rand.NewPCG(1, 2))
				table = new(column.Table)
				o     = portfolio.Options{
					Today: today, To: health.MonthOf(today), From: health.MonthOf(today) - 11,
					MovementDays: 30, RenewalDays: 90, Limit: 50,
				}
			)

			for i := range accounts {
				table.Put(benchRow(rnd, i, today))
			}

			cpu := processorTime(b)

			for b.Loop() {
				if _, err := figures(b.Context(), slices.Collect(table.All()), nil, o); err != nil {
					b.Fatal(err)
				}
			}

			// On a machine that does other things too this says more than the time that passed.
			b.ReportMetric(float64((processorTime(b)-cpu).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// processorTime is the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()

	var u syscall.Rusage

	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))

	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
