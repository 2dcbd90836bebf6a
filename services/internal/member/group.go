package member

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Group is one process's place among those that share a log. It is safe for concurrent use.
type Group struct {
	conn    *nats.Conn
	subject string
	self    Beat
	logger  *slog.Logger
	changed chan struct{}

	mu      sync.Mutex
	table   *Table
	leaving bool
}

// NewGroup returns a place that is silent until Run. deployment is the id of the log; self tells of the process.
func NewGroup(conn *nats.Conn, deployment string, self Beat, logger *slog.Logger) *Group {
	return &Group{
		conn: conn, subject: subject(deployment), self: self, logger: logger,
		changed: make(chan struct{}, 1), table: NewTable(self.Name),
	}
}

// subject is where the scoring processes of a log tell of themselves. A log's id holds no dot.
func subject(deployment string) string { return "hale." + deployment + ".scoring" }

// Name of this process.
func (g *Group) Name() string { return g.self.Name }

// Changed gets a token when somebody was heard: now is a good time to look who owns what. Beats come at least every
// Interval while the process is connected.
func (g *Group) Changed() <-chan struct{} { return g.changed }

// Assigned returns who should own each stream; known is false while this process does not know who is there.
func (g *Group) Assigned(streams int) (owners []string, known bool) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.table.Warm(now) {
		return nil, false
	}
	return Assign(g.table.Live(now), streams), true
}

// Live returns who is there.
func (g *Group) Live() []Beat {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.Live(time.Now())
}

// Connected reports whether this process has heard itself lately.
func (g *Group) Connected() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table.Up(time.Now()) > 0
}

// Leave tells the others that this process takes no more streams, and again whenever it gave one up.
func (g *Group) Leave() {
	g.mu.Lock()
	g.leaving = true
	g.mu.Unlock()
	g.Tell()
}

// Tell sends a beat now, beside those that Run sends.
func (g *Group) Tell() {
	now := time.Now()
	g.mu.Lock()
	beat := g.self
	beat.Up, beat.Leaving = g.table.Up(now), g.leaving
	g.mu.Unlock()
	data, err := json.Marshal(beat)
	if err == nil {
		err = g.conn.Publish(g.subject, data)
	}
	if err != nil {
		g.logger.Debug("telling the others of this process", "error", err)
	}
}

// Run tells of this process and listens to the others until ctx ends.
func (g *Group) Run(ctx context.Context) error {
	heard, err := g.conn.Subscribe(g.subject, g.hear)
	if err != nil {
		return fmt.Errorf("listening to the other scoring processes: %w", err)
	}
	defer func() { _ = heard.Unsubscribe() }() // a closed connection has ended it
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		g.Tell()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		g.poke() // somebody may have fallen silent
	}
}

func (g *Group) hear(m *nats.Msg) {
	var b Beat
	if err := json.Unmarshal(m.Data, &b); err != nil || b.Name == "" {
		g.logger.Warn("a scoring process tells something that cannot be read", "error", err)
		return
	}
	g.mu.Lock()
	g.table.Hear(b, time.Now())
	g.mu.Unlock()
	g.poke()
}

func (g *Group) poke() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}
