package notify_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/sender"
)

// TestKill ends the process without warning between any two steps from a record in ALERTS to that of its delivery: in a
// batch of writes, before an acknowledgement is heard of, in the middle of a try, after the receiver took it.
func TestKill(t *testing.T) {
	t.Parallel()

	var repeated, deaths atomic.Int64

	t.Run("group", func(t *testing.T) {
		for seed := range uint64(12) {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()

				w := newWorld(t)
				random := rand.New(rand.NewPCG(seed, 7))
				all := lives(random, 25)

				for rest := all; len(rest) > 0; {
					n := min(len(rest), 1+random.IntN(5))
					w.append(rest[:n]...)
					rest = rest[n:]

					w.die(random)
					deaths.Add(1)
				}

				w.inbox.before, w.inbox.after = nil, nil

				stop, _ := w.run(w.deps())
				found := w.settled()
				stop()

				repeated.Add(w.audit(all, found))
			})
		}
	})

	require.Positive(t, deaths.Load())
	t.Logf("%d deaths, missed 0, %d repeated, all with their id", deaths.Load(), repeated.Load())
}

// die runs a process until it dies, somewhere.
func (w *world) die(random *rand.Rand) {
	dead := make(chan struct{}, 100)
	die := func() { dead <- struct{}{} }
	d := w.deps()
	journal := &mortal{Journal: w.journal, left: 1 + random.IntN(8), die: die}
	d.Journal = journal

	kill := func(ctx context.Context, _ string, _ *sender.Notification) error {
		journal.mu.Lock()
		journal.left = 0
		journal.mu.Unlock()
		die()
		<-ctx.Done() // a dead process tells nobody

		return errKilled
	}

	w.inbox.before, w.inbox.after = nil, nil

	switch random.IntN(4) {
	case 0:
		w.inbox.before = kill
	case 1:
		w.inbox.after = kill
	case 2:
		var fails atomic.Int64

		fails.Store(int64(random.IntN(3)))

		w.inbox.before = func(context.Context, string, *sender.Notification) error {
			if fails.Add(-1) >= 0 {
				return errors.New("not now")
			}

			return nil
		}
	}

	stop, _ := w.run(d)
	defer stop()

	// Where there is too little to write for it to die of, it ends when all is done.
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()

	for !w.isSettled(w.records()) {
		select {
		case <-dead:
			return
		case <-look.C:
		}
	}
}

// audit compares what was taken and recorded with what was to be, and returns how often something was taken twice.
func (w *world) audit(all []*logv1.AlertRecord, found map[string]delivery.Record) (repeated int64) {
	w.t.Helper()

	ids, contents := map[string]string{}, map[string]*sender.Notification{}

	for _, one := range w.inbox.all() {
		if before := contents[one.n.ID]; before != nil {
			require.True(w.t, equal(before, one.n), "the same content under the same id")
		}

		contents[one.n.ID] = one.n

		for _, t := range one.n.Alerts {
			key := one.receiver + "/" + t.GetTransitionId()

			if id, known := ids[key]; known {
				require.Equal(w.t, id, one.n.ID, "taken twice under another id: %s", key)

				repeated++
			}

			ids[key] = one.n.ID
		}
	}

	for _, r := range all {
		t := r.GetTransition()

		for _, name := range []string{"chat", "page"} {
			if name == "page" && t.GetAlert().GetSeverity() != alertv1.Severity_SEVERITY_CRITICAL {
				continue
			}

			key := name + "/" + t.GetTransitionId()
			d, ok := found[key].(*delivery.Delivery)
			require.True(w.t, ok, "missed: %s", key)

			if d.Skipped != "" {
				require.Equal(w.t, delivery.ReasonNotTold, d.Skipped)

				continue
			}

			n := found[d.Notice].(*delivery.Notice)
			if reason, skipped := n.Skipped[t.GetTransitionId()]; skipped {
				require.Contains(w.t, []string{delivery.ReasonOvertaken, delivery.ReasonNotTold}, reason)

				continue
			}

			require.Equal(w.t, delivery.StatusDelivered, n.Status)
			require.Equal(w.t, n.ID, ids[key], "missed: %s", key)
		}
	}

	return repeated
}
