package column_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
	"unique"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// warm is for how long a list is read before it is measured.
const warm = 10 * time.Second

// million is how many accounts the benchmarks of lists have.
const million = 1_000_000

// likelyRow is a row as real ones are.
func likelyRow(rnd *rand.Rand, account int) *column.Row {
	r := blank(fmt.Sprintf("account-%07d", account))
	r.Name = fmt.Sprintf("Company %d Ltd", account)
	r.Owner = unique.Make(fmt.Sprintf("csm-%03d@example.com", rnd.IntN(500))).Value() // as the feed does
	r.Segment = []string{"smb", "mid-market", "enterprise", "strategic"}[rnd.IntN(4)]
	r.Plan = []string{"free", "team", "business", "enterprise"}[rnd.IntN(4)]
	r.Industry, r.Card = unique.Make(fmt.Sprint("industry ", rnd.IntN(30))).Value(), "standard"
	r.Score, r.ScoreKnown = rnd.Int64N(100e6), true
	r.Band = []healthv1.Band{2, 2, 3, 4, 5}[r.Score/20e6]
	r.Stage, r.Coverage = healthv1.Stage(1+rnd.IntN(4)), 50e6+rnd.Int64N(50e6)
	r.ARR, r.ARRKnown, r.Currency = int64(rnd.ExpFloat64()*20_000)*1e6, true, "USD"
	r.Day = 20_500
	r.Renewal, r.Created = r.Day+health.Day(rnd.IntN(365)), r.Day-health.Day(rnd.IntN(2000))
	r.Change7, r.Change30 = column.Number(rnd.NormFloat64()*5e6), column.Number(rnd.NormFloat64()*10e6)

	for i := range r.Dimensions {
		r.Dimensions[i] = column.Number(rnd.Int64N(100e6))
	}

	for i := range r.Measures {
		if rnd.IntN(3) > 0 {
			r.Measures[i] = column.Number(rnd.Int64N(100e6))
		}
	}

	r.Traits = []health.Trait{
		{Name: "region", Trait: scorecard.Trait{Kind: scorecard.TraitText, Text: "emea"}},
		{Name: "employees", Trait: scorecard.Trait{Kind: scorecard.TraitNumber, Micros: rnd.Int64N(1000) * 1e6}},
	}

	return r
}

// BenchmarkFind reads first pages of 100 out of a million accounts, at rest and while 1,000 rows a second change, and
// prints how long the median and the slowest hundredth take.
func BenchmarkFind(b *testing.B) {
	var (
		rnd   = rand.New(rand.NewPCG(1, 2))
		table = new(column.Table)
	)

	for n := 0; n < million; n += 1000 {
		rows := make([]*column.Row, 1000)
		for i := range rows {
			rows[i] = likelyRow(rnd, n+i)
		}

		table.Put(rows...)
	}

	for _, writes := range []bool{false, true} {
		for _, c := range []struct{ name, filter, order string }{
			{"selective", `owner = "csm-007@example.com" AND score < 40`, "arr desc"},
			{"medium", "band = critical AND arr > 50000 AND renewal_days < 90", "worklist"},
			{"bad", "traits.employees = 7 AND nps < 50 AND stickiness > 90", "score_change_7d"},
			{"nothing", `name:"no such company"`, "name desc"},
			{"none", "", "usage_trend desc,industry"},
			{"counted", "nps < 50", "score"},
		} {
			b.Run(fmt.Sprintf("%s/writes=%v", c.name, writes), func(b *testing.B) {
				stop := func() {}
				if writes {
					stop = writer(table)
				}

				defer stop()

				q := column.Query{Order: parsed(b, c.order), Limit: 100, Count: c.name == "counted"}

				// Until the orders that it asks for are sorted.
				for begin := time.Now(); time.Since(begin) < warm; {
					q.Filter = filter(b, c.filter)
					table.Find(q)
				}

				took := make([]time.Duration, 0, 1000)
				cpu := processorTime(b)

				for b.Loop() {
					start := time.Now()
					q.Filter = filter(b, c.filter)
					table.Find(q)

					took = append(took, time.Since(start))
				}

				b.ReportMetric((processorTime(b)-cpu).Seconds()*1000/float64(len(took)), "cpu-ms")
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
			})
		}
	}
}

// processorTime is the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()

	var u syscall.Rusage

	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))

	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// writer replaces 1,000 rows a second until it is stopped.
func writer(table *column.Table) (stop func()) {
	var (
		rnd  = rand.New(rand.NewPCG(5, 6))
		done = make(chan struct{})
		wg   sync.WaitGroup
	)

	wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()

		for {
			select {
			case <-done:
				return
			case <-tick.C:
				rows := make([]*column.Row, 20)
				for i := range rows {
					rows[i] = likelyRow(rnd, rnd.IntN(million))
				}

				table.Put(rows...)
			}
		}
	})

	return func() {
		close(done)
		wg.Wait()
	}
}

// BenchmarkMemory measures what a million accounts take: rows, slots and index, and each kept order.
func BenchmarkMemory(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		runtime.GC()

		var m runtime.MemStats

		runtime.ReadMemStats(&m)

		return float64(m.HeapAlloc)
	}

	const accounts = 100_000

	for b.Loop() {
		var (
			rnd    = rand.New(rand.NewPCG(1, 2))
			table  = new(column.Table)
			before = heap()
		)

		for n := range accounts {
			table.Put(likelyRow(rnd, n))
		}

		filled := heap()

		for range 3 {
			table.Find(column.Query{Order: parsed(b, "arr desc"), Limit: 1})
		}

		b.ReportMetric((filled-before)/accounts, "B/account")
		b.ReportMetric((heap()-filled)/accounts, "B/account/order")
		runtime.KeepAlive(table)
	}
}
