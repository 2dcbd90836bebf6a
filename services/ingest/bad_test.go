package ingest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badCase is a request that is wrong somewhere. Its message ids end in the marks that make them unlike other cases'.
type badCase struct {
	name   string
	path   string
	key    string // i: ingest, q: query, a: admin, x: unknown, empty: none; default: ingest
	body   string
	header [2]string

	status int
	code   Code // of the request
	// event is the code of the first refused event, field its field.
	event Code
	field string
}

func pack(s string) string {
	var buf bytes.Buffer

	w := gzip.NewWriter(&buf)
	_, _ = w.Write([]byte(s))
	_ = w.Close()

	return buf.String()
}

// usageJSON is a good event of native JSON with some members replaced or added.
func usageJSON(more string) string {
	return `{"type":"usage","id":"n1","account":"a","feature":"f"` + more + `}`
}

const (
	events = "/v1/events"
	track  = "/v1/track"
	batch  = "/v1/batch"
)

// repeated joins n copies of an event to an array.
func repeated(event string, n int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + "]"
}

var noHeader [2]string

func unreadableCases() []badCase {
	nested := strings.Repeat("[", 100_000)
	gz := [2]string{"Content-Encoding", "gzip"}

	return []badCase{
		{"truncated JSON", events, "i", `[{"type":"usage"`, noHeader, 400, CodeMalformedJSON, "", ""},
		{"truncated JSON, Segment", batch, "i", `{"batch":[{"type":"track"`, noHeader, 400, CodeMalformedJSON, "", ""},
		{"an empty body", events, "i", ``, noHeader, 400, CodeEmptyBatch, "", ""},
		{"an empty body, Segment", track, "i", ``, noHeader, 400, CodeMalformedJSON, "", ""},
		{"100k nested brackets", events, "i", nested, noHeader, 400, CodeMalformedJSON, "", ""},
		{"100k nested brackets in a batch", batch, "i", `{"batch":` + nested, noHeader, 400, CodeMalformedJSON, "", ""},
		{"100k nested objects", batch, "i", strings.Repeat(`{"a":`, 80_000), noHeader, 400, CodeMalformedJSON, "", ""},
		{"NaN", events, "i", usageJSON(`,"quantity":NaN`), noHeader, 400, CodeMalformedJSON, "", ""},
		{"Infinity", track, "i", `{"event":"E","properties":{"quantity":-Infinity}}`, noHeader, 400, CodeMalformedJSON, "", ""},
		{"a comma too many", events, "i", `[` + usageJSON("") + `,]`, noHeader, 400, CodeMalformedJSON, "", ""},
		{"a control character in a string", events, "i", usageJSON(",\"user\":\"a\nb\""), noHeader, 400, CodeMalformedJSON, "", ""},
		{"more after the value", track, "i", `{"event":"E"} x`, noHeader, 400, CodeMalformedJSON, "", ""},
		{"a batch that is none", batch, "i", `{"batch":{}}`, noHeader, 400, CodeInvalidType, "", ""},
		{"a batch that is an array", batch, "i", `[]`, noHeader, 400, CodeInvalidType, "", ""},
		{"two batches", batch, "i", `{"batch":[],"batch":[]}`, noHeader, 400, CodeMalformedJSON, "", ""},
		{"a batch with two keys", batch, "i", `{"writeKey":"a","writeKey":"b","batch":[]}`, noHeader, 400, CodeDuplicateKey, "", ""},
		{"an empty array", events, "i", `[]`, noHeader, 400, CodeEmptyBatch, "", ""},
		{"10,001 events", events, "i", repeated(`{}`, 10_001), noHeader, 413, CodeTooManyEvents, "", ""},
		{"10,001 lines", events, "i", strings.Repeat("{}\n", 10_001), [2]string{"Content-Type", "application/x-ndjson"}, 413, CodeTooManyEvents, "", ""},
		{"over 4 MiB", events, "i", strings.Repeat(" ", 4<<20+1), noHeader, 413, CodeRequestTooLarge, "", ""},
		{"over 500 KB", batch, "i", strings.Repeat(" ", 500<<10+1), noHeader, 400, CodeRequestTooLarge, "", ""},
		{"an event over 32 KB", track, "i", strings.Repeat(" ", 32<<10+1), noHeader, 400, CodeRequestTooLarge, "", ""},
		{"a gzip bomb", events, "i", pack(strings.Repeat(" ", 64<<20)), gz, 413, CodeRequestTooLarge, "", ""},
		{"a gzip bomb, Segment", batch, "i", pack(strings.Repeat(" ", 64<<20)), gz, 400, CodeRequestTooLarge, "", ""},
		{"a bomb of empty gzip members", batch, "i", strings.Repeat(pack(""), 50_000), gz, 400, CodeRequestTooLarge, "", ""},
		{"no gzip", events, "i", usageJSON(""), gz, 400, CodeMalformedGzip, "", ""},
		{"gzip cut short", events, "i", pack(usageJSON(""))[:40], gz, 400, CodeMalformedGzip, "", ""},
		{"an unknown encoding", events, "i", usageJSON(""), [2]string{"Content-Encoding", "br"}, 415, CodeUnsupportedEncoding, "", ""},
		{"an unknown encoding, Segment", track, "i", `{}`, [2]string{"Content-Encoding", "br"}, 400, CodeUnsupportedEncoding, "", ""},
		{"a wrong content type", events, "i", usageJSON(""), [2]string{"Content-Type", "application/xml"}, 415, CodeUnsupportedType, "", ""},
		{"a wrong content type, Segment", track, "i", `{}`, [2]string{"Content-Type", "image/png"}, 400, CodeUnsupportedType, "", ""},
		{"a wrong charset", events, "i", usageJSON(""), [2]string{"Content-Type", "application/json; charset=utf-16"}, 415, CodeUnsupportedType, "", ""},
		{"a form without JSON", track, "i", "a=b", [2]string{"Content-Type", "application/x-www-form-urlencoded"}, 400, CodeMalformedForm, "", ""},
		{"a form that is none", track, "i", "data=%zz", [2]string{"Content-Type", "application/x-www-form-urlencoded"}, 400, CodeMalformedForm, "", ""},
		{"no such address", "/v1/nothing", "i", `{}`, noHeader, 404, CodeNotFound, "", ""},
		{"no such load id", "/v1/loads/a%20b/close", "a", ``, noHeader, 400, CodeInvalidLoad, "", ""},
		{"a load id that is none", events + "?historical=a.b", "a", usageJSON(""), noHeader, 400, CodeInvalidLoad, "", ""},
	}
}

func keyCases() []badCase {
	return []badCase{
		{"no key", events, "", usageJSON(""), noHeader, 401, CodeKeyMissing, "", ""},
		{"no key, Segment", track, "", `{"event":"E"}`, noHeader, 401, CodeKeyMissing, "", ""},
		{"a wrong key", events, "x", usageJSON(""), noHeader, 401, CodeKeyUnknown, "", ""},
		{"a wrong key, Segment", track, "x", `{"event":"E"}`, noHeader, 401, CodeKeyUnknown, "", ""},
		{"a wrong key in the body", batch, "", `{"writeKey":"nope","batch":[]}`, noHeader, 401, CodeKeyUnknown, "", ""},
		{"a query key", events, "q", usageJSON(""), noHeader, 403, CodeKeyWrongKind, "", ""},
		{"a query key, Segment", track, "q", `{"event":"E"}`, noHeader, 401, CodeKeyWrongKind, "", ""},
		{"history with an ingest key", events, "i", usageJSON(`,"historical":"l1"`), noHeader, 403, CodeAdminKeyRequired, "", ""},
		{"a load with an ingest key", events + "?historical=l1", "i", usageJSON(""), noHeader, 403, CodeAdminKeyRequired, "", ""},
		{"the end of a load with an ingest key", "/v1/loads/l1/close", "i", ``, noHeader, 403, CodeAdminKeyRequired, "", ""},
	}
}

func eventCases() []badCase {
	long := strings.Repeat("x", 257)
	survey := `{"type":"survey","id":"s","account":"a","survey":"nps","action":"answered"`
	account := `{"type":"account","id":"p","account":"a",`

	return []badCase{
		{"1e400", events, "i", usageJSON(`,"quantity":1e400`), noHeader, 200, "", CodeOutOfRange, "quantity"},
		{"1e400, Segment", track, "i", `{"event":"E","groupId":"a","properties":{"quantity":1e400}}`, noHeader, 200, "", CodeOutOfRange, "properties.quantity"},
		{"a negative quantity", events, "i", usageJSON(`,"quantity":-1`), noHeader, 200, "", CodeOutOfRange, "quantity"},
		{"a quantity beyond 10^9", events, "i", usageJSON(`,"quantity":1000000000.000001`), noHeader, 200, "", CodeOutOfRange, "quantity"},
		{"a quantity in quotes", events, "i", usageJSON(`,"quantity":"1"`), noHeader, 200, "", CodeInvalidType, "quantity"},
		{"duplicate keys", events, "i", usageJSON(`,"feature":"g"`), noHeader, 200, "", CodeDuplicateKey, "feature"},
		{"duplicate keys, one escaped", track, "i", `{"event":"E","\u0065vent":"F"}`, noHeader, 200, "", CodeDuplicateKey, "event"},
		{"invalid UTF-8", events, "i", usageJSON(`,"user":"` + "\xff" + `"`), noHeader, 200, "", CodeInvalidUTF8, "user"},
		{"half a surrogate", track, "i", `{"event":"\ud800"}`, noHeader, 200, "", CodeInvalidUTF8, "event"},
		{"NUL in the account", events, "i", `{"type":"usage","id":"n","account":"a\u0000","feature":"f"}`, noHeader, 200, "", CodeInvalidID, "account"},
		{"NUL in the message id", track, "i", `{"event":"E","groupId":"a","messageId":"\u0000"}`, noHeader, 200, "", CodeInvalidID, "messageId"},
		{"NUL in the user", events, "i", usageJSON(`,"user":"\u0000"`), noHeader, 200, "", CodeInvalidID, "user"},
		{"an id too long", events, "i", `{"type":"usage","id":"` + long + `","account":"a","feature":"f"}`, noHeader, 200, "", CodeTooLong, "id"},
		{"a feature too long", track, "i", `{"event":"` + long + `","groupId":"a"}`, noHeader, 200, "", CodeTooLong, "event"},
		{"no message id", events, "i", `{"type":"usage","account":"a","feature":"f"}`, noHeader, 200, "", CodeRequired, "id"},
		{"no feature", events, "i", `{"type":"usage","id":"n","account":"a"}`, noHeader, 200, "", CodeRequired, "feature"},
		{"no type", events, "i", `{"id":"n","account":"a"}`, noHeader, 200, "", CodeRequired, "type"},
		{"an unknown type", events, "i", `{"type":"dance","id":"n","account":"a"}`, noHeader, 200, "", CodeUnknownType, "type"},
		{"an unknown field", events, "i", usageJSON(`,"colour":1`), noHeader, 200, "", CodeUnknownField, "colour"},
		{"an unknown field that is null", events, "i", usageJSON(`,"colour":null`), noHeader, 200, "", CodeUnknownField, "colour"},
		{"an event that is a number", events, "i", `[7]`, noHeader, 200, "", CodeInvalidType, ""},
		{"neither account nor user", events, "i", `{"type":"usage","id":"n","feature":"f"}`, noHeader, 200, "", CodeMissingAccount, "account"},
		{"only an anonymous id", track, "i", `{"event":"E","anonymousId":"anon"}`, noHeader, 200, "", CodeMissingAccount, "context.groupId"},
		{"an unknown user", track, "i", `{"event":"E","userId":"nobody"}`, noHeader, 200, "", CodeUnknownUser, "userId"},
		{"identify without user", "/v1/identify", "i", `{"anonymousId":"x","groupId":"a"}`, noHeader, 200, "", CodeRequired, "userId"},
		{"group without group", "/v1/group", "i", `{"userId":"x"}`, noHeader, 200, "", CodeRequired, "groupId"},
		{"alias without previous user", "/v1/alias", "i", `{"userId":"x","groupId":"a"}`, noHeader, 200, "", CodeRequired, "previousId"},
		{"track without name", track, "i", `{"userId":"x","groupId":"a"}`, noHeader, 200, "", CodeRequired, "event"},
		{"properties that are a list", track, "i", `{"event":"E","groupId":"a","properties":[]}`, noHeader, 200, "", CodeInvalidType, "properties"},
		{"a user that is an object", track, "i", `{"event":"E","groupId":"a","userId":{}}`, noHeader, 200, "", CodeInvalidType, "userId"},
		{"year 9999", events, "i", usageJSON(`,"time":"9999-12-31T23:59:59Z"`), noHeader, 200, "", CodeInFuture, "time"},
		{"year 9999, Segment", track, "i", `{"event":"E","groupId":"a","timestamp":"9999-12-31T23:59:59Z"}`, noHeader, 200, "", CodeInFuture, "timestamp"},
		{"sent in the year 9999", track, "i", `{"event":"E","groupId":"a","timestamp":"2026-01-01T00:00:00Z","sentAt":"9999-12-31T23:59:59Z"}`, noHeader, 200, "", CodeOutOfRange, "timestamp"},
		{"a time before 1970", events, "i", usageJSON(`,"time":"1969-12-31T23:59:59Z"`), noHeader, 200, "", CodeOutOfRange, "time"},
		{"a time that is none", events, "i", usageJSON(`,"time":"2026-02-30T00:00:00Z"`), noHeader, 200, "", CodeInvalidTime, "time"},
		{"a timestamp that is a number", track, "i", `{"event":"E","groupId":"a","timestamp":1772600767}`, noHeader, 200, "", CodeInvalidTime, "timestamp"},
		{"a score outside its scale", events, "i", survey + `,"score":11}`, noHeader, 200, "", CodeOutOfRange, "score"},
		{"an answer without score", events, "i", survey + `}`, noHeader, 200, "", CodeRequired, "score"},
		{"a scale that the survey has not", events, "i", survey + `,"score":1,"scale":7}`, noHeader, 200, "", CodeInvalidValue, "scale"},
		{"half a score", events, "i", survey + `,"score":1.5}`, noHeader, 200, "", CodeInvalidValue, "score"},
		{"an unknown severity", events, "i", `{"type":"ticket","id":"t","account":"a","ticket":"1","action":"opened","severity":"bad"}`, noHeader, 200, "", CodeInvalidValue, "severity"},
		{"an unknown priority, Segment", track, "i", `{"event":"Ticket Opened","groupId":"a","properties":{"id":"1","priority":"bad"}}`, noHeader, 200, "", CodeInvalidValue, "properties.priority"},
		{"a ticket without action", events, "i", `{"type":"ticket","id":"t","account":"a","ticket":"1"}`, noHeader, 200, "", CodeRequired, "action"},
		{"a rating of 6", events, "i", `{"type":"ticket","id":"t","account":"a","ticket":"1","action":"updated","rating":6}`, noHeader, 200, "", CodeOutOfRange, "rating"},
		{"an interaction of nothing", events, "i", `{"type":"interaction","id":"t","account":"a"}`, noHeader, 200, "", CodeRequired, "kind"},
		{"a day that the calendar has not", events, "i", account + `"renewal_date":"2026-02-30"}`, noHeader, 200, "", CodeInvalidTime, "renewal_date"},
		{"a currency that is none", events, "i", account + `"currency":"euro"}`, noHeader, 200, "", CodeInvalidValue, "currency"},
		{"negative seats", "/v1/group", "i", `{"groupId":"a","traits":{"seats":-1}}`, noHeader, 200, "", CodeOutOfRange, "traits.seats"},
		{"a trait that is a list", events, "i", account + `"traits":{"x":[]}}`, noHeader, 200, "", CodeInvalidType, "traits.x"},
		{"101 traits", events, "i", account + `"traits":{` + manyTraits(101) + `}}`, noHeader, 200, "", CodeTooMany, "traits"},
		{"a load id that is none", events, "a", usageJSON(`,"historical":"a.b"`), noHeader, 200, "", CodeInvalidValue, "historical"},
	}
}

func manyTraits(n int) string {
	traits := make([]string, n)
	for i := range traits {
		traits[i] = fmt.Sprintf(`"t%d":%d`, i, i)
	}

	return strings.Join(traits, ",")
}

func TestBadInput(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	cases := append(append(unreadableCases(), keyCases()...), eventCases()...)
	require.GreaterOrEqual(t, len(cases), 40)

	run := func(c badCase) *answerOf {
		key := map[string]string{"i": b.ingest, "q": b.query, "a": b.admin, "x": "hale_ingest_wrong"}[c.key]

		var options []func(*http.Request)
		if c.header != noHeader {
			options = append(options, header(c.header[0], c.header[1]))
		}

		return b.post(c.path, key, c.body, options...)
	}

	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()

			a := run(c)
			require.Equal(t, c.status, a.status, "%+v", a)
			require.Equal(t, c.code, a.Code, a.Message)

			if c.event == "" {
				require.Empty(t, a.Rejected)
				require.NotEmpty(t, a.Message)

				return
			}

			require.Len(t, a.Rejected, 1)
			require.Equal(t, c.event, a.Rejected[0].Code, "%+v", a.Rejected[0])
			require.Equal(t, c.field, a.Rejected[0].Field, "%+v", a.Rejected[0])
			require.NotEmpty(t, a.Rejected[0].Message)
			require.Zero(t, a.Accepted)
		})
	}

	t.Run("a method that is not allowed", func(t *testing.T) {
		t.Parallel()

		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+events, http.NoBody)
		require.NoError(t, err)

		a := b.do(req)
		require.Equal(t, http.StatusMethodNotAllowed, a.status)
		require.Equal(t, CodeMethodNotAllowed, a.Code)
		require.Equal(t, http.MethodPost, a.header.Get("Allow"))
	})
}

func TestOddIDsAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	for i, id := range []string{"a.b", "*", ">", "{}", "{tag}", "a b", "ünï", "../x", "'\";--", "\u202e", "\n\t"} {
		mark := fmt.Sprint("odd", i)
		body := fmt.Sprintf(`{"type":"usage","id":%q,"account":%q,"user":%q,"feature":%q}`, mark, id, id, id)
		a := b.post(events, b.ingest, body)
		require.Equal(t, 1, a.Accepted, "%q: %+v", id, a)
		require.Equal(t, id, b.event(mark).GetAccountId())
		require.Equal(t, id, b.event(mark).GetUserId())
	}
}

// TestMemoryStaysBounded is not parallel: it looks at the process's heap.
func TestMemoryStaysBounded(t *testing.T) { //nolint:paralleltest // see above
	b := newBundle(t, Config{})
	bodies := []badCase{
		{path: events, body: pack(strings.Repeat(" ", 64<<20)), header: [2]string{"Content-Encoding", "gzip"}},
		{path: events, body: strings.Repeat("[", 100_000)},
		{path: events, body: repeated(`{}`, 1_000_000)},
		{path: batch, body: `{"batch":` + repeated(`7`, 3_000) + `}`},
		{path: events, body: `[` + strings.Repeat(`{"traits":{}},`, 900) + `{}]`},
	}

	var before, after runtime.MemStats

	runtime.GC()
	runtime.ReadMemStats(&before)

	for range 3 {
		for _, c := range bodies {
			var options []func(*http.Request)
			if c.header != noHeader {
				options = append(options, header(c.header[0], c.header[1]))
			}

			require.NotEqual(t, http.StatusInternalServerError, b.post(c.path, b.ingest, c.body, options...).status)
		}
	}

	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc, before.HeapAlloc+64<<20)
	require.Less(t, after.Sys, before.Sys+512<<20)
	require.Equal(t, int64(256<<20), b.service.budget.left.Load(), "every body is given back")
}
