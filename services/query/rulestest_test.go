package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/query"
)

// nervous rules fire and end often.
const nervous = `kind: rules
rules:
  - {name: any, summary: it is there, severity: info, when: "age_days >= 0"}
  - {name: busy, summary: tickets, severity: critical, when: "tickets_7d >= 2", inhibited_by: [bad]}
  - {name: bad, summary: bad, severity: warning, when: "nps_detractors_7d > nps_promoters_30d"}
  - {name: quiet, summary: no source, severity: critical, on: source, when: silent}
`

// tested is what a test of rules answered.
type tested struct {
	transitions []*alertv1.Transition
	begins      string
	trimmed     []string
	progress    []float64
}

// testRules tests rules with a key.
func (w *world) testRules(key string, req *adminv1.TestRulesRequest) (tested, error) {
	stream, err := w.admin().TestRules(withKey(w.tb.Context(), key), req)
	require.NoError(w.tb, err)

	var got tested

	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			header, err := stream.Header()
			require.NoError(w.tb, err)

			got.trimmed = header.Get("hale-log-trimmed")
			if begins := header.Get("hale-test-begins"); len(begins) > 0 {
				got.begins = begins[0]
			}

			return got, nil
		}

		if err != nil {
			return got, err
		}

		got.transitions = append(got.transitions, r.GetTransitions()...)
		got.progress = append(got.progress, r.GetProgress())
	}
}

// byAccount are transitions as texts, in order, by what they are about.
func byAccount(all []*alertv1.Transition) map[string][]string {
	told := map[string][]string{}

	for _, t := range all {
		about := t.GetAlert().GetAccountId() + "/" + t.GetAlert().GetSource()
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(t)
		if err != nil {
			panic(err)
		}

		told[about] = append(told[about], string(b))
	}

	return told
}

// body is any event of those that the nervous rules look at.
func body(t *rapid.T, account string, i int) *eventv1.Event {
	e := &eventv1.Event{
		MessageId: fmt.Sprintf("m-%d", rapid.IntRange(0, i+3).Draw(t, "id")), AccountId: account, UserId: "u",
		OccurredAt: timestamppb.New(time.Now().Add(-time.Duration(rapid.IntRange(0, 150).Draw(t, "hours")) * time.Hour)),
	}

	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		e.Body = &eventv1.Event_Usage{Usage: &eventv1.Usage{Feature: "report"}}
	case 1:
		e.Body = &eventv1.Event_Ticket{Ticket: &eventv1.Ticket{
			TicketId: fmt.Sprintf("t-%d", i), Action: eventv1.Ticket_ACTION_OPENED, Severity: eventv1.Ticket_SEVERITY_NORMAL,
		}}
	default:
		e.Body = &eventv1.Event_Survey{Survey: &eventv1.Survey{
			Type: eventv1.Survey_TYPE_NPS, Action: eventv1.Survey_ACTION_ANSWERED,
			Score: new(rapid.Int32Range(0, 10).Draw(t, "score")),
		}}
	}

	return e
}

// happen writes a generated log of a workspace.
func (w *world) happen(t *rapid.T, writer *eventlog.Writer, workspace string, records int) {
	for i := range records {
		var items []eventlog.Item

		if rapid.IntRange(0, 9).Draw(t, "what") == 0 {
			for p := range partitions {
				items = append(items, eventlog.Item{Partition: p, Record: &logv1.Record{
					Workspace: workspace, Payload: &logv1.Record_SetSource{SetSource: &logv1.SetSource{
						Source: "ticket", Silent: rapid.Bool().Draw(t, "silent"), LastEventMicros: time.Now().UnixMicro(),
					}},
				}})
			}
		} else {
			account := fmt.Sprintf("account-%d", rapid.IntRange(0, 7).Draw(t, "account"))
			items = []eventlog.Item{{Partition: w.log.Layout().Partition(workspace, account), Record: &logv1.Record{
				Workspace: workspace, Payload: &logv1.Record_Event{Event: body(t, account, i)},
			}}}
		}

		_, err := writer.Write(w.tb.Context(), items)
		require.NoError(t, err)
	}
}

// TestATestOfRulesSaysWhatIsDecided holds a test by the rules in force against what the fold puts into the outbox.
func TestATestOfRulesSaysWhatIsDecided(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	writer := w.writer()
	n, transitions := 0, 0

	rapid.Check(t, func(t *rapid.T) {
		if n++; n > 12 { // all of them go into one log
			return
		}

		workspace := fmt.Sprintf("w-%d", n)
		key := w.newKey(workspace, access.RoleAdmin)

		if rapid.Bool().Draw(t, "own rules") {
			_, err := w.admin().ApplyRules(withKey(w.tb.Context(), key), &adminv1.ApplyRulesRequest{Document: nervous})
			require.NoError(t, err)
		}

		w.happen(t, writer, workspace, rapid.IntRange(1, 40).Draw(t, "records"))

		want := byAccount(w.decided(t, workspace))
		got, err := w.testRules(key, &adminv1.TestRulesRequest{})
		require.NoError(t, err)
		require.Equal(t, want, byAccount(got.transitions))
		require.Empty(t, got.trimmed)
		require.InDelta(t, 1, got.progress[len(got.progress)-1], 0)

		// By another document, from a time on, of one account.
		from, account := timestamppb.Now(), fmt.Sprintf("account-%d", rapid.IntRange(0, 7).Draw(t, "whose"))
		w.happen(t, writer, workspace, 5)

		some, err := w.testRules(key, &adminv1.TestRulesRequest{StartTime: from, AccountIds: []string{account, "nobody"}})
		require.NoError(t, err)

		var late []*alertv1.Transition

		for _, one := range w.decided(t, workspace) {
			if one.GetAlert().GetAccountId() == account && !one.GetAt().AsTime().Before(from.AsTime()) {
				late = append(late, one)
			}
		}

		require.Equal(t, byAccount(late), byAccount(some.transitions))

		transitions += len(got.transitions)
	})
	require.Greater(t, transitions, 20, "the logs decide nothing")
}

func TestATestOfRulesGoesByTheDocument(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.writeEvent(w.writer(), surveyed("m", eventv1.Survey_TYPE_NPS, 3))

	key := w.keys[access.RoleAdmin]
	inForce, err := w.testRules(key, &adminv1.TestRulesRequest{})
	require.NoError(t, err)
	require.Len(t, inForce.transitions, 1)
	require.Equal(t, "detractor", inForce.transitions[0].GetAlert().GetRule(), "of the shipped rules")
	require.Zero(t, inForce.transitions[0].GetAlert().GetRulesVersion())

	begins, err := time.Parse(time.RFC3339, inForce.begins)
	require.NoError(t, err)
	require.Equal(t, inForce.transitions[0].GetAt().AsTime(), begins.UTC(), "the first message")

	other, err := w.testRules(key, &adminv1.TestRulesRequest{Document: nervous})
	require.NoError(t, err)
	require.Len(t, other.transitions, 2)
	require.Equal(t, "any", other.transitions[0].GetAlert().GetRule())
	require.Equal(t, uint64(1), other.transitions[0].GetAlert().GetRulesVersion(), "that which it would get")

	abroad, err := w.testRules(w.newKey("abroad", access.RoleAdmin), &adminv1.TestRulesRequest{Document: nervous})
	require.NoError(t, err)
	require.Empty(t, abroad.transitions, "of another workspace")

	info, err := w.log.Info(t.Context(), 0)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Last, uint64(1), "a test writes nothing")
}

func TestATestOfAWrongDocumentIsRefused(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	_, err := w.testRules(w.keys[access.RoleAdmin], &adminv1.TestRulesRequest{Document: "kind: rules\nrules: [{}]\n"})
	require.Contains(t, requireError(t, err, codes.InvalidArgument, "RULES_INVALID"), "document.rules[0].name")
}

func TestATestOfTooManyAccountsIsRefused(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) { c.RulesTestAccounts = 3 })
	writer := w.writer()

	for i := range 40 {
		w.write(writer, accountID(i))
	}

	_, err := w.testRules(w.keys[access.RoleAdmin], &adminv1.TestRulesRequest{})
	requireError(t, err, codes.ResourceExhausted, "RULES_TEST_TOO_LARGE")
}

func TestOneTestOfRulesAtATime(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	writer := w.writer()

	// Nobody reads what the first test says, so that it goes on until it is canceled: more than gRPC holds for a reader.
	rules := "kind: rules\nrules:\n"
	for i := range 100 {
		rules += fmt.Sprintf("  - {name: any_%d, summary: %q, severity: info, when: \"age_days >= 0\"}\n", i, "it is there")
	}

	for i := range 300 {
		w.write(writer, accountID(i))
	}

	ctx, cancel := context.WithCancel(w.as(access.RoleAdmin))
	stream, err := w.admin().TestRules(ctx, &adminv1.TestRulesRequest{Document: rules})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)

	_, err = w.testRules(w.keys[access.RoleAdmin], &adminv1.TestRulesRequest{})
	requireError(t, err, codes.ResourceExhausted, "RULES_TEST_BUSY")

	_, err = w.testRules(w.newKey("abroad", access.RoleAdmin), &adminv1.TestRulesRequest{})
	require.NoError(t, err, "another workspace does not wait")

	cancel()

	require.Eventually(t, func() bool {
		_, err := w.testRules(w.keys[access.RoleAdmin], &adminv1.TestRulesRequest{})

		return err == nil
	}, patience, 10*time.Millisecond, "a test that was given up makes place for the next")
}
