package access

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"hale.dev/services/internal/reason"
)

// Reasons of a LimitError.
const (
	reasonRate = "RATE_LIMITED"
	reasonSize = "REQUEST_TOO_LARGE"
)

// Limits bounds the requests of a key, in each process. The zero value bounds nothing.
type Limits struct {
	// Rate is requests a second in the long run; 0: no bound.
	Rate float64 `koanf:"rate"`
	// Burst is how many requests may come at once; 0: as many as Rate, at least 1.
	Burst int `koanf:"burst"`
	// MaxBytes bounds the size of a request, bytes; 0: no bound but the service's own.
	MaxBytes int64 `koanf:"max_request_bytes"`
}

// Validate reports the first value that cannot be used.
func (l Limits) Validate() error {
	if l.Rate < 0 || math.IsNaN(l.Rate) || math.IsInf(l.Rate, 0) || l.Burst < 0 || l.MaxBytes < 0 {
		return fmt.Errorf("access: rate, burst and max_request_bytes must not be negative: %v, %d, %d", l.Rate, l.Burst, l.MaxBytes)
	}

	return nil
}

// LimitError is returned for a request beyond a key's limits. It knows its gRPC status.
type LimitError struct {
	// Reason is stable: RATE_LIMITED or REQUEST_TOO_LARGE.
	Reason string
	// RetryAfter is when the request may be tried again; 0: it never may.
	RetryAfter time.Duration
	// Message is for a person.
	Message string
}

// TooLarge refuses a request that has more bytes than its key allows.
func TooLarge(allowed int64) *LimitError {
	return &LimitError{
		Reason: reasonSize, Message: fmt.Sprintf("the request is larger than the %d bytes that the key allows", allowed),
	}
}

// Error implements error.
func (e *LimitError) Error() string { return "access: " + e.Message }

// GRPCStatus is what grpc answers for this error.
func (e *LimitError) GRPCStatus() *status.Status {
	if e.RetryAfter == 0 {
		return reason.Status(codes.ResourceExhausted, e.Reason, e.Message)
	}

	return reason.Status(codes.ResourceExhausted, e.Reason, e.Message,
		&errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
}

// meter counts the requests of a key.
type meter struct {
	limits Limits
	bucket *rate.Limiter
}

func newMeter(l Limits) *meter {
	m := &meter{limits: l}
	if l.Rate > 0 {
		burst := l.Burst
		if burst == 0 {
			burst = max(1, int(math.Ceil(l.Rate)))
		}

		m.bucket = rate.NewLimiter(rate.Limit(l.Rate), burst)
	}

	return m
}

// fits says whether a request of a size may be made at all.
func (m *meter) fits(size int64) error {
	if m.limits.MaxBytes > 0 && size > m.limits.MaxBytes {
		return TooLarge(m.limits.MaxBytes)
	}

	return nil
}

// full says that nothing was counted lately: the meter is as good as a new one.
func (m *meter) full(now time.Time) bool {
	return m.bucket == nil || m.bucket.TokensAt(now) >= float64(m.bucket.Burst())
}

// take counts a request, or says why it may not be made.
func (m *meter) take(now time.Time, size int64) error {
	if err := m.fits(size); err != nil {
		return err
	}

	if m.bucket == nil || m.bucket.AllowN(now, 1) {
		return nil
	}

	// A reservation tells how long it would take, and is given back.
	r := m.bucket.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	r.CancelAt(now)

	return &LimitError{
		Reason: reasonRate, RetryAfter: max(wait, time.Millisecond),
		Message: fmt.Sprintf("the key makes more than %v requests a second", m.limits.Rate),
	}
}
