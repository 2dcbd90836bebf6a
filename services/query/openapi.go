package query

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/goccy/go-yaml"
)

// documented answers GET /openapi.yaml and /openapi.json, without a key: the document tells nothing that the source
// does not. Its JSON is made when somebody asks for it first: a start does not wait for it.
func documented(text []byte, logger *slog.Logger, next http.Handler) http.Handler {
	asJSON := sync.OnceValues(func() ([]byte, error) { return yaml.YAMLToJSON(text) })

	mux := http.NewServeMux()
	mux.HandleFunc("GET /openapi.yaml", func(rw http.ResponseWriter, _ *http.Request) {
		writeDocument(rw, "application/yaml", text)
	})
	mux.HandleFunc("GET /openapi.json", func(rw http.ResponseWriter, r *http.Request) {
		body, err := asJSON()
		if err != nil {
			logger.ErrorContext(r.Context(), "the OpenAPI document cannot be made into JSON", "error", err)
			http.Error(rw, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)

			return
		}

		writeDocument(rw, "application/json", body)
	})

	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openapi.yaml" || r.URL.Path == "/openapi.json" {
			mux.ServeHTTP(rw, r)

			return
		}

		next.ServeHTTP(rw, r)
	})
}

func writeDocument(rw http.ResponseWriter, kind string, body []byte) {
	rw.Header().Set("Content-Type", kind)
	_, _ = rw.Write(body) // a caller who is gone misses nothing
}
