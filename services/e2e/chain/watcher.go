package chain

import (
	"context"
	"fmt"
	"sync"
	"time"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// watcher is a client of WatchAlerts that goes on by its token whenever the connection is lost.
type watcher struct {
	client alertv1.AlertServiceClient
	seen   func()

	mu sync.Mutex
	// times counts how often each transition came; connections how often it began, resets how often anew.
	times               map[string]int
	connections, resets int
	token               string
	fired               []*alertv1.Alert
}

func newWatcher(client alertv1.AlertServiceClient, seen func()) *watcher {
	return &watcher{client: client, seen: seen, times: map[string]int{}}
}

// follow watches until ctx ends.
func (w *watcher) follow(ctx context.Context) {
	const pause = 20 * time.Millisecond
	for ctx.Err() == nil {
		_ = w.connection(ctx) // the process was killed, or will be
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (w *watcher) connection(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.client.WatchAlerts(ctx, &alertv1.WatchAlertsRequest{ResumeToken: w.token})
	if err != nil {
		return fmt.Errorf("watching alerts: %w", err)
	}
	for first := true; ; first = false {
		part, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("watching alerts: %w", err)
		}
		w.take(part, first)
		if len(part.GetTransitions()) > 0 {
			w.seen()
		}
	}
}

func (w *watcher) take(part *alertv1.WatchAlertsResponse, first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if first {
		w.connections++
	}
	if part.GetReset_() {
		w.resets++
	}
	for _, t := range part.GetTransitions() {
		w.times[t.GetTransitionId()]++
		if t.GetKind() == alertv1.Transition_KIND_FIRED {
			w.fired = append(w.fired, t.GetAlert())
		}
	}
	if t := part.GetResumeToken(); t != "" {
		w.token = t
	}
}

// begun says whether there is a token to go on by.
func (w *watcher) begun() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.token != ""
}

// taken returns the alerts that have fired and that nobody was given before.
func (w *watcher) taken() []*alertv1.Alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	fired := w.fired
	w.fired = nil
	return fired
}

// compare counts the transitions that it did not see, and those that it saw more than once.
func (w *watcher) compare(want map[string]*alertv1.Transition) (missed, repeated int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range want {
		if w.times[id] == 0 {
			missed++
		}
	}
	for _, n := range w.times {
		if n > 1 {
			repeated++
		}
	}
	return missed, repeated
}

// connected says how often it began, and how often anew.
func (w *watcher) connected() (connections, resets int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connections, w.resets
}
