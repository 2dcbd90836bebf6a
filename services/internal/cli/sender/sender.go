package sender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
	maxAnswer  = 16 << 20
)

// Sender sends to one server. It is safe for concurrent use.
type Sender struct {
	// Client makes the requests.
	Client *http.Client
	// URL of the ingest service: http://127.0.0.1:8080.
	URL string
	// Key is an ingest key or an admin key.
	Key string
	// Load is the historical load that all events belong to; it needs an admin key. Empty: each
	// event says itself.
	Load string
	// Patience is how long a request is tried again while the server is busy or away; 0: once.
	Patience time.Duration
}

// Answer is what the server says of a batch.
type Answer struct {
	// Accepted is how many events are durable, repeated ones included.
	Accepted int `json:"accepted"`
	// Rejected names the events that were refused.
	Rejected []Rejection `json:"rejected"`
	// Token names the batch's place in the log, for reads with `at_least`.
	Token string `json:"token"`
}

// Rejection names an event that was refused, and why.
type Rejection struct {
	// Index of the event in its batch, from 0.
	Index int `json:"index"`
	// MessageID of the event, where it could be read.
	MessageID string `json:"message_id"`
	// Field that is wrong; empty for the event as a whole.
	Field string `json:"field"`
	// Code is stable.
	Code string `json:"code"`
	// Message is for a person.
	Message string `json:"message"`
}

// Error says that the server refused a whole request.
type Error struct {
	// Status of HTTP.
	Status int
	// Code is the server's stable reason; empty where it gave none.
	Code string
	// Message is for a person.
	Message string

	wait time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = http.StatusText(e.Status)
	}

	if e.Code != "" {
		text += " (" + e.Code + ")"
	}

	return fmt.Sprintf("the server answered %d: %s", e.Status, text)
}

// temporary tells whether the same request may succeed later.
func (e *Error) temporary() bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// ErrUnreachable says that the server could not be reached.
var ErrUnreachable = errors.New("the ingest service cannot be reached")

// Send posts a body of JSON or, with lines, of NDJSON.
func (s *Sender) Send(ctx context.Context, body []byte, lines bool) (Answer, error) {
	target, contentType := s.URL+"/v1/events", "application/json"
	if s.Load != "" {
		target += "?historical=" + url.QueryEscape(s.Load)
	}

	if lines {
		contentType = "application/x-ndjson"
	}

	return s.post(ctx, target, contentType, body)
}

// CloseLoad ends a historical load, and returns the token of its end.
func (s *Sender) CloseLoad(ctx context.Context, load string) (token string, err error) {
	answer, err := s.post(ctx, s.URL+"/v1/loads/"+url.PathEscape(load)+"/close", "application/json", nil)

	return answer.Token, err
}

// post makes a request, again and again while the server is busy or away.
func (s *Sender) post(ctx context.Context, target, contentType string, body []byte) (Answer, error) {
	giveUp := time.Now().Add(s.Patience)

	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		answer, err := s.try(ctx, target, contentType, body)
		if err == nil {
			return answer, nil
		}

		wait, again := repeat(err)
		if !again {
			return answer, err
		}

		wait = max(wait, pause)
		if time.Now().Add(wait).After(giveUp) {
			return answer, err
		}

		select {
		case <-ctx.Done():
			return answer, fmt.Errorf("sending events: %w", context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}

// repeat tells whether the same request may succeed later, and when the server wants it.
func repeat(err error) (after time.Duration, again bool) {
	if refusal, answered := errors.AsType[*Error](err); answered {
		return refusal.wait, refusal.temporary()
	}

	return 0, errors.Is(err, ErrUnreachable)
}

func (s *Sender) try(ctx context.Context, target, contentType string, body []byte) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("sending events: %w", err)
	}

	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+s.Key)

	response, err := s.Client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return Answer{}, fmt.Errorf("sending events: %w", context.Cause(ctx))
		}

		return Answer{}, fmt.Errorf("sending events: %w: %w", ErrUnreachable, err)
	}

	defer func() { _ = response.Body.Close() }() // read to its end, or of no use

	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("reading the answer: %w: %w", ErrUnreachable, err)
	}

	if response.StatusCode != http.StatusOK {
		return Answer{}, refusal(response, text)
	}

	var answer Answer
	if err := json.Unmarshal(text, &answer); err != nil {
		return Answer{}, fmt.Errorf("reading the answer: %w", err)
	}

	return answer, nil
}

// refusal reads the body of a refused request.
func refusal(r *http.Response, text []byte) *Error {
	e := &Error{Status: r.StatusCode}

	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil {
		e.wait = time.Duration(seconds) * time.Second
	}

	var body struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}

	if json.Unmarshal(text, &body) == nil {
		e.Code, e.Message = body.Code, body.Message
	}

	return e
}
