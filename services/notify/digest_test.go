package notify_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/notify"
	"hale.dev/services/notify/internal/sender"
)

const digestDocument = `
kind: receivers
receivers:
  - {name: mail, kind: webhook, rate: 6000, settings: {url: "https://mail.example.com/x", secrets: ["file:key"]}}
digests:
  - {name: morning, receiver: mail, every: day, at: "08:00", time_zone: Europe/Berlin, owners: ['owner!="nobody"']}
`

// holdings are accounts that never change.
type holdings []notify.Holding

func (h holdings) Accounts(_ context.Context, workspace string, _ time.Time, f func(notify.Holding)) error {
	if workspace != "w" {
		return fmt.Errorf("another workspace: %s", workspace)
	}

	for _, one := range h {
		f(one)
	}

	return nil
}

// flaky fails the first time.
type flaky struct {
	holdings

	tried atomic.Int64
}

func (f *flaky) Accounts(ctx context.Context, workspace string, at time.Time, do func(notify.Holding)) error {
	if f.tried.Add(1) == 1 {
		return errors.New("the store is down")
	}

	return f.holdings.Accounts(ctx, workspace, at, do)
}

func holding(id, owner string, before, after float64, renewal string, stage healthv1.Stage) notify.Holding {
	return notify.Holding{Before: &before, Account: sender.Account{ID: id, Subject: &alertv1.Subject{
		Name: id, Owner: owner, Score: &after, RenewalDate: renewal, Stage: stage,
	}}}
}

func TestDigests(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.clock = newFast(50_000) // a day is less than two seconds
	w.apply(digestDocument)
	w.append(
		transition("open", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_CRITICAL),
		transition("over", 1, alertv1.Transition_KIND_FIRED, alertv1.Severity_SEVERITY_CRITICAL),
		over("over", 2),
	)

	soon := time.Now().AddDate(0, 0, 20).Format(time.DateOnly)
	d := w.deps()
	portfolio := &flaky{holdings: holdings{
		holding("fell", "ann", 70, 50, "", healthv1.Stage_STAGE_STEADY),
		holding("fell-far", "ann", 70, 20, soon, healthv1.Stage_STAGE_STEADY),
		holding("rose", "ann", 50, 51, "2020-01-01", healthv1.Stage_STAGE_STEADY),
		holding("same", "bob", 50, 50, "", healthv1.Stage_STAGE_STEADY),
		holding("gone", "bob", 50, 0, soon, healthv1.Stage_STAGE_CHURNED),
		holding("other", "nobody", 50, 0, "", healthv1.Stage_STAGE_STEADY),
		holding("free", "", 50, 0, "", healthv1.Stage_STAGE_STEADY),
	}}
	d.Portfolio = portfolio

	stop, _ := w.run(d)
	w.until(2)
	stop()

	before := w.digests()
	require.Greater(t, portfolio.tried.Load(), int64(len(before)/2), "one was tried again")
	down := w.clock.Now()
	require.Eventually(t, func() bool { return w.clock.Now().Sub(down) > 3*24*time.Hour }, patience, time.Millisecond)

	stop, _ = w.run(d)
	w.until(len(before)/2 + 1)
	stop()

	periods, ids := map[string]bool{}, map[string]bool{}

	for _, one := range w.digests() {
		key := one.Digest.Owner + one.Digest.To.String()
		require.False(t, periods[key], "one digest per period and owner: %s", key)
		require.False(t, ids[one.ID])

		periods[key], ids[one.ID] = true, true
		require.Contains(t, []string{"ann", "bob"}, one.Digest.Owner)
	}

	ann := before[0].Digest
	require.Equal(t, "ann", ann.Owner)
	require.Equal(t, []string{"fell-far", "fell"}, []string{ann.Fell[0].ID, ann.Fell[1].ID})
	require.Len(t, ann.Rose, 1)
	require.Equal(t, "fell-far", ann.Renewals[0].ID)
	require.Len(t, ann.Open, 1, "what is over is not open")
	require.Equal(t, "open", ann.Open[0].GetAlertId())

	bob := before[1].Digest
	require.Empty(t, bob.Fell, "who has churned falls no more")
	require.Empty(t, bob.Renewals)

	at := slices.IndexFunc(w.digests(), func(n *sender.Notification) bool { return n.Digest.To.After(down) })
	after := w.digests()[at].Digest
	require.InDelta(t, 24, after.To.Sub(after.From).Hours(), 1)
	require.Greater(t, after.From.Sub(down).Hours(), 20.0, "only the last of the periods that were missed is told")
}

// over is the end of an alert.
func over(alert string, revision uint32) *logv1.AlertRecord {
	r := transition(alert, revision, alertv1.Transition_KIND_RESOLVED, alertv1.Severity_SEVERITY_CRITICAL)
	r.Transition.Alert.State = alertv1.State_STATE_RESOLVED

	return r
}

// digests are those that came, in the order of their periods and owners.
func (w *world) digests() []*sender.Notification {
	var all []*sender.Notification

	for _, one := range w.inbox.all() {
		if one.n.Digest != nil {
			all = append(all, one.n)
		}
	}

	slices.SortStableFunc(all, func(a, b *sender.Notification) int {
		return cmp.Or(a.Digest.To.Compare(b.Digest.To), strings.Compare(a.Digest.Owner, b.Digest.Owner))
	})

	// A try that a stop cut off is made again, with the same id.
	return slices.CompactFunc(all, func(a, b *sender.Notification) bool { return a.ID == b.ID })
}

// until waits until both owners have so many digests.
func (w *world) until(count int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return len(w.digests()) >= 2*count && len(w.digests())%2 == 0 }, patience, 5*time.Millisecond)
}
