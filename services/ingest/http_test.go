package ingest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/reject"
)

func TestHowClientsSend(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	call := func(id string) string {
		return `{"writeKey":"` + b.ingest + `","messageId":"` + id + `","event":"E","groupId":"a"}`
	}
	bearer := header("Authorization", "Bearer "+b.ingest)
	form := header("Content-Type", "application/x-www-form-urlencoded")

	tests := []struct {
		name, id, body string
		options        []func(*http.Request)
	}{
		{"the key in the body", "k1", call("k1"), nil},
		{"a bearer key", "k2", call("k2"), []func(*http.Request){bearer}},
		{"a browser's text/plain", "k3", call("k3"), []func(*http.Request){header("Content-Type", "text/plain;charset=UTF-8")}},
		{"no content type", "k4", call("k4"), []func(*http.Request){func(r *http.Request) { r.Header.Del("Content-Type") }}},
		{"JSON that claims to be a form", "k5", call("k5"), []func(*http.Request){form}},
		{"a form with JSON", "k6", "data=" + url.QueryEscape(call("k6")), []func(*http.Request){form}},
		{"a form with base64", "k7", "data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(call("k7")))), []func(*http.Request){form}},
		{"gzip", "k8", pack(call("k8")), []func(*http.Request){header("Content-Encoding", "gzip")}},
		{"chunks of unknown length", "k9", call("k9"), []func(*http.Request){func(r *http.Request) { r.ContentLength = -1 }}},
	}

	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			a := b.post(track, "", tc.body, tc.options...)
			require.Equal(t, http.StatusOK, a.status, "%+v", a)
			require.NotNil(t, b.event(tc.id))
		})
	}
}

func TestBrowsers(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	from := func(method, path, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		req.Header.Set("Origin", "https://app.example")

		return b.serve(req)
	}

	t.Run("a preflight is answered for addresses that take events", func(t *testing.T) {
		t.Parallel()

		for _, path := range []string{"/v1/t", "/v1/batch", "/v1/m"} {
			res := from(http.MethodOptions, path, "")
			require.Equal(t, http.StatusNoContent, res.Code)
			require.Equal(t, "*", res.Header().Get("Access-Control-Allow-Origin"))
			require.Equal(t, "POST", res.Header().Get("Access-Control-Allow-Methods"))
			require.Contains(t, res.Header().Get("Access-Control-Allow-Headers"), "Authorization")
			require.Empty(t, res.Header().Get("Access-Control-Allow-Credentials"))
		}
	})

	t.Run("other addresses are not for pages", func(t *testing.T) {
		t.Parallel()

		for _, path := range []string{"/v1/events", "/v1/loads/x/close", "/"} {
			require.Empty(t, from(http.MethodOptions, path, "").Header().Get("Access-Control-Allow-Origin"))
		}
	})

	t.Run("answers can be read by pages, refusals too", func(t *testing.T) {
		t.Parallel()

		res := from(http.MethodPost, "/v1/p", `{"writeKey":"nope"}`)
		require.Equal(t, http.StatusUnauthorized, res.Code)
		require.Equal(t, "*", res.Header().Get("Access-Control-Allow-Origin"))
		require.Contains(t, res.Body.String(), `"success":false`)
	})

	t.Run("metrics of the library are taken and left", func(t *testing.T) {
		t.Parallel()

		res := from(http.MethodPost, "/v1/m", `{"series":[]}`)
		require.Equal(t, http.StatusOK, res.Code)
	})

	t.Run("the settings send the library here", func(t *testing.T) {
		t.Parallel()

		res := from(http.MethodGet, "/v1/projects/"+b.ingest+"/settings", "")
		require.Equal(t, http.StatusOK, res.Code)

		var got struct {
			Integrations map[string]struct{ APIKey, APIHost, Protocol string }
		}

		require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
		require.Equal(t, b.ingest, got.Integrations["Segment.io"].APIKey)
		require.Equal(t, "example.com/v1", got.Integrations["Segment.io"].APIHost)
		require.Equal(t, "http", got.Integrations["Segment.io"].Protocol)

		for _, key := range []string{"nope", b.query, b.admin} {
			require.Equal(t, http.StatusUnauthorized, from(http.MethodGet, "/v1/projects/"+key+"/settings", "").Code)
		}
	})
}

// failing stands for a log and REJECTS that answer with errors.
type failing struct {
	rejectKeeper

	write, put error
}

func (f *failing) Write(context.Context, []eventlog.Item) (eventlog.Token, error) {
	return eventlog.Token{}, f.write
}

func (f *failing) Put(context.Context, ...reject.Reject) error { return f.put }

func TestWhenNothingCanBeTaken(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name        string
		write, put  error
		status      int
		code        Code
		after, body string
	}{
		{"the log's queue is full", eventlog.ErrBusy, nil, 429, CodeLogBusy, "1", usageJSON("")},
		{"the log is full", eventlog.ErrFull, nil, 503, CodeLogFull, "30", usageJSON("")},
		{"the log does not answer", eventlog.ErrUnavailable, nil, 503, CodeLogUnavailable, "1", usageJSON("")},
		{"the writer is closed", eventlog.ErrClosed, nil, 503, CodeLogUnavailable, "1", usageJSON("")},
		{"REJECTS is full", nil, reject.ErrFull, 503, CodeRejectsFull, "30", `{}`},
		{"REJECTS does not answer", nil, reject.ErrUnavailable, 503, CodeRejectsUnavailable, "1", `{}`},
		{"REJECTS is full, and nothing is refused", nil, reject.ErrFull, 200, "", "", usageJSON("")},
		{"something else", errors.New("odd"), nil, 503, CodeLogUnavailable, "1", usageJSON("")},
	}

	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			b := newBundle(t, Config{})
			f := &failing{write: tc.write, put: tc.put, rejectKeeper: b.rejects}
			p := *b.service.publisher
			p.writer, p.rejects = f, f
			s := &Service{
				cfg: b.service.cfg, deps: b.service.deps, mapping: b.service.mapping, budget: b.service.budget, publisher: &p,
			}

			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, events, strings.NewReader(tc.body))
			req.SetBasicAuth(b.ingest, "")

			res := httptest.NewRecorder()
			s.Handler().ServeHTTP(res, req)
			require.Equal(t, tc.status, res.Code, res.Body)
			require.Equal(t, tc.after, res.Header().Get("Retry-After"))

			var got failure

			require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
			require.Equal(t, tc.code, got.Code)
		})
	}
}

func TestBodiesBeyondTheBudgetWait(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{InFlightMiB: 8})
	a := b.post(events, b.ingest, strings.Repeat(" ", 3<<20)+usageJSON(""))
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, CodeBusy, a.Code)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Equal(t, int64(8<<20), b.service.budget.left.Load())

	a = b.post(events, b.ingest, usageJSON(""))
	require.Equal(t, 1, a.Accepted)
}

func TestProblemsFitBothProtocols(t *testing.T) {
	t.Parallel()

	for _, err := range []error{
		malformed(CodeMalformedJSON, "m"), errBusy(), errAdminKey(), logProblem(eventlog.ErrFull), keyProblem(errors.New("x")),
		rejectProblem(errors.New("x")), directoryProblem(errors.New("x")), errors.New("a defect"),
	} {
		p := asProblem(err)
		require.GreaterOrEqual(t, p.Status, 400)
		require.NotEmpty(t, p.Code)
		require.NotEqual(t, "OK", p.GRPCStatus().Code().String())
		require.NotEmpty(t, p.GRPCStatus().Details())
		require.Contains(t, p.Error(), p.Message)
	}
}
