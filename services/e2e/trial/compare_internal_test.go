package trial

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// query answers as the oracle would.
type query struct {
	healthv1.HealthServiceClient

	events map[string][]oracle.Timed
	spoil  func(*healthv1.AccountHealth)
	// late is how many lists are still wrong.
	late int
}

func (q *query) evaluate(account string) *healthv1.AccountHealth {
	now := time.Now().UTC()
	e := oracle.Evaluate(q.events[account], oracle.DayOf(now.UnixMicro()), scorecard.Shipped())
	const million = 1e6
	h := &healthv1.AccountHealth{
		Day: now.Format(time.DateOnly), Score: new(float64(e.Score) / million), Coverage: float64(e.Coverage) / million,
		Stage: healthv1.Stage(healthv1.Stage_value["STAGE_"+strings.ToUpper(e.Stage)]),
	}
	for _, d := range e.Dimensions {
		dimension := &healthv1.Dimension{}
		for _, m := range d.Measures {
			measure := &healthv1.Measure{
				Name: m.Measure.Name(), Points: new(float64(m.Points) / million), Contribution: float64(m.Contribution) / million,
			}
			if m.Value.Known {
				measure.Value = new(float64(m.Value.Micros) / million)
			}
			dimension.Measures = append(dimension.Measures, measure)
		}
		h.Dimensions = append(h.Dimensions, dimension)
	}
	return h
}

func (q *query) GetHealth(
	_ context.Context, r *healthv1.GetHealthRequest, _ ...grpc.CallOption,
) (*healthv1.GetHealthResponse, error) {
	if q.events[r.GetAccountId()] == nil {
		return nil, errors.New("no such account")
	}
	h := q.evaluate(r.GetAccountId())
	if q.spoil != nil {
		q.spoil(h)
	}
	return &healthv1.GetHealthResponse{Health: h}, nil
}

// ListAccounts gives one account a page.
func (q *query) ListAccounts(
	_ context.Context, r *healthv1.ListAccountsRequest, _ ...grpc.CallOption,
) (*healthv1.ListAccountsResponse, error) {
	n, _ := strconv.Atoi(r.GetPageToken())
	account := "account-" + strconv.Itoa(n)
	h := q.evaluate(account)
	line := &healthv1.AccountSummary{AccountId: account, Score: h.Score, Coverage: h.GetCoverage()}
	next := ""
	if n+1 < len(q.events) {
		next = strconv.Itoa(n + 1)
	} else if q.late > 0 {
		q.late--
		line.Coverage++
	}
	return &healthv1.ListAccountsResponse{Accounts: []*healthv1.AccountSummary{line}, NextPageToken: next}, nil
}

func newQuery() *query {
	q := &query{events: map[string][]oracle.Timed{}}
	for _, f := range rig.Traffic(1, 600, 3, time.Now()) {
		e := f.Event()
		q.events[f.Account] = append(q.events[f.Account], oracle.Timed{Event: e, Time: e.GetOccurredAt().AsTime().UnixMicro()})
	}
	return q
}

func TestCompareOne(t *testing.T) {
	t.Parallel()
	q := newQuery()
	_, why := compareOne(t.Context(), q, "account-1", q.events["account-1"])
	require.Empty(t, why)
	_, why = compareOne(t.Context(), q, "nobody", nil)
	require.Equal(t, "no such account", why)
	_, why = compareOne(t.Context(), q, "account-1", q.events["account-1"][20:])
	require.NotEmpty(t, why, "lost events show")
	for what, spoil := range map[string]func(*healthv1.AccountHealth){
		"score is":                     func(h *healthv1.AccountHealth) { *h.Score += 0.000001 },
		"coverage is":                  func(h *healthv1.AccountHealth) { h.Coverage -= 0.000001 },
		"stage is":                     func(h *healthv1.AccountHealth) { h.Stage = healthv1.Stage_STAGE_CHURNED },
		"dimensions, not":              func(h *healthv1.AccountHealth) { h.Dimensions = h.Dimensions[1:] },
		"measures, not":                func(h *healthv1.AccountHealth) { h.Dimensions[0].Measures = nil },
		"has a value":                  func(h *healthv1.AccountHealth) { h.Dimensions[0].Measures[1].Value = nil },
		"active_users contribution is": func(h *healthv1.AccountHealth) { h.Dimensions[0].Measures[1].Contribution++ },
	} {
		q.spoil = spoil
		_, why = compareOne(t.Context(), q, "account-1", q.events["account-1"])
		require.Contains(t, why, what)
	}
}

func TestCompareList(t *testing.T) {
	t.Parallel()
	q := newQuery()
	want := map[string]summary{}
	for account, events := range q.events {
		line, why := compareOne(t.Context(), q, account, events)
		require.Empty(t, why)
		want[account] = line
	}
	q.late = 3
	wrong, err := compareList(t.Context(), "query-1", q, want)
	require.NoError(t, err)
	require.Empty(t, wrong, "it came to agree")
	require.Zero(t, q.late)

	q.late = 1 << 30
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wrong, err = compareList(ctx, "query-1", q, want)
	require.NoError(t, err)
	require.Len(t, wrong, 1)
	want["account-9"] = summary{1, 1}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wrong, err = compareList(ctx, "query-1", q, want)
	require.NoError(t, err)
	require.Len(t, wrong, 3, "one that is missing, and the number of accounts")
}
