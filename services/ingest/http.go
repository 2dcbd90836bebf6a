package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"

	"hale.dev/services/internal/access"
)

const (
	headTimeout = 10 * time.Second
	bodyTimeout = 60 * time.Second
	idleTimeout = 120 * time.Second
	maxHead     = 16 << 10
)

// handler serves HTTP.
type handler struct {
	s      *Service
	bodies *bodyReader
}

// call that a handler answers: it returns what to answer, or a *Problem.
type answerer func(w http.ResponseWriter, r *http.Request) (any, error)

// Handler returns the service's HTTP handler, for a server of the caller's own.
func (s *Service) Handler() http.Handler {
	h := &handler{s: s, bodies: newBodyReader(s.budget)}
	mux := http.NewServeMux()

	for path, name := range segmentPaths() {
		mux.Handle("/v1/"+path, h.route("/v1/"+path, http.MethodPost, true, h.segment(name)))
	}

	mux.Handle("/v1/m", h.route("/v1/m", http.MethodPost, true, h.browserMetrics))
	mux.Handle("/v1/projects/{key}/settings",
		h.route("/v1/projects/{key}/settings", http.MethodGet, true, h.browserSettings))
	mux.Handle("/v1/events", h.route("/v1/events", http.MethodPost, false, h.events))
	mux.Handle("/v1/loads/{id}/close", h.route("/v1/loads/{id}/close", http.MethodPost, false, h.closeLoad))
	mux.Handle("/", h.route("other", "", false, func(http.ResponseWriter, *http.Request) (any, error) {
		return nil, &Problem{Status: http.StatusNotFound, Code: CodeNotFound, Message: "there is nothing at this address"}
	}))

	return mux
}

// serveHTTP serves until ctx ends, then lets requests end.
func (s *Service) serveHTTP(ctx context.Context) error {
	tlsConfig, err := s.cfg.tls(s.deps.Logger)
	if err != nil {
		return err
	}

	server := &http.Server{
		Handler: s.Handler(), TLSConfig: tlsConfig, ReadHeaderTimeout: headTimeout, ReadTimeout: bodyTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
	}
	stopped := make(chan error, 1)

	go func() {
		<-ctx.Done()

		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Drain)
		defer cancel()

		err := server.Shutdown(drain)
		if err != nil {
			err = errors.Join(err, server.Close())
		}

		stopped <- err
	}()

	if tlsConfig == nil {
		err = server.Serve(s.http)
	} else {
		err = server.ServeTLS(s.http, "", "")
	}

	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("ingest: serving HTTP: %w", err)
	}

	if err := <-stopped; err != nil {
		return fmt.Errorf("ingest: ending requests: %w", err)
	}

	return nil
}

// route wraps an answerer with everything that all addresses have in common.
func (h *handler) route(name, method string, browser bool, f answerer) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()

		if browser && allowOrigin(w, r, method) {
			return
		}

		var (
			answer any
			err    error
		)

		if method != "" && r.Method != method {
			w.Header().Set("Allow", method)

			err = &Problem{
				Status: http.StatusMethodNotAllowed, Code: CodeMethodNotAllowed, Message: "this address takes " + method,
			}
		} else {
			answer, err = f(w, r)
		}

		code := h.answer(w, r, answer, err, browser)
		h.s.publisher.metrics.request(r.Context(), name, code, time.Since(began))
	})

	return otelhttp.NewHandler(inner, "ingest "+name, otelhttp.WithTracerProvider(h.s.deps.Tracer),
		otelhttp.WithPropagators(propagation.TraceContext{}), otelhttp.WithMeterProvider(noMeter()))
}

// allowOrigin lets pages of any origin send events: their keys can only write. It answers preflights itself.
func allowOrigin(w http.ResponseWriter, r *http.Request, method string) (done bool) {
	if r.Header.Get("Origin") == "" {
		return false
	}

	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "Retry-After")

	if r.Method != http.MethodOptions {
		return false
	}

	w.Header().Set("Access-Control-Allow-Methods", method)
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, X-Retry-Count")
	w.Header().Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)

	return true
}

// failure is the answer to a refused request.
type failure struct {
	// Success is there for Segment's clients.
	Success *bool  `json:"success,omitempty"`
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// answer writes what a handler returned, and returns the code of what went wrong.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, answer any, err error, segment bool) Code {
	status, code := http.StatusOK, Code("")

	if err != nil {
		p := asProblem(err)
		status, code = p.Status, p.Code
		f := failure{Code: p.Code, Message: p.Message}

		if segment {
			f.Success = new(bool)
		}

		answer = f

		if p.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
		}

		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="hale"`)
		}

		if status >= http.StatusInternalServerError {
			h.s.deps.Logger.ErrorContext(r.Context(), "a request failed", "code", p.Code, "error", p.Err)
		}
	}

	data, err := json.Marshal(answer)
	if err != nil {
		h.s.deps.Logger.ErrorContext(r.Context(), "writing an answer", "error", err)

		status, data = http.StatusInternalServerError, []byte(`{"code":"internal"}`)
	}

	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who is gone does not hear it

	return code
}

// authenticate finds out who calls, by the key in the header. The size of the body is held to the key's limit as far as
// it is known; the rest is up to who reads it.
func (h *handler) authenticate(r *http.Request) (access.Principal, error) {
	return h.admit(r, access.BearerOrBasic(r), r.ContentLength, access.RoleIngest, access.RoleAdmin)
}

// admit lets a request of a size in.
func (h *handler) admit(r *http.Request, key string, size int64, roles ...access.Role) (access.Principal, error) {
	p, err := h.s.deps.Keyring.Admit(r.Context(), key, size, access.Any(roles...))
	if err != nil {
		return access.Principal{}, keyProblem(err)
	}

	return p, nil
}

// refused is a refused event in an answer.
type refused struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId"` //nolint:tagliatelle // as Segment spells it
	Field     string `json:"field"`
	Code      Code   `json:"code"`
	Message   string `json:"message"`
}

// refusals lists the refused events of a result; never nil, so that clients find a list.
func refusals(res *result) []refused {
	list := make([]refused, len(res.rejected))
	for i, r := range res.rejected {
		list[i] = refused{Index: r.index, MessageID: r.messageID, Field: r.field, Code: r.code, Message: r.message}
	}

	return list
}
