package board_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/query/internal/board"
)

// begin is the time about which alerts fire.
func begin() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

// entry is a record of an alert.
func entry(sequence uint64, a *alertv1.Alert) board.Entry {
	return board.Entry{Sequence: sequence, Record: &logv1.AlertRecord{
		Workspace: "home", Transition: &alertv1.Transition{At: a.GetFireTime(), Alert: a},
	}}
}

// randomAlert makes an alert of few values, so that filters meet.
func randomAlert(r *rand.Rand, id string) *alertv1.Alert {
	texts := []string{"", "ann", "bob", "Ann Lee"}
	a := &alertv1.Alert{
		AlertId: id, Rule: []string{"at_risk", "critical", "inactive"}[r.IntN(3)],
		State: alertv1.State(1 + r.IntN(4)), Severity: alertv1.Severity(1 + r.IntN(3)),
		AccountId: fmt.Sprintf("acct%d", r.IntN(5)), Assignee: texts[r.IntN(4)],
		Quiet: r.IntN(2) == 0, Flapping: r.IntN(2) == 0,
		FireTime: timestamppb.New(begin().Add(time.Duration(r.IntN(96)-48) * time.Hour)),
		Subject: &alertv1.Subject{
			Owner: texts[r.IntN(4)], Band: healthv1.Band(1 + r.IntN(5)), Stage: healthv1.Stage(1 + r.IntN(3)),
		},
	}

	if r.IntN(3) > 0 {
		a.Subject.Score = new(float64(r.IntN(5)) * 12.5)
	}

	if r.IntN(2) == 0 {
		a.Subject.RenewalDate = fmt.Sprintf("2026-0%d-01", 1+r.IntN(5))
	}

	if r.IntN(3) == 0 {
		a.HeldBy = []string{"churned"}
	}

	if r.IntN(2) == 0 {
		a.Labels = map[string]string{"team": texts[r.IntN(4)]}
	}

	if a.GetState() == alertv1.State_STATE_RESOLVED {
		a.ResolveTime = a.GetFireTime()
	}

	return a
}

// naive is a filter written down twice: as text, and as what it means.
type naive struct {
	text string
	want func(*alertv1.Alert) bool
}

// comparisons are leaves of filters.
func comparisons() []naive {
	return []naive{
		{"state = firing", func(a *alertv1.Alert) bool { return a.GetState() == alertv1.State_STATE_FIRING }},
		{"state != resolved", func(a *alertv1.Alert) bool { return a.GetState() != alertv1.State_STATE_RESOLVED }},
		{"severity >= warning", func(a *alertv1.Alert) bool { return a.GetSeverity() >= alertv1.Severity_SEVERITY_WARNING }},
		{"severity < critical", func(a *alertv1.Alert) bool { return a.GetSeverity() < alertv1.Severity_SEVERITY_CRITICAL }},
		{"rule = at_*", func(a *alertv1.Alert) bool { return strings.HasPrefix(a.GetRule(), "at_") }},
		{"account_id != acct3", func(a *alertv1.Alert) bool { return a.GetAccountId() != "acct3" }},
		{"assignee:*", func(a *alertv1.Alert) bool { return a.GetAssignee() != "" }},
		{"owner:ann", func(a *alertv1.Alert) bool {
			return strings.Contains(strings.ToLower(a.GetSubject().GetOwner()), "ann")
		}},
		{`owner = "Ann Lee"`, func(a *alertv1.Alert) bool { return a.GetSubject().GetOwner() == "Ann Lee" }},
		{"score < 25", func(a *alertv1.Alert) bool { return a.GetSubject().Score != nil && a.GetSubject().GetScore() < 25 }},
		{"score >= 12.5", func(a *alertv1.Alert) bool {
			return a.GetSubject().Score != nil && a.GetSubject().GetScore() >= 12.5
		}},
		{"score:*", func(a *alertv1.Alert) bool { return a.GetSubject().Score != nil }},
		{"band <= at_risk", func(a *alertv1.Alert) bool {
			b := a.GetSubject().GetBand()

			return b > healthv1.Band_BAND_UNKNOWN && b <= healthv1.Band_BAND_AT_RISK
		}},
		{"band = unknown", func(a *alertv1.Alert) bool { return a.GetSubject().GetBand() == healthv1.Band_BAND_UNKNOWN }},
		{"held = true", func(a *alertv1.Alert) bool { return len(a.GetHeldBy()) > 0 }},
		{"held_by = churned", func(a *alertv1.Alert) bool { return slices.Contains(a.GetHeldBy(), "churned") }},
		{"quiet != true", func(a *alertv1.Alert) bool { return !a.GetQuiet() }},
		{"flapping = true", (*alertv1.Alert).GetFlapping},
		{"labels.team = bob", func(a *alertv1.Alert) bool { return a.GetLabels()["team"] == "bob" }},
		{"renewal_date < 2026-03-01", func(a *alertv1.Alert) bool {
			d := a.GetSubject().GetRenewalDate()

			return d != "" && d < "2026-03-01"
		}},
		{"fire_time >= 2026-03-11", func(a *alertv1.Alert) bool { return a.GetFireTime().AsTime().Day() >= 11 }},
		{"fire_time = 2026-03-10", func(a *alertv1.Alert) bool { return a.GetFireTime().AsTime().Day() == 10 }},
		{`fire_time > "2026-03-10T12:00:00Z"`, func(a *alertv1.Alert) bool { return a.GetFireTime().AsTime().After(begin()) }},
		{"resolve_time:*", func(a *alertv1.Alert) bool { return a.GetResolveTime() != nil }},
		{"inact", func(a *alertv1.Alert) bool { return a.GetRule() == "inactive" }},
	}
}

// randomFilter makes a filter of comparisons.
func randomFilter(r *rand.Rand, depth int) naive {
	if depth == 0 || r.IntN(3) == 0 {
		all := comparisons()

		return all[r.IntN(len(all))]
	}

	a, b := randomFilter(r, depth-1), randomFilter(r, depth-1)

	switch r.IntN(3) {
	case 0:
		return naive{"(" + a.text + " AND " + b.text + ")", func(x *alertv1.Alert) bool { return a.want(x) && b.want(x) }}
	case 1:
		return naive{"(" + a.text + " OR " + b.text + ")", func(x *alertv1.Alert) bool { return a.want(x) || b.want(x) }}
	default:
		return naive{"NOT (" + a.text + ")", func(x *alertv1.Alert) bool { return !a.want(x) }}
	}
}

// naiveCompare is the order severity desc, score, alert_id desc; without a score last.
func naiveCompare(a, b *alertv1.Alert) int {
	score := func(x *alertv1.Alert) float64 {
		if x.GetSubject().Score == nil {
			return 1000
		}

		return x.GetSubject().GetScore()
	}

	return cmp.Or(cmp.Compare(b.GetSeverity(), a.GetSeverity()), cmp.Compare(score(a), score(b)),
		strings.Compare(b.GetAlertId(), a.GetAlertId()))
}

// TestPagesAreWhatANaiveSearchFinds walks random lists page by page.
func TestPagesAreWhatANaiveSearchFinds(t *testing.T) {
	t.Parallel()

	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		b := board.New(16)

		var all []*alertv1.Alert

		for n := range r.IntN(80) {
			a := randomAlert(r, fmt.Sprintf("a%02d", n))
			all = append(all, a)
			b.Put(entry(uint64(n+1), a))
		}

		f := randomFilter(r, 3)
		want := slices.DeleteFunc(slices.Clone(all), func(a *alertv1.Alert) bool { return !f.want(a) })
		slices.SortFunc(want, naiveCompare)

		parsed, err := board.ParseFilter(f.text)
		require.NoError(t, err, f.text)

		order, err := board.ParseOrder("severity desc, score, alert_id desc")
		require.NoError(t, err)

		got := walk(t, b, board.Query{Filter: parsed, Order: order, Limit: 1 + r.IntN(20)}, len(want))
		require.Equal(t, idsOf(want), idsOf(got), "seed %d: %s", seed, f.text)
	}
}

func idsOf(all []*alertv1.Alert) []string {
	ids := make([]string, len(all))
	for i, a := range all {
		ids[i] = a.GetAlertId()
	}

	return ids
}

// walk reads all pages, by tokens.
func walk(t *testing.T, b *board.Board, q board.Query, total int) []*alertv1.Alert {
	t.Helper()

	var got []*alertv1.Alert

	for {
		page := b.Find("home", &q)
		require.Equal(t, total, page.Total)

		got = append(got, page.Alerts...)

		if !page.More {
			return got
		}

		p, err := board.ParsePosition(q.Filter, q.Order, board.After(q.Filter, q.Order, got[len(got)-1]).String())
		require.NoError(t, err)

		q.After = &p
	}
}
