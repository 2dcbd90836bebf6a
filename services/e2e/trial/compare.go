package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// compare asks a query process for every account, one by one and as a list, and holds the answers against the oracle. It
// returns what differs.
func compare(ctx context.Context, s *rig.Service, key string, l *ledger) ([]string, error) {
	conn, err := rig.Dial(s.GRPC, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	health := healthv1.NewHealthServiceClient(conn)
	var (
		mu     sync.Mutex
		wrong  []string
		scored = map[string]summary{}
		all    sync.WaitGroup
		work   = make(chan string)
	)
	const atOnce = 4
	for range atOnce {
		all.Go(func() {
			for account := range work {
				line, why := compareOne(ctx, health, account, l.events[account])
				mu.Lock()
				scored[account] = line
				if why != "" {
					wrong = append(wrong, s.Name+": "+account+": "+why)
				}
				mu.Unlock()
			}
		})
	}
	for account := range l.events {
		work <- account
	}
	close(work)
	all.Wait()
	differ, err := compareList(ctx, s.Name, health, scored)
	return append(wrong, differ...), err
}

// summary is what a list shows of an account, in micros.
type summary struct{ score, coverage int64 }

// compareList holds a process's list against what the accounts' scores must be. A list follows the store a moment later,
// so it is read again until it agrees; what does not come to agree is wrong.
func compareList(
	ctx context.Context, name string, health healthv1.HealthServiceClient, want map[string]summary,
) (wrong []string, err error) {
	const patience = 15 * time.Second
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = rig.Until(waiting, func() error { // what it ends with counts
		var got map[string]summary
		if got, err = list(ctx, health); err != nil {
			err = fmt.Errorf("listing accounts at %s: %w", name, err)
			return err
		}
		wrong = nil
		for account, w := range want {
			if got[account] != w {
				wrong = append(wrong, fmt.Sprintf("%s: %s is listed with %v, not %v", name, account, got[account], w))
			}
		}
		if len(got) != len(want) {
			wrong = append(wrong, fmt.Sprintf("%s lists %d accounts, not %d", name, len(got), len(want)))
		}
		if len(wrong) > 0 {
			return errDiffers
		}
		return nil
	})
	return wrong, err
}

// errDiffers says that a list does not agree yet.
var errDiffers = errors.New("the list differs")

// list reads all pages of accounts.
func list(ctx context.Context, health healthv1.HealthServiceClient) (map[string]summary, error) {
	all := map[string]summary{}
	const most = 1000
	for token := ""; ; {
		page, err := health.ListAccounts(ctx, &healthv1.ListAccountsRequest{
			PageSize: most, PageToken: token, OrderBy: "account_id",
		})
		if err != nil {
			return nil, err
		}
		for _, a := range page.GetAccounts() {
			all[a.GetAccountId()] = summary{micros(a.GetScore()), micros(a.GetCoverage())}
		}
		if token = page.GetNextPageToken(); token == "" {
			return all, nil
		}
	}
}

// compareOne returns what a list must show of an account, and what is wrong with its answer; empty: nothing.
func compareOne(
	ctx context.Context, health healthv1.HealthServiceClient, account string, events []oracle.Timed,
) (summary, string) {
	answer, err := health.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: account})
	if err != nil {
		return summary{}, err.Error()
	}
	got := answer.GetHealth()
	today, err := time.Parse(time.DateOnly, got.GetDay())
	if err != nil {
		return summary{}, err.Error()
	}
	want := oracle.Evaluate(events, oracle.DayOf(today.UnixMicro()), scorecard.Shipped())
	var d differences
	d.number("score", want.Score, got.GetScore())
	d.number("coverage", want.Coverage, got.GetCoverage())
	d.text("stage", want.Stage, stageName(got.GetStage()))
	if len(got.GetDimensions()) != len(want.Dimensions) {
		d.addf("it has %d dimensions, not %d", len(got.GetDimensions()), len(want.Dimensions))
		return summary{}, d.String()
	}
	for i, dimension := range want.Dimensions {
		d.dimension(&dimension, got.GetDimensions()[i])
	}
	return summary{want.Score, want.Coverage}, d.String()
}

func micros(v float64) int64 {
	const million = 1e6
	return int64(math.Round(v * million))
}

// differences gathers what is wrong with an answer.
type differences struct{ all []string }

func (d *differences) addf(format string, args ...any) {
	d.all = append(d.all, fmt.Sprintf(format, args...))
}

func (d *differences) number(what string, want int64, got float64) {
	if got := micros(got); got != want {
		d.addf("%s is %d, not %d", what, got, want)
	}
}

func (d *differences) text(what, want, got string) {
	if got != want {
		d.addf("%s is %q, not %q", what, got, want)
	}
}

func (d *differences) dimension(want *oracle.Dimension, got *healthv1.Dimension) {
	if len(got.GetMeasures()) != len(want.Measures) {
		d.addf("%s has %d measures, not %d", want.Name, len(got.GetMeasures()), len(want.Measures))
		return
	}
	for i, m := range want.Measures {
		g := got.GetMeasures()[i]
		name := m.Measure.Name()
		d.text("measure", name, g.GetName())
		if m.Value.Known != (g.Value != nil) {
			d.addf("%s has a value: %t, not %t", name, g.Value != nil, m.Value.Known)
		}
		d.number(name+" value", m.Value.Micros, g.GetValue())
		d.number(name+" points", m.Points, g.GetPoints())
		d.number(name+" contribution", m.Contribution, g.GetContribution())
	}
}

func (d *differences) String() string { return strings.Join(d.all, "; ") }

func stageName(s healthv1.Stage) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "STAGE_"))
}
