package process

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	"hale.dev/services/ingest"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/member"
	"hale.dev/services/internal/scorecard"
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
func (s *session) build(ctx context.Context, name Service, b *base, at listeners) (service, error) {
	switch name {
	case Ingest:
		return s.buildIngest(b, at)
	case Scoring:
		return s.buildScoring(b)
	case Notify:
		return s.buildNotify(ctx, b)
	case Query:
		return s.buildQuery(b, at)
	default:
		return nil, fmt.Errorf("there is no service %q", name)
	}
}

// buildScoring makes the scoring service. Where the store is one that others can reach too, it shares the partitions with
// them; the embedded store is its own, so what another log left in it may go.
func (s *session) buildScoring(b *base) (service, error) {
	c := s.config.Scoring
	c.Version, c.SnapshotEvery, c.SnapshotKeep = s.options.Version, s.config.Snapshots.Every, s.config.Snapshots.Keep

	writer := b.log.NewWriter(eventlog.WriterOptions{})
	s.later("closing the writer of ticks", func() error { return s.closeWriter(writer) })

	d := scoring.Deps{
		Log: b.log, Store: b.store, Rejects: b.rejects, Pressure: b.pressure, Writer: writer, Tasks: b.tasks,
		Archive: b.archive, Marks: b.marks, Alerts: b.alerts,
		Logger: s.logger, Tracer: s.telemetry.Tracer, Meter: s.telemetry.Meter,
	}

	self := s.member()

	if s.config.Redis == "" {
		c.Adopt, c.Name = true, self.Name
	} else {
		d.Group = member.NewGroup(b.log.Conn(), b.log.Layout().ID, self, s.logger)
	}

	return scoring.New(c, d)
}

// member tells the other scoring processes of this one. The name is another one at each start.
func (s *session) member() member.Beat {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}

	return member.Beat{
		Name:  fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:nameChars]),
		Rules: fold.Rules, Version: s.options.Version, Scorecards: scorecard.ShippedDigest(),
	}
}

// nameChars is how many random letters tell two processes of one host and number apart.
const nameChars = 6

func (s *session) closeWriter(w *eventlog.Writer) error {
	closing, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()

	return w.Close(closing)
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
	s.later("closing the writer of resent events", func() error { return s.closeWriter(writer) })

	resender, err := ingest.NewResender(ingest.ResenderDeps{
		Log: b.log, Writer: writer, Rejects: b.rejects, Directory: b.directory, Mapping: s.config.Ingest.Mapping,
		Logger: s.logger,
	})
	if err != nil {
		return nil, err
	}

	d := query.Deps{
		Log: b.log, Store: b.store, Rejects: b.rejects, Settings: b.settings, Keyring: b.keyring, Resender: resender,
		Tasks: b.tasks, Alerts: b.alerts, Deliveries: b.delivered, Letters: b.delivered,
		Logger: s.logger, Tracer: s.telemetry.Tracer, Meter: s.telemetry.Meter,
		GRPC: at.queryGRPC, HTTP: at.queryHTTP,
	}
	if b.archive != nil {
		d.Snapshots = b.archive
	}

	return query.New(s.config.Query, d)
}
