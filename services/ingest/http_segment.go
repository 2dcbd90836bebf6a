package ingest

import (
	"net/http"
	"time"

	"hale.dev/services/internal/access"
)

// segmentPaths are the addresses below /v1/ of Segment's API and the call that each takes: the long ones of its HTTP
// API, and the short ones of its browser library.
func segmentPaths() map[string]string {
	return map[string]string{
		"track": "track", "identify": "identify", "group": "group", "page": "page", "screen": "screen", "alias": "alias",
		"batch": "batch", "import": "batch",
		"t": "track", "i": "identify", "g": "group", "p": "page", "s": "screen", "a": "alias", "b": "batch",
	}
}

// segmentAnswer is the answer to Segment's clients.
type segmentAnswer struct {
	Success  bool      `json:"success"`
	Accepted int       `json:"accepted"`
	Rejected []refused `json:"rejected"`
	Token    string    `json:"token"`
}

// segment answers one of Segment's calls, or a batch of them.
func (h *handler) segment(name string) answerer {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		answer, err := h.segmentCalls(w, r, name)
		if err != nil {
			return nil, forSegment(err)
		}

		return answer, nil
	}
}

// forSegment is an error as Segment's clients know it: to them a key is right or wrong, and a request good or bad.
func forSegment(err error) *Problem {
	p := *asProblem(err)

	switch p.Status {
	case http.StatusForbidden:
		p.Status = http.StatusUnauthorized
	case http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge:
		p.Status = http.StatusBadRequest
	}

	return &p
}

func (h *handler) segmentCalls(w http.ResponseWriter, r *http.Request, name string) (any, error) {
	arrival := h.s.cfg.Now()

	var (
		who  access.Principal
		err  error
		anon = access.BearerOrBasic(r) == ""
	)

	if !anon { // a wrong key in the header is found before anything is read
		if who, err = h.authenticate(r); err != nil {
			return nil, err
		}
	}

	limit := maxSegmentEvent
	if name == "batch" {
		limit = maxSegmentBatch
	}

	b, err := h.bodies.read(w, r, bounds{unpacked: limit, oversize: http.StatusBadRequest, sent: who.MaxBytes})
	if err != nil {
		return nil, err
	}
	defer b.release()

	began := time.Now()

	cs, p := parseSegment(b.data, name)
	if p != nil {
		return nil, p
	}

	if anon {
		if who, err = h.admit(r, cs.writeKey, b.sent, access.RoleIngest, access.RoleAdmin); err != nil {
			return nil, err
		}
	}

	sg := segment{mapping: h.s.mapping, arrival: arrival.UnixMicro()}
	req := &request{
		workspace: who.Workspace, origin: originSegment, arrival: sg.arrival, entries: sg.entries(cs),
		admin: who.Role == access.RoleAdmin,
	}

	m := h.s.publisher.metrics
	m.decoded(r.Context(), originSegment, time.Since(began))
	m.generated.Add(r.Context(), int64(sg.generated))
	m.dropped.Add(r.Context(), int64(sg.dropped))

	res, err := h.s.publisher.publish(r.Context(), req)
	if err != nil {
		return nil, err
	}

	return segmentAnswer{Success: true, Accepted: res.accepted, Rejected: refusals(res), Token: res.token()}, nil
}

// parseSegment reads the body of a call or batch.
func parseSegment(data []byte, name string) (*calls, *Problem) {
	if name == "batch" {
		return parseBatch(data)
	}

	return parseCall(data, name)
}

// browserMetrics takes what the browser library measures of itself, and does nothing with it.
func (h *handler) browserMetrics(w http.ResponseWriter, r *http.Request) (any, error) {
	b, err := h.bodies.read(w, r, bounds{unpacked: maxSegmentEvent, oversize: http.StatusBadRequest})
	if err != nil {
		return nil, err
	}

	b.release()

	return map[string]bool{"success": true}, nil
}

// browserSettings answers the browser library's question for its settings: it is to send here, and nowhere else.
func (h *handler) browserSettings(_ http.ResponseWriter, r *http.Request) (any, error) {
	key := r.PathValue("key")
	if _, err := h.admit(r, key, r.ContentLength, access.RoleIngest); err != nil {
		return nil, forSegment(err)
	}

	protocol := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		protocol = "https"
	}

	enabled := map[string]any{"__default": map[string]any{"enabled": true, "integrations": map[string]any{}}}

	return map[string]any{
		"integrations": map[string]any{"Segment.io": map[string]any{
			"apiKey": key, "apiHost": r.Host + "/v1", "protocol": protocol, "addBundledMetadata": false,
			"unbundledIntegrations": []string{}, "maybeBundledConfigIds": map[string]any{},
			"versionSettings": map[string]any{"version": "4.4.7", "componentTypes": []string{"browser"}},
		}},
		"plan":                      map[string]any{"track": enabled, "identify": enabled, "group": enabled},
		"edgeFunction":              map[string]any{},
		"analyticsNextEnabled":      true,
		"middlewareSettings":        map[string]any{},
		"enabledMiddleware":         map[string]any{},
		"metrics":                   map[string]any{"sampleRate": 0},
		"legacyVideoPluginsEnabled": false,
		"remotePlugins":             []any{},
	}, nil
}
