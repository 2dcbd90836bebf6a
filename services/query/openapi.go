package query

import (
	"fmt"
	"net/http"

	"github.com/goccy/go-yaml"
)

// document is the OpenAPI document in both of its forms.
type document struct{ yaml, json []byte }

// newDocument makes the JSON of a YAML document.
func newDocument(text []byte) (document, error) {
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return document{}, fmt.Errorf("query: reading the OpenAPI document: %w", err)
	}

	return document{yaml: text, json: asJSON}, nil
}

// documented answers GET /openapi.yaml and /openapi.json, without a key: the document tells nothing that the source
// does not.
func documented(d document, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /openapi.yaml", unchanging("application/yaml", d.yaml))
	mux.Handle("GET /openapi.json", unchanging("application/json", d.json))

	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openapi.yaml" || r.URL.Path == "/openapi.json" {
			mux.ServeHTTP(rw, r)

			return
		}

		next.ServeHTTP(rw, r)
	})
}

// unchanging answers always the same.
func unchanging(kind string, body []byte) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", kind)
		_, _ = rw.Write(body) // a caller who is gone misses nothing
	})
}
