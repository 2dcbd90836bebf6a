package ingest

import (
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"hale.dev/services/internal/access"
)

// nativeAnswer is the answer of /v1/events.
type nativeAnswer struct {
	Accepted int       `json:"accepted"`
	Rejected []refused `json:"rejected"`
	Token    string    `json:"token"`
}

// events answers POST /v1/events.
func (h *handler) events(w http.ResponseWriter, r *http.Request) (any, error) {
	arrival := h.s.cfg.Now()

	who, err := h.authenticate(r)
	if err != nil {
		return nil, err
	}

	n := native{load: r.URL.Query().Get("historical"), arrival: arrival.UnixMicro()}
	if n.load != "" {
		if who.Role != access.RoleAdmin {
			return nil, errAdminKey()
		}

		if bad := checkLoad(n.load); bad != nil {
			return nil, malformed(CodeInvalidLoad, "the id of a load has 1 to 64 letters, digits, - or _")
		}
	}

	b, err := h.bodies.read(w, r, bounds{
		unpacked: maxNativeBody, oversize: http.StatusRequestEntityTooLarge, sent: who.MaxBytes,
	})
	if err != nil {
		return nil, err
	}
	defer b.release()

	began := time.Now()
	parse := n.parse

	if b.lines {
		parse = n.lines
	}

	if p := parse(b.data); p != nil {
		return nil, p
	}

	h.s.publisher.metrics.decoded(r.Context(), originNative, time.Since(began))

	res, err := h.s.publisher.publish(r.Context(), &request{
		workspace: who.Workspace, origin: originNative, arrival: n.arrival, entries: n.entries,
		admin: who.Role == access.RoleAdmin,
	})
	if err != nil {
		return nil, err
	}

	return nativeAnswer{Accepted: res.accepted, Rejected: refusals(res), Token: res.token()}, nil
}

// closeLoad answers POST /v1/loads/{id}/close.
func (h *handler) closeLoad(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, err := h.authenticate(r)
	if err != nil {
		return nil, err
	}

	if who.Role != access.RoleAdmin {
		return nil, errAdminKey()
	}

	token, err := h.s.publisher.closeLoad(r.Context(), who.Workspace, originNative, r.PathValue("id"))
	if err != nil {
		return nil, err
	}

	return map[string]string{"token": token}, nil
}

// noMeter keeps otelhttp from measuring what the service's own metrics tell already.
func noMeter() metric.MeterProvider { return noop.NewMeterProvider() }
