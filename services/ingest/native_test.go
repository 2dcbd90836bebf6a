package ingest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNativeKinds(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	const at = `"occurred_at":"2026-03-04T05:06:07Z"`

	tests := []struct{ name, id, body, want string }{
		{
			"usage, with members in any order", "u1",
			`{"quantity":1e-6,"feature":"f","time":"2026-03-04T06:00:00.1234567+01:00","user":"u","account":"a","id":"u1","type":"usage"}`,
			`{"message_id":"u1","account_id":"a","user_id":"u","occurred_at":"2026-03-04T05:00:00.123456Z","usage":{"feature":"f","quantity_micros":"1"}}`,
		},
		{
			"login", "l1", `{"type":"login","id":"l1","account":"a","method":"sso","success":false,"user":null,"time":null}`,
			`{"message_id":"l1","account_id":"a",` + at + `,"login":{"method":"sso","success":false}}`,
		},
		{
			"ticket", "t1", `{"type":"ticket","id":"t1","account":"a","ticket":"7","action":"first_reply","severity":"urgent","rating":5}`,
			`{"message_id":"t1","account_id":"a",` + at + `,"ticket":{"ticket_id":"7","action":"ACTION_FIRST_REPLY","severity":"SEVERITY_URGENT","rating":5}}`,
		},
		{
			"survey", "s1", `{"type":"survey","id":"s1","account":"a","survey":"csat","action":"answered","score":6,"scale":7,"comment":"ok"}`,
			`{"message_id":"s1","account_id":"a",` + at + `,"survey":{"type":"TYPE_CSAT","action":"ACTION_ANSWERED","score":6,"scale":7,"comment":"ok"}}`,
		},
		{
			"account", "a1", `{"type":"account","id":"a1","account":"a","name":"A","plan":"p","arr":12.5,"currency":"EUR","seats":5,` +
				`"renewal_date":"2026-12-31","term_days":30,"created_date":"2024-02-29","owner":"o","segment":"s","industry":"i","parent":"p",` +
				`"stage":"steady","churn_date":null,"traits":{"x":"y","n":1.5,"b":true,"gone":null}}`,
			`{"message_id":"a1","account_id":"a",` + at + `,"account":{"name":"A","plan":"p","arr_micros":"12500000","currency":"EUR","seats":"5",` +
				`"renewal_date":"2026-12-31","term_days":30,"created_date":"2024-02-29","owner":"o","segment":"s","industry":"i","parent":"p",` +
				`"stage":"steady","traits":[{"name":"x","text":"y"},{"name":"n","number_micros":"1500000"},{"name":"b","flag":true}],` +
				`"clear":["churn_date","traits.gone"]}}`,
		},
		{
			"user", "p1", `{"type":"user","id":"p1","account":"a","user":"u","role":"champion","name":"U","previous":"anon","traits":{"x":1}}`,
			`{"message_id":"p1","account_id":"a","user_id":"u",` + at + `,"user":{"role":"champion","name":"U","previous_user_id":"anon","traits":[{"name":"x","number_micros":"1000000"}]}}`,
		},
		{
			"interaction", "i1", `{"type":"interaction","id":"i1","account":"a","kind":"business_review","pulse":4,"author":"me","note":"all well"}`,
			`{"message_id":"i1","account_id":"a",` + at + `,"interaction":{"kind":"KIND_BUSINESS_REVIEW","pulse":4,"author":"me","note":"all well"}}`,
		},
	}

	bodies := make([]string, len(tests))
	for i, tc := range tests {
		bodies[i] = tc.body
	}

	a := b.post(events, b.ingest, "["+strings.Join(bodies, ",")+"]")
	require.Equal(t, len(tests), a.Accepted, "%+v", a)
	require.NotNil(t, a.Rejected, "the list is there, empty")

	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b.requireEvent(t, tc.id, tc.want)
		})
	}
}

func TestNativeShapes(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	t.Run("objects one after another", func(t *testing.T) {
		t.Parallel()

		a := b.post(events, b.ingest, usageJSON("")+"\n"+usageJSON("")+" "+usageJSON(`,"x":1`))
		require.Equal(t, 2, a.Accepted)
		require.Equal(t, map[int]Code{2: CodeUnknownField}, a.codes())
	})

	t.Run("an array in which one is not strict", func(t *testing.T) {
		t.Parallel()

		a := b.post(events, b.ingest, "["+usageJSON("")+","+usageJSON(`,"user":1,"user":2`)+",\n"+usageJSON(`,"quantity":2`)+"]")
		require.Equal(t, 2, a.Accepted)
		require.Equal(t, map[int]Code{1: CodeDuplicateKey}, a.codes())
		require.Equal(t, "n1", a.Rejected[0].MessageID)
		require.Equal(t, usageJSON(`,"user":1,"user":2`), string(b.kept(CodeDuplicateKey)[0].Body))
	})

	t.Run("lines, of which some cannot be read", func(t *testing.T) {
		t.Parallel()

		body := usageJSON("") + "\r\n\n" + `{"type":` + "\n" + usageJSON(`,"user":1,"user":2`) + "\n" + usageJSON("") + " x\n" + usageJSON("")
		a := b.post(events, b.ingest, body, header("Content-Type", "application/x-ndjson"))
		require.Equal(t, 2, a.Accepted)
		require.Equal(t, map[int]Code{1: CodeMalformedJSON, 2: CodeDuplicateKey, 3: CodeMalformedJSON}, a.codes())
	})

	t.Run("gzip, a bearer key and curl's content type", func(t *testing.T) {
		t.Parallel()

		a := b.post(events, "", pack(usageJSON("")), header("Content-Encoding", "gzip"),
			header("Authorization", "Bearer "+b.ingest), header("Content-Type", "application/x-www-form-urlencoded"))
		require.Equal(t, http.StatusOK, a.status, "%+v", a)
		require.Equal(t, 1, a.Accepted)
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	a := b.post(events+"?historical=load-1", b.admin, usageJSON(`,"time":"2020-01-01T00:00:00Z"`))
	require.Equal(t, 1, a.Accepted, "%+v", a)
	require.Equal(t, "load-1", b.event("n1").GetHistorical())

	a = b.post(events+"?historical=load-1", b.admin, usageJSON(`,"historical":"load-2"`))
	require.Equal(t, map[int]Code{0: CodeInvalidValue}, a.codes())

	a = b.post(events, b.admin, `{"type":"usage","id":"h2","account":"a","feature":"f","historical":"load-2"}`)
	require.Equal(t, 1, a.Accepted)
	require.Equal(t, "load-2", b.event("h2").GetHistorical())

	a = b.post("/v1/loads/load-1/close", b.admin, "")
	require.Equal(t, http.StatusOK, a.status)

	token, err := b.log.ParseToken(a.Token)
	require.NoError(t, err)

	partitions := 0
	token.Each(func(int, uint64) { partitions++ })
	require.Equal(t, b.log.Layout().Partitions, partitions)

	closed := 0

	for _, r := range b.records() {
		if r.GetCloseLoad().GetHistorical() == "load-1" {
			require.Equal(t, "w", r.GetWorkspace())

			closed++
		}
	}

	require.Equal(t, partitions, closed)
}

func TestSources(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{Sources: []string{"usage", "login"}})
	a := b.post(events, b.ingest, "["+usageJSON("")+`,{"type":"account","id":"x","account":"a","name":"n"}]`)
	require.Equal(t, 1, a.Accepted)
	require.Equal(t, map[int]Code{1: CodeSourceNotServed}, a.codes())

	a = b.post("/v1/group", b.ingest, `{"groupId":"a","messageId":"g"}`)
	require.Equal(t, map[int]Code{0: CodeSourceNotServed}, a.codes())

	// Whoever takes them can have them sent again.
	r, err := NewResender(ResenderDeps{Log: b.log, Writer: b.service.writer, Rejects: b.rejects, Directory: b.directory})
	require.NoError(t, err)

	for _, s := range b.kept(CodeSourceNotServed) {
		_, err = r.Resend(t.Context(), s)
		require.NoError(t, err)
	}

	require.Empty(t, b.kept(CodeSourceNotServed))
	require.Equal(t, "n", b.event("x").GetAccount().GetName())
}
