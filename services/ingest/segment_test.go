package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
)

// requireEvent compares an event of the log with JSON of the proto.
func (b *bundle) requireEvent(t *testing.T, id, want string) {
	t.Helper()

	e := b.event(id)
	require.NotNil(t, e, "not in the log: %s", id)

	got, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(e)
	require.NoError(t, err)
	require.JSONEq(t, want, string(got))
}

func TestSegmentCalls(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	tests := []struct {
		name, path, id, body, want string
	}{
		{
			"track is usage", "/v1/track", "t1",
			`{"messageId":"t1","event":"Report Exported","userId":"u","context":{"groupId":"a"},"properties":{"quantity":2.5,"x":[1]},"timestamp":"2026-03-04T05:00:00.123Z"}`,
			`{"message_id":"t1","account_id":"a","user_id":"u","occurred_at":"2026-03-04T05:00:00.123Z","usage":{"feature":"Report Exported","quantity_micros":"2500000"}}`,
		},
		{
			"a quantity that is no number is none, and an id may be a number", "/v1/t", "t2",
			`{"messageId":"t2","event":"E","userId":17,"groupId":"a","properties":{"quantity":"many"},"unknown":{"a":1}}`,
			`{"message_id":"t2","account_id":"a","user_id":"17","occurred_at":"2026-03-04T05:06:07Z","usage":{"feature":"E"}}`,
		},
		{
			"the clock of the client is corrected by sentAt", "/v1/track", "t3",
			`{"messageId":"t3","event":"E","context":{"groupId":"a"},"timestamp":"2026-03-04T06:00:00Z","sentAt":"2026-03-04T06:06:07Z"}`,
			`{"message_id":"t3","account_id":"a","occurred_at":"2026-03-04T05:00:00Z","usage":{"feature":"E"}}`,
		},
		{
			"the original timestamp counts where it can be corrected", "/v1/track", "t4",
			`{"messageId":"t4","event":"E","context":{"groupId":"a"},"timestamp":"2026-01-01T00:00:00Z","originalTimestamp":"2026-03-04T06:00:00Z","sentAt":"2026-03-04T06:06:07Z"}`,
			`{"message_id":"t4","account_id":"a","occurred_at":"2026-03-04T05:00:00Z","usage":{"feature":"E"}}`,
		},
		{
			"without sentAt the timestamp counts", "/v1/track", "t5",
			`{"messageId":"t5","event":"E","context":{"groupId":"a"},"timestamp":"2026-01-01T00:00:00","originalTimestamp":"2026-03-04T06:00:00Z"}`,
			`{"message_id":"t5","account_id":"a","occurred_at":"2026-01-01T00:00:00Z","usage":{"feature":"E"}}`,
		},
		{
			"a page is usage of category and name", "/v1/page", "p1",
			`{"messageId":"p1","category":"Docs","name":"Index","context":{"groupId":"a"}}`,
			`{"message_id":"p1","account_id":"a","occurred_at":"2026-03-04T05:06:07Z","usage":{"feature":"Docs Index"}}`,
		},
		{
			"a page without name is a visit", "/v1/p", "p2",
			`{"messageId":"p2","properties":{"path":"/accounts/17"},"context":{"groupId":"a"}}`,
			`{"message_id":"p2","account_id":"a","occurred_at":"2026-03-04T05:06:07Z","usage":{"feature":"page"}}`,
		},
		{
			"a screen is usage too", "/v1/screen", "s1",
			`{"messageId":"s1","name":"Home","context":{"groupId":"a"}}`,
			`{"message_id":"s1","account_id":"a","occurred_at":"2026-03-04T05:06:07Z","usage":{"feature":"Home"}}`,
		},
		{
			"identify tells role, name and traits", "/v1/identify", "i1",
			`{"messageId":"i1","userId":"ui","context":{"groupId":"a"},"traits":{"role":"champion","firstName":"Ada","lastName":"L","age":7,"ok":true,"gone":null,"address":{"city":"x"}}}`,
			`{"message_id":"i1","account_id":"a","user_id":"ui","occurred_at":"2026-03-04T05:06:07Z","user":{"role":"champion","name":"Ada L","traits":[{"name":"age","number_micros":"7000000"},{"name":"ok","flag":true},{"name":"address","text":"{\"city\":\"x\"}"}]}}`,
		},
		{
			"group fills the profile", "/v1/group", "g1",
			`{"messageId":"g1","userId":"ug","groupId":"acme","traits":{"name":"Acme","plan":"pro","mrr":"100","currency":"eur","seats":25,"createdAt":"2025-01-02T03:04:05Z","renewal_date":1788220800,"industry":null,"employees":12,"stage":"weird","website":null}}`,
			`{"message_id":"g1","account_id":"acme","user_id":"ug","occurred_at":"2026-03-04T05:06:07Z","account":{"name":"Acme","plan":"pro","arr_micros":"1200000000","currency":"EUR","seats":"25","created_date":"2025-01-02","renewal_date":"2026-09-01","traits":[{"name":"employees","number_micros":"12000000"},{"name":"stage","text":"weird"}],"clear":["industry","traits.website"]}}`,
		},
		{
			"alias merges users", "/v1/alias", "a1",
			`{"messageId":"a1","userId":"new","previousId":"old","context":{"groupId":"a"}}`,
			`{"message_id":"a1","account_id":"a","user_id":"new","occurred_at":"2026-03-04T05:06:07Z","user":{"previous_user_id":"old"}}`,
		},
		{
			"a mapped name is a login", "/v1/track", "m1",
			`{"messageId":"m1","event":"Signed In","userId":"u","context":{"groupId":"a"},"properties":{"method":"sso"}}`,
			`{"message_id":"m1","account_id":"a","user_id":"u","occurred_at":"2026-03-04T05:06:07Z","login":{"method":"sso"}}`,
		},
		{
			"a mapped name is a ticket", "/v1/track", "m2",
			`{"messageId":"m2","event":"Ticket Opened","properties":{"ticketId":77,"priority":"P1"},"context":{"groupId":"a"}}`,
			`{"message_id":"m2","account_id":"a","occurred_at":"2026-03-04T05:06:07Z","ticket":{"ticket_id":"77","action":"ACTION_OPENED","severity":"SEVERITY_URGENT"}}`,
		},
		{
			"a mapped name is a survey", "/v1/track", "m3",
			`{"messageId":"m3","event":"NPS Submitted","userId":"u","properties":{"score":"9","feedback":"nice"},"context":{"groupId":"a"}}`,
			`{"message_id":"m3","account_id":"a","user_id":"u","occurred_at":"2026-03-04T05:06:07Z","survey":{"type":"TYPE_NPS","action":"ACTION_ANSWERED","score":9,"comment":"nice"}}`,
		},
		{
			"a mapped name is a churn, on the event's day", "/v1/track", "m4",
			`{"messageId":"m4","event":"Account Deleted","context":{"groupId":"a"},"timestamp":"2026-02-03T23:00:00Z"}`,
			`{"message_id":"m4","account_id":"a","occurred_at":"2026-02-03T23:00:00Z","account":{"churn_date":"2026-02-03"}}`,
		},
		{
			"a mapped name is a touch", "/v1/track", "m5",
			`{"messageId":"m5","event":"Meeting Held","context":{"groupId":"a"},"properties":{"pulse":4}}`,
			`{"message_id":"m5","account_id":"a","occurred_at":"2026-03-04T05:06:07Z","interaction":{"kind":"KIND_MEETING","pulse":4}}`,
		},
		{
			"names and values may be written with escapes", "/v1/track", "\u00e9\n",
			`{"\u006dessageId":"\u00e9\n","e\u0076ent":"a\"b","context":{"group\u0049d":"a"}}`,
			`{"message_id":"é\n","account_id":"a","occurred_at":"2026-03-04T05:06:07Z","usage":{"feature":"a\"b"}}`,
		},
	}

	for _, tc := range tests {
		a := b.post(tc.path, b.ingest, tc.body)
		require.Equal(t, http.StatusOK, a.status, "%s: %+v", tc.name, a)
		require.Empty(t, a.Rejected, tc.name)
		require.Equal(t, 1, a.Accepted, tc.name)
		require.True(t, *a.Success)

		_, err := b.log.ParseToken(a.Token)
		require.NoError(t, err)
	}

	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b.requireEvent(t, tc.id, tc.want)
		})
	}
}

func TestSegmentBatch(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	t.Run("the context of the batch is under that of each event", func(t *testing.T) {
		t.Parallel()

		a := b.post("/v1/batch", b.ingest, `{"batch":[
			{"type":"track","messageId":"b1","event":"E"},
			{"type":"track","messageId":"b2","event":"E","context":{"groupId":"own"}},
			{"type":"page","messageId":"b3"}],
			"sentAt":"2026-03-04T05:06:07Z","context":{"groupId":"all","traits":{"x":1}}}`)
		require.Equal(t, 3, a.Accepted)
		require.Equal(t, "all", b.event("b1").GetAccountId())
		require.Equal(t, "own", b.event("b2").GetAccountId())
		require.Equal(t, "page", b.event("b3").GetUsage().GetFeature())
	})

	t.Run("bad events are named and kept, good ones go on", func(t *testing.T) {
		t.Parallel()

		a := b.post("/v1/b", b.ingest, `{"context":{"groupId":"x"},"batch":[
			{"type":"track","messageId":"c0","event":"E"},
			{"type":"track","messageId":"c1"},
			7,
			{"type":"dance","messageId":"c3"},
			{"messageId":"c4"},
			{"type":"track","messageId":"c5","event":"E","properties":{"quantity":-1}},
			{"type":"track","messageId":"c6","event":"E"}]}`)
		require.Equal(t, 2, a.Accepted)
		require.Equal(t, map[int]Code{
			1: CodeRequired, 2: CodeInvalidType, 3: CodeUnknownType, 4: CodeRequired, 5: CodeOutOfRange,
		}, a.codes())
		require.Equal(t, "c5", a.Rejected[4].MessageID)
		require.Equal(t, "properties.quantity", a.Rejected[4].Field)
		require.NotNil(t, b.event("c0"))
		require.NotNil(t, b.event("c6"))

		kept := b.kept(CodeUnknownType)
		require.Len(t, kept, 1)
		require.JSONEq(t, `{"type":"dance","messageId":"c3"}`, string(kept[0].Body))
		require.Equal(t, "segment", kept[0].Origin)
	})

	t.Run("what is not strict JSON is refused alone", func(t *testing.T) {
		t.Parallel()

		a := b.post("/v1/batch", b.ingest, `{"context":{"groupId":"x"},"batch":[
			{"type":"track","messageId":"d0","event":"E"},
			{"type":"track","messageId":"d1","event":"E","event":"F"},
			{"type":"track","messageId":"d2","event":"`+"\xff"+`"},
			{"type":"track","messageId":"d3","event":"E","properties":{"a":{"b":1,"b":2}}},
			{"type":"track","messageId":"d4","event":"E"}]}`)
		require.Equal(t, 2, a.Accepted)
		require.Equal(t, map[int]Code{1: CodeDuplicateKey, 2: CodeInvalidUTF8, 3: CodeDuplicateKey}, a.codes())
		require.Equal(t, "properties.a.b", a.Rejected[2].Field)
		require.Equal(t, "d3", a.Rejected[2].MessageID)
	})

	t.Run("the surplus of a batch is refused by index", func(t *testing.T) {
		t.Parallel()

		var events []string
		for i := range 2502 {
			events = append(events, fmt.Sprintf(`{"type":"track","messageId":"e%d","event":"E","groupId":"a"}`, i))
		}

		a := b.post("/v1/batch", b.ingest, `{"batch":[`+strings.Join(events, ",")+`]}`)
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, 2500, a.Accepted)
		require.Equal(t, map[int]Code{2500: CodeTooManyEvents, 2501: CodeTooManyEvents}, a.codes())
	})

	t.Run("an event over 32 KB is refused by index", func(t *testing.T) {
		t.Parallel()

		a := b.post("/v1/batch", b.ingest, `{"context":{"groupId":"x"},"batch":[
			{"type":"track","messageId":"f0","event":"E","properties":{"x":"`+strings.Repeat("x", 33000)+`"}},
			{"type":"track","messageId":"f1","event":"E"}]}`)
		require.Equal(t, map[int]Code{0: CodeEventTooLarge}, a.codes())
		require.Equal(t, 1, a.Accepted)
	})

	t.Run("an event without id gets one", func(t *testing.T) {
		t.Parallel()

		a := b.post("/v1/batch", b.ingest, `{"context":{"groupId":"no id"},"batch":[{"type":"track","event":"E"}]}`)
		require.Equal(t, 1, a.Accepted)

		for _, r := range b.records() {
			if e := r.GetEvent(); e.GetAccountId() == "no id" {
				require.True(t, strings.HasPrefix(e.GetMessageId(), "hale-"))
				require.Equal(t, "w", r.GetWorkspace())
				require.Equal(t, "segment", r.GetOrigin())
			}
		}
	})

	t.Run("an empty batch is taken, with nothing to tell", func(t *testing.T) {
		t.Parallel()

		a := b.post("/v1/batch", b.ingest, `{"batch":[]}`)
		require.Equal(t, http.StatusOK, a.status)
		require.Empty(t, a.Token)
	})

	t.Run("a try again does not multiply what is kept", func(t *testing.T) {
		t.Parallel()

		body := `{"batch":[{"type":"alias","messageId":"again","userId":"u"}]}`
		for range 3 {
			b.post("/v1/batch", b.ingest, body)
		}

		n := 0

		for _, s := range b.kept(CodeRequired) {
			if s.MessageID == "again" {
				n++
			}
		}

		require.Equal(t, 1, n)
	})
}
