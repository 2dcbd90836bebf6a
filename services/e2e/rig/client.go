package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Client sends events over HTTP and tries again until they are accepted, as clients of Hale do.
type Client struct {
	URL, Key string
	// Others are URLs that are tried in turn when the one before does not accept.
	Others []string
	HTTP   *http.Client

	// InFlight is how many events wait for an answer, Retries how often a request was sent again, Unknown how often
	// no answer came, so that nobody knows whether the events are in the log.
	InFlight, Retries, Unknown atomic.Int64
}

// Answer is what ingest says of a request.
type Answer struct {
	Accepted int    `json:"accepted"`
	Token    string `json:"token"`
	Rejected []struct {
		Index     int    `json:"index"`
		MessageID string `json:"messageId"` //nolint:tagliatelle // as ingest spells it
		Field     string `json:"field"`
		Code      string `json:"code"`
		Message   string `json:"message"`
	} `json:"rejected"`
}

// errRefused is an answer that trying again does not change.
var errRefused = errors.New("refused for good")

// Send posts a body that holds n events until it is accepted or refused for good, or ctx ends.
func (c *Client) Send(ctx context.Context, body []byte, n int) (Answer, error) {
	c.InFlight.Add(int64(n))
	defer c.InFlight.Add(-int64(n))
	const pause = 20 * time.Millisecond
	urls := append([]string{c.URL}, c.Others...)
	for try := 0; ; try++ {
		answer, err := c.post(ctx, urls[try%len(urls)], body)
		if err == nil || errors.Is(err, errRefused) || ctx.Err() != nil {
			return answer, err
		}
		c.Retries.Add(1)
		select {
		case <-ctx.Done():
			return answer, fmt.Errorf("sending %d events: %w", n, err)
		case <-time.After(pause):
		}
	}
}

func (c *Client) post(ctx context.Context, url string, body []byte) (Answer, error) {
	var answer Answer
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer, fmt.Errorf("%w: %w", errRefused, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		c.Unknown.Add(1)
		return answer, fmt.Errorf("posting: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Unknown.Add(1)
		return answer, fmt.Errorf("reading the answer: %w", err)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		if err := json.Unmarshal(b, &answer); err != nil {
			return answer, fmt.Errorf("%w: reading the answer %q: %w", errRefused, b, err)
		}
		return answer, nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError:
		return answer, fmt.Errorf("%s: %s", resp.Status, b)
	default:
		return answer, fmt.Errorf("%w: %s: %s", errRefused, resp.Status, b)
	}
}
