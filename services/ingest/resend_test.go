package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/reject"
)

func TestResend(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	r := b.service.resender

	t.Run("what is still wrong is refused again, and stays", func(t *testing.T) {
		t.Parallel()
		b.post(events, b.ingest, usageJSON(`,"quantity":-1`))

		kept := b.kept(CodeOutOfRange)
		require.Len(t, kept, 1)

		_, err := r.Resend(t.Context(), kept[0])

		var refused *RefusedError

		require.ErrorAs(t, err, &refused)
		require.Equal(t, CodeOutOfRange, refused.Code)
		require.Equal(t, "quantity", refused.Field)
		require.ErrorContains(t, err, "out_of_range")
		require.Len(t, b.kept(CodeOutOfRange), 1)

		st := status.Convert(err)
		require.Equal(t, codes.FailedPrecondition, st.Code())
		info, ok := st.Details()[0].(*errdetails.ErrorInfo)
		require.True(t, ok)
		require.Equal(t, "OUT_OF_RANGE", info.GetReason())
	})

	t.Run("a body that a later version can decode goes", func(t *testing.T) {
		t.Parallel()

		for i, s := range []reject.Reject{
			{Origin: "native", Body: []byte(usageJSON(`,"time":"2026-03-04T00:00:00Z"`))},
			{Origin: "segment", Body: []byte(`{"type":"track","messageId":"seg","event":"E","groupId":"a","timestamp":"2026-03-04T00:00:00Z"}`)},
		} {
			s.ID, s.Workspace, s.Code = string(rune('a'+i)), "w", "some_code"
			require.NoError(t, b.rejects.Put(t.Context(), s))
		}

		for _, s := range b.kept("some_code") {
			token, err := r.Resend(t.Context(), s)
			require.NoError(t, err)
			require.NotEmpty(t, token.String())
		}

		require.Empty(t, b.kept("some_code"))
		require.NotNil(t, b.event("n1"))
		require.NotNil(t, b.event("seg"))
	})

	t.Run("a body that nobody can decode is refused", func(t *testing.T) {
		t.Parallel()

		for _, s := range []reject.Reject{
			{Origin: "native", Body: []byte(`{`)},
			{Origin: "native", Body: []byte(usageJSON("") + usageJSON(""))},
			{Origin: "segment", Body: []byte(`[`)},
			{Origin: "segment", Body: []byte(`{"event":"E"}`)},
			{Origin: "grpc"},
		} {
			s.Workspace = "w"
			_, err := r.Resend(t.Context(), reject.Stored{Reject: s})

			var refused *RefusedError

			require.ErrorAs(t, err, &refused)
		}

		_, err := r.Resend(t.Context(), reject.Stored{Reject: reject.Reject{Record: []byte{0xff}}})
		require.ErrorContains(t, err, "decoding")
	})

	t.Run("half of an event is never sent", func(t *testing.T) {
		t.Parallel()
		b.post(track, b.ingest, `{"messageId":"half","event":"Ticket Opened","groupId":"a","properties":{"id":"1","priority":"bad"}}`)

		for _, s := range b.kept(CodeInvalidValue) {
			require.Empty(t, s.Record)
		}
	})
}
