package dispatch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/dispatch"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// digesting is a state with a digest at eight, and what is written of it.
type digesting struct {
	t       *testing.T
	state   *dispatch.State
	records map[string]delivery.Entry
	last    uint64
}

func newDigesting(t *testing.T) *digesting {
	t.Helper()

	d := &digesting{t: t, records: map[string]delivery.Entry{}}
	d.restart()

	return d
}

// restart begins anew with what is written.
func (d *digesting) restart() {
	d.state = dispatch.New(func() float64 { return 0.5 })
	for _, e := range d.records {
		require.NoError(d.t, d.state.Load(e))
	}

	set, err := receiver.Parse([]byte(`
receivers: [{name: mail, kind: slack, settings: {url: "file:slack"}}]
digests: [{name: morning, receiver: mail, every: day, at: "08:00", time_zone: UTC}]
`))
	require.NoError(d.t, err)
	d.state.SetUp("w", &dispatch.Setup{Receivers: set})
}

func (d *digesting) put(writes ...delivery.Write) {
	for _, w := range writes {
		key := "period"
		if n, ok := w.Record.(*delivery.Notice); ok {
			key = n.ID
		}

		require.Equal(d.t, d.records[key].Sequence, w.Replaces, "it takes the place of what is there")

		d.last++
		d.records[key] = delivery.Entry{Record: w.Record, Sequence: d.last}
		d.state.Written(w.Record, d.last)
	}
}

// due takes what is due.
func (d *digesting) due(now time.Time) []dispatch.DueDigest {
	d.t.Helper()

	due, writes, err := d.state.TakeDigests(now)
	require.NoError(d.t, err)
	d.put(writes...)

	return due
}

// add writes the digests of owners.
func (d *digesting) add(due dispatch.DueDigest, now time.Time, owners ...string) (written int) {
	d.t.Helper()

	for _, owner := range owners {
		writes, err := d.state.AddDigest(due, &sender.Digest{
			Owner: owner, From: due.From, To: due.To,
			Fell:     []sender.Move{{Account: account("acme"), Before: 70, After: 50}},
			Rose:     []sender.Move{{Account: account("beta"), Before: 40, After: 60}},
			Renewals: []sender.Account{account("gamma")},
			Open:     []*alertv1.Alert{{AlertId: "a1", Summary: owner}},
		}, now)
		require.NoError(d.t, err)
		d.put(writes...)

		written += len(writes)
	}

	return written
}

func (d *digesting) made(due dispatch.DueDigest) {
	d.t.Helper()

	w, err := d.state.DigestMade("w", due.Digest.Name, due.To)
	require.NoError(d.t, err)
	d.put(w)
}

func account(id string) sender.Account {
	return sender.Account{ID: id, Subject: &alertv1.Subject{Name: id, Score: new(50.0)}}
}

func TestDigests(t *testing.T) {
	t.Parallel()

	day := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }

	t.Run("a new digest begins with its next period", func(t *testing.T) {
		t.Parallel()

		d := newDigesting(t)
		require.Empty(t, d.due(day(2, 12)))
		require.Equal(t, day(3, 8), d.state.Next(day(2, 12)))
		require.Empty(t, d.due(day(3, 7)))

		due := d.due(day(3, 8))
		require.Len(t, due, 1)
		require.Equal(t, day(2, 8), due[0].From)
		require.Equal(t, day(3, 8), due[0].To)
		require.Empty(t, d.due(day(3, 9)), "it is being made")
	})

	t.Run("of several periods that passed the last is made", func(t *testing.T) {
		t.Parallel()

		d := newDigesting(t)
		d.due(day(2, 12))
		d.restart()

		due := d.due(day(9, 12))
		require.Len(t, due, 1)
		require.Equal(t, day(8, 8), due[0].From)
		require.Equal(t, day(9, 8), due[0].To)
		d.made(due[0])
		require.Empty(t, d.due(day(9, 13)))
		d.restart()
		require.Empty(t, d.due(day(9, 14)), "a restart makes none again")
	})

	t.Run("one that cannot be made is made later", func(t *testing.T) {
		t.Parallel()

		d := newDigesting(t)
		d.due(day(2, 12))
		require.Len(t, d.due(day(3, 8)), 1)
		d.state.DigestFailed("w", "morning", day(3, 8))
		require.Empty(t, d.due(day(3, 8).Add(59*time.Second)))
		require.Equal(t, day(3, 8).Add(time.Minute), d.state.Next(day(3, 8)))
		require.Len(t, d.due(day(3, 8).Add(time.Minute)), 1)
	})

	t.Run("after a death in the middle, who has one gets no other", func(t *testing.T) {
		t.Parallel()

		d := newDigesting(t)
		d.due(day(2, 12))
		due := d.due(day(3, 8))[0]
		require.Equal(t, 2, d.add(due, day(3, 8), "ann", "bob"))
		d.restart()

		again := d.due(day(3, 9))[0]
		require.Equal(t, due.To, again.To)
		require.Equal(t, 1, d.add(again, day(3, 9), "ann", "bob", "cat"))
		d.made(again)

		plan, err := d.state.Start(day(3, 9))
		require.NoError(t, err)
		require.Len(t, plan.Jobs, 3, "one each")
	})

	t.Run("it is the same at every try, by whoever", func(t *testing.T) {
		t.Parallel()

		d := newDigesting(t)
		d.due(day(2, 12))
		due := d.due(day(3, 8))[0]
		d.add(due, day(3, 8), "ann")
		d.made(due)

		first, err := d.state.Start(day(3, 8))
		require.NoError(t, err)

		writes, err := d.state.Result(first.Jobs[0], errors.New("not now"), day(3, 8))
		require.NoError(t, err)
		d.put(writes...)
		d.restart()

		second, err := d.state.Start(day(3, 9))
		require.NoError(t, err)
		require.Len(t, second.Jobs, 1)

		one, two := first.Jobs[0].Notifications[0], second.Jobs[0].Notifications[0]
		require.Equal(t, one.ID, two.ID)
		require.Equal(t, "ann", two.Digest.Owner)
		require.Equal(t, preview(t, one), preview(t, two))

		writes, err = d.state.Result(second.Jobs[0], nil, day(3, 9))
		require.NoError(t, err)
		require.Nil(t, writes[0].Record.(*delivery.Notice).Digest, "what is delivered is not kept")
		d.put(writes...)

		third, err := d.state.Start(day(4, 7))
		require.NoError(t, err)
		require.Empty(t, third.Jobs)
	})
}

func TestDigestFits(t *testing.T) {
	t.Parallel()

	d := newDigesting(t)
	d.due(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	due := d.due(time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC))[0]
	long := &sender.Digest{Owner: "ann"}

	for range 1000 {
		long.Renewals = append(long.Renewals, sender.Account{ID: "a", Subject: &alertv1.Subject{Name: strings.Repeat("x", 1000)}})
	}

	writes, err := d.state.AddDigest(due, long, due.To)
	require.NoError(t, err)

	record := writes[0].Record.(*delivery.Notice)
	require.Less(t, len(record.Digest), 300<<10, "a record has room for it")
	require.Greater(t, len(record.Digest), 100<<10)
	require.Len(t, long.Renewals, 125, "the first ones stay")
}

// preview is what a webhook would be sent.
func preview(t *testing.T, n *sender.Notification) string {
	t.Helper()

	all, err := sender.Preview(&sender.Webhook{URL: "https://example.com", Secrets: []sender.Secret{"file:key"}}, n)
	require.NoError(t, err)

	return string(all[0].Body)
}
