package query_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/snapshot"
)

// shoot makes a snapshot of a partition as it is after a message.
func (w *world) shoot(t *testing.T, archive *snapshot.Archive, m *eventlog.Message, s *refold) {
	t.Helper()

	info, err := w.log.Info(t.Context(), m.Stream)
	require.NoError(t, err)
	_, err = archive.Create(t.Context(), m.Partition, func(out *snapshot.Writer) (snapshot.Meta, error) {
		for key, value := range s.values {
			require.NoError(t, out.Put(key, value))
		}

		return snapshot.Meta{
			Stream: w.log.Layout().Identity(m.Stream, info), Cursor: m.Sequence, LogTime: s.partition.LogTime,
			LastTime: m.Time, LastHash: m.Hash(), State: s.partition.Encode(), Rules: fold.Rules,
		}, nil
	})
	require.NoError(t, err)
}

// trim removes messages of streams, up to a sequence of each.
func (w *world) trim(t *testing.T, upTo map[int]uint64) {
	t.Helper()

	for stream, sequence := range upTo {
		_, err := w.log.Trim(t.Context(), stream, sequence)
		require.NoError(t, err)
	}
}

// tickets writes tickets of some accounts, several of each.
func (w *world) tickets(writer *eventlog.Writer, from, to int) {
	for i := from; i < to; i++ {
		account := accountID(i % 7)
		_, err := writer.Write(w.tb.Context(), []eventlog.Item{{
			Partition: w.log.Layout().Partition(home, account), Record: &logv1.Record{
				Workspace: home, Payload: &logv1.Record_Event{Event: &eventv1.Event{
					MessageId: accountID(i), AccountId: account, Body: &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{
						TicketId: accountID(i), Action: eventv1.Ticket_ACTION_OPENED, Severity: eventv1.Ticket_SEVERITY_HIGH,
					}},
				}},
			},
		}})
		require.NoError(w.tb, err)
	}
}

// cutAt makes snapshots of all partitions as they are now, and trims the log up to them.
func (w *world) cutAt(t *testing.T, archive *snapshot.Archive) time.Time {
	t.Helper()

	last := map[int]*eventlog.Message{}
	all := w.scored(t, func(m *eventlog.Message, _ *refold) { last[m.Partition] = m })
	upTo, at := map[int]uint64{}, time.Time{}

	for p, m := range last {
		if archive != nil {
			w.shoot(t, archive, m, all[p])
		}

		upTo[m.Stream] = max(upTo[m.Stream], m.Sequence)

		if logged := time.UnixMicro(m.Time); logged.After(at) {
			at = logged
		}
	}

	for _, m := range last { // what the snapshots do not have must stay
		if archive != nil {
			upTo[m.Stream] = min(upTo[m.Stream], m.Sequence)
		}
	}

	w.trim(t, upTo)

	return at
}

func TestATestOfRulesOnATrimmedLogGoesOnFromSnapshots(t *testing.T) {
	t.Parallel()

	w, archive := archived(t)
	key, writer := w.keys[access.RoleAdmin], w.writer()
	_, err := w.admin().ApplyRules(w.as(access.RoleAdmin), &adminv1.ApplyRulesRequest{Document: nervous})
	require.NoError(t, err)
	w.tickets(writer, 0, 10)

	whole, err := w.testRules(key, &adminv1.TestRulesRequest{})
	require.NoError(t, err)
	require.Empty(t, whole.trimmed)

	from := w.cutAt(t, archive).Add(time.Microsecond)

	w.tickets(writer, 10, 30)

	got, err := w.testRules(key, &adminv1.TestRulesRequest{StartTime: timestamppb.New(from)})
	require.NoError(t, err)
	require.Empty(t, got.trimmed, "the snapshots are from before the start")
	require.Equal(t, from.UTC().Format(time.RFC3339Nano), got.begins)

	fired := map[string]int{}
	for _, one := range slices.Concat(whole.transitions, got.transitions) {
		require.Equal(t, alertv1.Transition_KIND_FIRED, one.GetKind())

		fired[one.GetAlert().GetRule()+" "+one.GetAlert().GetAccountId()]++
	}

	require.Len(t, fired, 2*7, "every account fires both rules, once")

	for _, n := range fired {
		require.Equal(t, 1, n)
	}

	unset, err := w.testRules(key, &adminv1.TestRulesRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"true"}, unset.trimmed, "the log has no more than that")
	require.Equal(t, byAccount(got.transitions), byAccount(unset.transitions))

	other, err := w.testRules(key, &adminv1.TestRulesRequest{
		Document: "kind: rules\nrules:\n  - {name: new, summary: new, severity: info, when: tickets_7d >= 4}\n",
	})
	require.NoError(t, err)

	kinds := map[string]int{}
	for _, one := range other.transitions {
		kinds[one.GetAlert().GetRule()+one.GetKind().String()]++
	}

	require.Equal(t, map[string]int{"anyKIND_RESOLVED": 7, "busyKIND_RESOLVED": 3, "newKIND_FIRED": 7}, kinds)
}

func TestATestOfRulesOnATrimmedLogSaysFromWhenOnItCouldLook(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	key, writer := w.keys[access.RoleAdmin], w.writer()
	w.tickets(writer, 0, 7)
	w.cutAt(t, nil)

	last := timestamppb.Now().AsTime()

	w.tickets(writer, 7, 14)

	got, err := w.testRules(key, &adminv1.TestRulesRequest{Document: nervous})
	require.NoError(t, err)
	require.Equal(t, []string{"true"}, got.trimmed)

	begins, err := time.Parse(time.RFC3339, got.begins)
	require.NoError(t, err)
	require.WithinDuration(t, last, begins, patience)

	busy := 0

	for _, one := range got.transitions {
		if one.GetAlert().GetRule() == "busy" {
			busy++
		}
	}

	require.LessOrEqual(t, busy, w.log.Layout().Streams, "but for the last of each stream, which stays, the first tickets are gone")
}
