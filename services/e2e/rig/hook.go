package rig

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"hale.dev/services/internal/quietaddr"
)

// HookSecret is the variable under which a notify process finds the secret of a hook, HookReference how receivers name it.
const (
	HookSecret    = "HALE_SECRET_HOOK"
	HookReference = "env:" + HookSecret
)

// Hook is a receiver of webhooks on loopback. It verifies each with the library of Standard Webhooks and keeps it.
type Hook struct {
	// URL is its address, Secret what signs.
	URL, Secret string

	verifier *webhooks.Webhook
	server   *http.Server
	done     chan struct{}

	mu     sync.Mutex
	got    []Received
	forged int
	meet   func(before bool)
}

// Received is a webhook that came.
type Received struct {
	// ID is the id of the notification.
	ID string
	// At is when it was here.
	At   time.Time
	Body []byte
}

// NewHook starts a receiver of webhooks.
func NewHook() (*Hook, error) {
	const keyBytes = 32
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making a secret: %w", err)
	}
	h := &Hook{Secret: "whsec_" + base64.StdEncoding.EncodeToString(key), done: make(chan struct{})}
	var err error
	if h.verifier, err = webhooks.NewWebhook(h.Secret); err != nil {
		return nil, fmt.Errorf("making a verifier: %w", err)
	}
	// The address stays free for it, so it may be below those of outgoing connections.
	addr, err := quietaddr.New()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr) //nolint:noctx // returns at once
	if err != nil {
		return nil, fmt.Errorf("listening for webhooks: %w", err)
	}
	h.URL = "http://" + addr + "/hook"
	h.server = &http.Server{Handler: http.HandlerFunc(h.take), ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(h.done)
		_ = h.server.Serve(listener) // until it is closed
	}()
	return h, nil
}

// Env is what a notify process has to be started with to sign for this receiver.
func (h *Hook) Env() []string { return []string{HookSecret + "=" + h.Secret} }

// take verifies a webhook and keeps it.
func (h *Hook) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	if err := h.verifier.Verify(body, r.Header); err != nil {
		h.mu.Lock()
		h.forged++
		h.mu.Unlock()
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	meet := h.meeting()
	meet(true)
	h.mu.Lock()
	h.got = append(h.got, Received{ID: r.Header.Get("Webhook-Id"), At: time.Now(), Body: body})
	h.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
	_ = http.NewResponseController(w).Flush() // the sender may be gone
	meet(false)
}

// Meet has f called at every webhook, before it is kept and after it was answered; nil: nothing is.
func (h *Hook) Meet(f func(before bool)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.meet = f
}

func (h *Hook) meeting() func(before bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.meet == nil {
		return func(bool) {}
	}
	return h.meet
}

// Got returns what came, in order, and how many more had no good signature.
func (h *Hook) Got() (got []Received, forged int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got), h.forged
}

// Close ends it.
func (h *Hook) Close() {
	_ = h.server.Close()
	<-h.done
}
