package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hale.dev/services/internal/egress"
)

const (
	agent = "Hale"

	contentJSON = "application/json"

	maxReason = 300
	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = time.Hour
)

// post sends a body by HTTP, and makes an error of every answer but 2xx.
func post(ctx context.Context, deps Deps, p Payload, header http.Header) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.To, bytes.NewReader(p.Body))
	if err != nil {
		return permanent("the address cannot be used") // the error repeats it, and it may be secret
	}

	maps.Copy(request.Header, header)

	request.Header.Set("Content-Type", p.ContentType)
	request.Header.Set("User-Agent", agent)

	response, err := deps.Egress.Client().Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()

	return answered(response, deps.Now())
}

// withoutURL makes an error of a call that got no answer. The address may be secret, so it is left out.
func withoutURL(err error) error {
	if e := new(url.Error); errors.As(err, &e) {
		err = e.Err
	}

	if errors.Is(err, egress.ErrRefused) {
		return permanent("%v", egress.ErrRefused)
	}

	return fmt.Errorf("calling the receiver: %w", err)
}

// answered judges an answer. Its body is read to the end, so that the connection can be used again.
func answered(response *http.Response, now time.Time) error {
	body, err := io.ReadAll(response.Body)
	status := response.StatusCode

	switch {
	case status/100 == 2: // what is said behind it does not matter
		return nil
	case err != nil:
		body = nil
	}

	reason := cutBytes(line(string(body)), maxReason)
	if reason == "" {
		reason = http.StatusText(status)
	}

	return &Error{
		Permanent: !retryable(status), RetryAfter: retryAfter(response.Header.Get("Retry-After"), now), Status: status,
		Reason: reason,
	}
}

// retryable tells whether another try could have another answer. Redirects are not followed: an address that moved is
// to be changed by people.
func retryable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return status >= http.StatusInternalServerError
	}
}

// retryAfter reads a header that is a number of seconds or a time; 0: it says nothing usable.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)

	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}

	at, err := http.ParseTime(text)
	if err != nil || !at.After(now) {
		return 0
	}

	return min(at.Sub(now), maxRetryAfter)
}
