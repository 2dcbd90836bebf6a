package query

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/vanguard"
	"google.golang.org/protobuf/proto"

	"hale.dev/services/internal/reason"
)

// connectVersion is the header by which Connect's clients say what they speak.
const connectVersion = "Connect-Protocol-Version"

// plain lets people with curl in: a POST of JSON without Connect's own headers is taken for Connect, which it is
// but for them. What the transcoder does not speak is told so.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(rw, r)

			return
		}

		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))

		switch {
		case err != nil:
		case kind == "application/json", kind == "application/proto":
			r.Header.Set("Content-Type", kind) // a charset says nothing about JSON

			if r.Header.Get(connectVersion) == "" {
				r.Header.Set(connectVersion, "1")
			}

			next.ServeHTTP(rw, r)

			return
		case spoken(kind):
			next.ServeHTTP(rw, r)

			return
		}

		http.Error(rw, "send content-type: application/json", http.StatusUnsupportedMediaType)
	})
}

// spoken reports whether the transcoder knows a content type.
func spoken(kind string) bool {
	sub, ok := strings.CutPrefix(kind, "application/")

	return ok && (sub == "grpc" || sub == "grpc-web" || strings.HasPrefix(sub, "grpc+") ||
		strings.HasPrefix(sub, "grpc-web+") || strings.HasPrefix(sub, "connect+"))
}

// jsonCodec reads and writes JSON as the transcoder does, and tells callers when what they sent is not JSON.
type jsonCodec struct{ *vanguard.JSONCodec }

// newJSONCodec makes a codec.
func newJSONCodec(types vanguard.TypeResolver) vanguard.Codec {
	return jsonCodec{vanguard.NewJSONCodec(types)}
}

// Unmarshal implements vanguard.Codec.
func (c jsonCodec) Unmarshal(data []byte, m proto.Message) error {
	err := c.JSONCodec.Unmarshal(data, m)
	if err == nil {
		return nil
	}

	refused := connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("the request is not good JSON: %w", err))
	if detail, err := connect.NewErrorDetail(reason.Info(reasonRequest)); err == nil {
		refused.AddDetail(detail)
	}

	return refused //nolint:wrapcheck // connect's own error, which it answers as it is
}
