package ingest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// requireSound checks what must hold of everything that decoders make, whatever came in: an event that is not refused
// can be written, and one that is can be kept and answered.
func requireSound(t *testing.T, origin string, entries []entry) {
	t.Helper()

	c, err := newChecker()
	require.NoError(t, err)

	r := &request{workspace: "w", origin: origin, arrival: now}

	for i := range entries {
		e := &entries[i]
		if e.bad == nil {
			require.NotNil(t, e.event)

			if e.event.GetAccountId() == "" {
				e.event.AccountId = anyAccount
			}

			e.bad = c.check(e.event, now)
		}

		if e.bad == nil {
			data, err := proto.Marshal(r.record(e))
			require.NoError(t, err)
			require.Less(t, len(data), 1<<20)

			continue
		}

		require.NotEmpty(t, e.bad.code)
		require.NotEmpty(t, e.bad.message)

		kept, err := r.reject(e)
		require.NoError(t, err)
		require.NotEmpty(t, kept.ID)

		_, err = json.Marshal(refusals(&result{rejected: []rejection{r.rejection(i, e)}}))
		require.NoError(t, err)
	}
}

func FuzzSegmentBatch(f *testing.F) {
	f.Add([]byte(nodeBatch(2, 1)))
	f.Add([]byte(`{"batch":[{"type":"group","groupId":"a","userId":"u","traits":{"mrr":-1e11,"seats":"7","createdAt":1e300,"x":{"y":[null]}}}]}`))
	f.Add([]byte(`{"batch":[{"type":"track","event":"NPS Submitted","groupId":7,"properties":{"score":"x"}},{"event":"\ud800"},0],"context":[]}`))

	m, err := loadMapping("")
	require.NoError(f, err)

	f.Fuzz(func(t *testing.T, body []byte) {
		cs, p := parseBatch(body)
		if p != nil {
			require.Equal(t, 400, p.Status)

			return
		}

		sg := segment{mapping: m, arrival: now}
		requireSound(t, originSegment, sg.entries(cs))
	})
}

func FuzzSegmentCall(f *testing.F) {
	f.Add([]byte(`{"type":"identify","userId":"u","groupId":"a","traits":{"role":null,"name":5,"firstName":"x"},"timestamp":"2026-01-01","sentAt":"x"}`))
	f.Add([]byte(`{"type":"alias","userId":"u","previousId":"p","context":{"groupId":{}}}`))

	m, err := loadMapping("")
	require.NoError(f, err)

	f.Fuzz(func(t *testing.T, body []byte) {
		if cs, p := parseCall(body, ""); p == nil {
			sg := segment{mapping: m, arrival: now}
			requireSound(t, originSegment, sg.entries(cs))
		}
	})
}

func FuzzNative(f *testing.F) {
	f.Add([]byte(nativeBatch(2)))
	f.Add([]byte(usageJSON("") + "\n" + usageJSON(`,"user":1,"user":2`)))
	f.Add([]byte(`[{"type":"account","id":"a","account":"a","arr":1e11,"traits":{"a":1,"b":null},"plan":null},[[]],"\ud800"]`))
	f.Add([]byte(`{"type":"survey","id":"a","account":"a","survey":"nps","action":"answered","score":1e1}`))

	f.Fuzz(func(t *testing.T, body []byte) {
		n := native{arrival: now}
		if p := n.parse(body); p == nil {
			requireSound(t, originNative, n.entries)
		}
	})
}

func FuzzNativeLines(f *testing.F) {
	f.Add([]byte(usageJSON("") + "\r\n{\n\n" + usageJSON("") + "7"))

	f.Fuzz(func(t *testing.T, body []byte) {
		n := native{arrival: now}
		if p := n.lines(body); p == nil {
			requireSound(t, originNative, n.entries)
		}
	})
}

func FuzzMapping(f *testing.F) {
	f.Add(shippedMapping, []byte(nodeBatch(1, 1)))
	f.Add([]byte("version: 1\nevents:\n  - names: [E]\n    kind: account\n    set: {seats: 1.5}\n"), []byte(`{}`))

	f.Fuzz(func(t *testing.T, doc, body []byte) {
		m, err := parseMapping(doc)
		if err != nil {
			require.ErrorIs(t, err, errMapping)

			return
		}

		if cs, p := parseCall(body, "track"); p == nil {
			sg := segment{mapping: m, arrival: now}
			requireSound(t, originSegment, sg.entries(cs))
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("data=eyJhIjoxfQ%3D%3D"))
	f.Add([]byte("data=%7B%7D&x=1"))
	f.Add([]byte(`{"a":1}`))

	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := formJSON(data)
		if err != nil {
			require.Equal(t, CodeMalformedForm, asProblem(err).Code)

			return
		}

		require.LessOrEqual(t, len(out), len(data))
	})
}
