package telemetry

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	headerTimeout = 5 * time.Second
	// stopTimeout bounds how long a running scrape or profile may hold the shutdown up.
	stopTimeout = time.Second
)

// Handler serves /metrics (with exemplars to who asks for OpenMetrics), /healthz (the process lives), /readyz (200
// when every check is ready, else 503 naming those that are not) and /debug/pprof.
func Handler(metrics prometheus.Gatherer, ready *Readiness) http.Handler {
	mux := http.NewServeMux()
	// Exemplars, which lead from a measurement to its trace, exist only in the OpenMetrics format.
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, status{Status: "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		missing := ready.NotReady()
		if len(missing) > 0 {
			answer(w, http.StatusServiceUnavailable, status{Status: "not ready", NotReady: missing})

			return
		}

		answer(w, http.StatusOK, status{Status: "ready"})
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)

	return mux
}

// Serve answers admin requests on ln until ctx ends; a nil secure is no TLS.
func Serve(
	ctx context.Context, ln net.Listener, secure *tls.Config, handler http.Handler, logger *slog.Logger,
) error {
	server := &http.Server{
		Handler:           handler,
		TLSConfig:         secure,
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)

	go func() {
		if secure == nil {
			failed <- server.Serve(ln)
		} else {
			failed <- server.ServeTLS(ln, "", "")
		}
	}()

	select {
	case err := <-failed:
		return fmt.Errorf("serving admin requests on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}

	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()

	if err := server.Shutdown(stopping); err != nil {
		err = errors.Join(err, server.Close())
		logger.WarnContext(ctx, "admin requests were cut off", slog.Any("error", err))
	}

	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving admin requests on %s: %w", ln.Addr(), err)
	}

	return nil
}

// status is the body of /healthz and /readyz.
type status struct {
	Status   string     `json:"status"`
	NotReady []NotReady `json:"not_ready,omitempty"`
}

func answer(w http.ResponseWriter, code int, body status) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // the client went away: nobody is left to tell
}
