package query_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
)

// get calls the HTTP listener with GET.
func (w *world) get(path, key string) (*http.Response, []byte) {
	w.tb.Helper()

	req, err := http.NewRequestWithContext(w.tb.Context(), http.MethodGet, "http://"+w.http+path, nil)
	require.NoError(w.tb, err)

	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}

	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.tb, err)

	defer func() { require.NoError(w.tb, resp.Body.Close()) }()

	body, err := io.ReadAll(resp.Body)
	require.NoError(w.tb, err)

	return resp, body
}

// contract is the document that a service serves, in a form that answers can be held against.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

// contract reads the document. Its schemas are closed, so that an answer with a field that is not in them is found.
func (w *world) contract() contract {
	w.tb.Helper()

	resp, text := w.get("/openapi.yaml", "")
	require.Equal(w.tb, http.StatusOK, resp.StatusCode)
	require.Equal(w.tb, "application/yaml", resp.Header.Get("Content-Type"))

	doc, err := openapi3.NewLoader().LoadFromData(text)
	require.NoError(w.tb, err)
	require.NoError(w.tb, doc.Validate(w.tb.Context()))

	closed := false

	for name, s := range doc.Components.Schemas {
		if name != "connect.error" && s.Value.Type.Is("object") {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
		}
	}

	router, err := gorillamux.NewRouter(doc)
	require.NoError(w.tb, err)

	return contract{doc: doc, router: router}
}

// hold checks a request and its answer against the document.
func (c contract) hold(t *testing.T, method, path, body string, resp *http.Response, answer []byte) error {
	t.Helper()

	req, err := http.NewRequestWithContext(t.Context(), method, path, bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")

	route, params, err := c.router.FindRoute(req)
	require.NoError(t, err)

	input := &openapi3filter.RequestValidationInput{
		Request: req, Route: route, PathParams: params,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	require.NoError(t, openapi3filter.ValidateRequest(t.Context(), input))

	return openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header,
		Body: io.NopCloser(bytes.NewReader(answer)), Options: input.Options,
	})
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	w.score(home, "acme", noon(), 0, used("acme"))
	alert := newDecider(w).fire(home, "acme", "at_risk", func(a *alertv1.Alert) {
		a.Drivers = []*alertv1.Driver{{Measure: "usage_trend", After: new(1.5), Unit: "percent"}}
		a.Labels = map[string]string{"team": "emea"}
	})
	c := w.contract()

	t.Run("has every call but the streams", func(t *testing.T) {
		t.Parallel()

		for service, calls := range map[string]int{
			healthv1.HealthService_ServiceDesc.ServiceName: len(healthv1.HealthService_ServiceDesc.Methods),
			alertv1.AlertService_ServiceDesc.ServiceName:   len(alertv1.AlertService_ServiceDesc.Methods),
			adminv1.AdminService_ServiceDesc.ServiceName:   len(adminv1.AdminService_ServiceDesc.Methods),
		} {
			found := 0

			for path := range c.doc.Paths.Map() {
				if len(path) > len(service) && path[1:len(service)+1] == service {
					found++
				}
			}

			require.Equal(t, calls, found, service)
		}
	})

	t.Run("answers are as it says", func(t *testing.T) {
		t.Parallel()

		for _, call := range []struct {
			path, body string
			role       access.Role
			status     int
		}{
			{getHealth, `{"accountId":"acme"}`, access.RoleViewer, http.StatusOK},
			{getHealth, `{"accountId":"nobody"}`, access.RoleViewer, http.StatusNotFound},
			{getHealth, `{}`, access.RoleViewer, http.StatusBadRequest},
			{getHealth, `{"accountId":"acme"}`, access.RoleIngest, http.StatusForbidden},
			{"/hale.health.v1.HealthService/ListAccounts", `{"pageSize":10}`, access.RoleViewer, http.StatusOK},
			{"/hale.health.v1.HealthService/GetHistory", `{"accountId":"acme"}`, access.RoleViewer, http.StatusOK},
			{"/hale.health.v1.HealthService/ListRejects", `{}`, access.RoleViewer, http.StatusOK},
			{"/hale.alert.v1.AlertService/ListAlerts", `{"filter":"score < 5 OR rule:*"}`, access.RoleViewer, http.StatusOK},
			{"/hale.alert.v1.AlertService/GetAlert", `{"alertId":"` + alert + `"}`, access.RoleViewer, http.StatusOK},
			{"/hale.alert.v1.AlertService/ListSilences", `{}`, access.RoleViewer, http.StatusOK},
			{"/hale.admin.v1.AdminService/GetScorecards", `{}`, access.RoleAdmin, http.StatusOK},
			{"/hale.admin.v1.AdminService/ListPartitions", `{}`, access.RoleAdmin, http.StatusOK},
			{"/hale.admin.v1.AdminService/ListTasks", `{}`, access.RoleAdmin, http.StatusOK},
		} {
			resp, answer := w.post(call.path, "application/json", w.keys[call.role], []byte(call.body))
			require.Equal(t, call.status, resp.StatusCode, string(answer))
			require.NoError(t, c.hold(t, http.MethodPost, call.path, call.body, resp, answer), "%s: %s", call.path, answer)
		}
	})

	t.Run("tells answers that are not", func(t *testing.T) {
		t.Parallel()

		for _, answer := range []string{`{"health":{"score":"high"}}`, `{"health":{"band":"BAND_GREEN"}}`, `{"health":{"other":1}}`} {
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}}
			require.Error(t, c.hold(t, http.MethodPost, getHealth, `{"accountId":"acme"}`, resp, []byte(answer)), answer)
		}
	})

	t.Run("reads can be asked for with GET, and only they", func(t *testing.T) {
		t.Parallel()

		query := "?" + url.Values{"connect": {"v1"}, "encoding": {"json"}, "message": {`{"accountId":"acme"}`}}.Encode()
		resp, answer := w.get(getHealth+query, w.keys[access.RoleViewer])
		require.Equal(t, http.StatusOK, resp.StatusCode, string(answer))
		require.NoError(t, c.hold(t, http.MethodGet, getHealth+query, "", resp, answer), string(answer))

		resp, _ = w.get(getHealth+query, "")
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)

		const write = "/hale.admin.v1.AdminService/StartRebuild"

		resp, _ = w.get(write+"?connect=v1&encoding=json&message=%7B%7D", w.keys[access.RoleAdmin])
		require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
		require.Nil(t, c.doc.Paths.Value(write).Get)
	})

	t.Run("comes as JSON too", func(t *testing.T) {
		t.Parallel()

		resp, text := w.get("/openapi.json", "")
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, "application/json", resp.Header.Get("Content-Type"))

		same, err := openapi3.NewLoader().LoadFromData(text)
		require.NoError(t, err)
		require.Len(t, same.Components.Schemas, len(c.doc.Components.Schemas))

		resp, _ = w.post("/openapi.json", "application/json", "", []byte(`{}`))
		require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
	})
}
