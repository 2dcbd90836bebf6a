package process

import (
	"context"
	"fmt"

	"hale.dev/services/ingest"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/query"
	"hale.dev/services/scoring"
)

// service is what every service is to a process.
type service interface {
	// Run works until ctx ends; then it stops in order and returns nil.
	Run(ctx context.Context) error
	// Ready returns nil, or why the service is not ready.
	Ready() error
}

// build makes a service out of its configuration and what the process has opened.
func (s *session) build(name Service, b *base, at listeners) (service, error) {
	switch name {
	case Ingest:
		return s.buildIngest(b, at)
	case Scoring:
		return scoring.New(s.config.Scoring, scoring.Deps{
			Log: b.log, Store: b.store, Rejects: b.rejects, Pressure: b.pressure,
			Logger: s.logger, Tracer: s.telemetry.Tracer, Meter: s.telemetry.Meter,
		})
	case Query:
		return s.buildQuery(b, at)
	default:
		return nil, fmt.Errorf("there is no service %q", name)
	}
}

func (s *session) buildIngest(b *base, at listeners) (service, error) {
	return ingest.New(s.config.Ingest, ingest.Deps{
		Log: b.log, Rejects: b.rejects, Directory: b.directory, Pressure: b.pressure, Keyring: b.keyring,
		Logger: s.logger, Tracer: s.telemetry.Tracer, Meter: s.telemetry.Meter,
		HTTP: at.ingestHTTP, GRPC: at.ingestGRPC,
	})
}

// buildQuery gives the query service what it needs to send refused events again: a way into
// the log that is the same as ingest's.
func (s *session) buildQuery(b *base, at listeners) (service, error) {
	writer := b.log.NewWriter(eventlog.WriterOptions{})
	s.later("closing the writer of resent events", func() error {
		closing, cancel := context.WithTimeout(context.Background(), flushTimeout)
		defer cancel()

		return writer.Close(closing)
	})

	resender, err := ingest.NewResender(ingest.ResenderDeps{
		Log: b.log, Writer: writer, Rejects: b.rejects, Directory: b.directory, Mapping: s.config.Ingest.Mapping,
		Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}

	return query.New(s.config.Query, query.Deps{
		Log: b.log, Store: b.store, Rejects: b.rejects, Settings: b.settings, Keyring: b.keyring, Resender: resender,
		Logger: s.logger, Tracer: s.telemetry.Tracer, Meter: s.telemetry.Meter,
		GRPC: at.queryGRPC, HTTP: at.queryHTTP,
	})
}
