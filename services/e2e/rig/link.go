package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
)

// Link carries the connections from one part of a fleet to another.
type Link struct {
	From, To string

	addr, upstream string

	mu sync.Mutex
	// proxy is nil in a direct network, where nothing can be cut.
	proxy *toxiproxy.Proxy
	// toxics are the names of what is in force.
	toxics []string
}

// Direction says which way of a link is meant.
type Direction int

// Directions of a link.
const (
	Both Direction = iota
	// Requests go the way in which connections are made.
	Requests
	// Answers go the other way.
	Answers
)

// String names the direction.
func (d Direction) String() string {
	switch d {
	case Both:
		return "both ways"
	case Requests:
		return "requests"
	case Answers:
		return "answers"
	default:
		return "no way"
	}
}

// Addr is where connections to the other part are made.
func (l *Link) Addr() string { return l.addr }

// Cut makes the link swallow everything sent in a direction, on new connections too. Nobody is told; what was
// swallowed is lost, and the connections end when the link heals.
func (l *Link) Cut(d Direction) error { return l.add("timeout", d, map[string]int64{"timeout": 0}) }

// Delay makes everything sent in a direction late, by latency give or take jitter. Nothing is lost.
func (l *Link) Delay(d Direction, latency, jitter time.Duration) error {
	return l.add("latency", d, map[string]int64{"latency": latency.Milliseconds(), "jitter": jitter.Milliseconds()})
}

// Refuse ends all connections and refuses new ones.
func (l *Link) Refuse() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proxy.Stop()
}

func (l *Link) add(kind string, d Direction, attributes map[string]int64) error {
	if l.proxy == nil {
		return fmt.Errorf("%s is direct: it takes no %s", l, kind)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	streams := map[Direction][]string{Both: {"upstream", "downstream"}, Requests: {"upstream"}, Answers: {"downstream"}}
	for _, stream := range streams[d] {
		name := kind + " " + stream
		body, err := json.Marshal(map[string]any{"name": name, "type": kind, "stream": stream, "attributes": attributes})
		if err != nil {
			return fmt.Errorf("describing a %s of %s: %w", kind, l, err)
		}
		_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(string(body)))
		if errors.Is(err, toxiproxy.ErrToxicAlreadyExists) {
			continue
		}
		if err != nil {
			return fmt.Errorf("adding a %s to %s: %w", kind, l, err)
		}
		l.toxics = append(l.toxics, name)
	}
	return nil
}

// healWithin bounds how long a toxic may take to go: it waits for what it holds to be written.
const healWithin = 5 * time.Second

// Heal takes everything back. Delayed data is delivered, if its reader reads; else its connections end.
func (l *Link) Heal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	toxics := l.toxics
	l.toxics = nil
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		for _, name := range toxics {
			_ = l.proxy.Toxics.RemoveToxic(context.Background(), name) // it is there: only Heal removes it
		}
	}()
	select {
	case <-healed:
	case <-time.After(healWithin):
		l.proxy.Stop() // frees what is blocked
		<-healed
	}
	if err := l.proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		return fmt.Errorf("starting %s: %w", l, err)
	}
	return nil
}

// String says what the link connects.
func (l *Link) String() string { return "the link from " + l.From + " to " + l.To }

// Leads tells whether the link ends at this address of the other part.
func (l *Link) Leads(addr string) bool { return l.upstream == addr }
