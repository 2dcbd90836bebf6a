package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

const (
	// sweepPeriod is how often timeouts and retries are looked for.
	sweepPeriod = 50 * time.Millisecond
	// retryPause is how long a batch waits that the server did not take (no stream leader, still starting).
	retryPause = 200 * time.Millisecond
	// resendShare of the timeout passes without an answer, and a batch is sent again: a server that lost its
	// lead, or its JetStream, may swallow one.
	resendShare = 4
	tokenBase   = 36
)

// publisher sends batches and matches the server's acknowledgements. A batch that got no answer is sent again when
// the connection comes back, or after a pause, until its time is up. So it may be in the log twice; its records
// count once.
type publisher struct {
	conn    *nats.Conn
	timeout time.Duration
	metrics *writerMetrics
	layout  Layout
	settle  func(b *batch, seq uint64, err error)
	inbox   string
	acks    *nats.Subscription
	broken  error // why acks is nil
	status  chan nats.Status

	mu      sync.Mutex
	last    uint64
	pending map[uint64]*batch
}

func newPublisher(
	l *Log, o WriterOptions, metrics *writerMetrics, settle func(*batch, uint64, error),
) *publisher {
	p := &publisher{
		conn: l.conn, timeout: o.AckTimeout, metrics: metrics, layout: l.layout, settle: settle,
		inbox: l.conn.NewInbox() + ".", pending: map[uint64]*batch{},
	}
	p.status = l.conn.StatusChanged(nats.CONNECTED)
	p.acks, p.broken = l.conn.Subscribe(p.inbox+"*", p.answered)

	return p
}

// publish sends a batch for the first time. It does not wait for the answer.
func (p *publisher) publish(b *batch) {
	b.build()

	if p.broken != nil {
		p.end(b, 0, fmt.Errorf("%w: subscribing to acknowledgements: %w", ErrUnavailable, p.broken))

		return
	}

	p.mu.Lock()
	p.last++
	token := p.last
	p.pending[token] = b
	p.mu.Unlock()
	p.send(token, b)
}

// send gives the batch to the connection. While that is down the batch waits for it to come back, rather than in
// the connection's own buffer, out of which it would be sent a second time.
func (p *publisher) send(token uint64, b *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.pending[token] != b { // settled meanwhile
		return
	}

	b.retry = time.Time{}
	b.epoch = p.conn.Stats().Reconnects

	if !p.conn.IsConnected() {
		return
	}

	message := nats.Msg{
		Subject: subject(b.partition), Reply: p.inbox + strconv.FormatUint(token, tokenBase), Data: *b.data,
	}
	if span := b.span(); span.IsValid() {
		message.Header = nats.Header{}
		ctx := trace.ContextWithSpanContext(context.Background(), span)
		propagation.TraceContext{}.Inject(ctx, Carrier(message.Header))
	}

	if !b.sent.IsZero() {
		p.metrics.retried()
	}

	b.sent = time.Now()

	if err := p.conn.PublishMsg(&message); err != nil {
		b.retry = b.sent.Add(retryPause)
	}
}

// end settles a batch that is no longer pending.
func (p *publisher) end(b *batch, seq uint64, err error) {
	p.settle(b, seq, err)
	giveBuffer(b.data)
	b.data = nil
}

// ack is the server's answer to a publish.
type ack struct {
	Stream   string `json:"stream"`
	Sequence uint64 `json:"seq"`
	Error    *struct {
		Code        int    `json:"code"`
		ErrCode     int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// answered handles one acknowledgement.
func (p *publisher) answered(m *nats.Msg) {
	token, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, p.inbox), tokenBase, 64)
	if err != nil {
		return // not ours
	}

	seq, err := parseAck(m)

	p.mu.Lock()
	b := p.pending[token]

	if b == nil { // late, or a second answer
		p.mu.Unlock()

		return
	}

	if errors.Is(err, ErrUnavailable) {
		b.retry = time.Now().Add(retryPause)
		p.mu.Unlock()

		return
	}

	delete(p.pending, token)
	p.mu.Unlock()
	p.end(b, seq, err)
}

// JetStream's error codes that are told apart, beside those of stream.go.
const (
	codeAccountExceeded = 10002
	codeStoreFailed     = 10077
	codeTooLarge        = 10054
)

// parseAck reads an answer. ErrUnavailable: worth another try.
func parseAck(m *nats.Msg) (uint64, error) {
	if len(m.Data) == 0 { // a status, such as 503: no stream listens
		return 0, fmt.Errorf("%w: status %s", ErrUnavailable, m.Header.Get("Status"))
	}

	var answer ack
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return 0, fmt.Errorf("%w: reading an acknowledgement: %w", ErrUnavailable, err)
	}

	if e := answer.Error; e != nil {
		switch e.ErrCode {
		case codeAccountExceeded, int(codeInsufficientResources), int(codeStorageExceeded):
			return 0, fmt.Errorf("%w: %s", ErrFull, e.Description)
		case codeStoreFailed:
			if strings.HasPrefix(e.Description, "maximum ") {
				return 0, fmt.Errorf("%w: %s", ErrFull, e.Description)
			}
		case codeTooLarge:
			return 0, fmt.Errorf("%w: %s", ErrTooLarge, e.Description)
		}

		return 0, fmt.Errorf("%w: %s (%d)", ErrUnavailable, e.Description, e.ErrCode)
	}

	if answer.Sequence == 0 {
		return 0, fmt.Errorf("%w: an acknowledgement without a sequence", ErrUnavailable)
	}

	return answer.Sequence, nil
}

// run sends again what needs it, and gives up on what took too long, until ctx ends.
func (p *publisher) run(ctx context.Context) {
	ticker := time.NewTicker(sweepPeriod)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-p.status: // connected again
			p.sweep(time.Now())
		case now := <-ticker.C:
			p.sweep(now)
		}
	}
}

// sweep looks through all pending batches.
func (p *publisher) sweep(now time.Time) {
	again, expired := p.sort(now)

	for _, token := range again {
		p.mu.Lock()
		b := p.pending[token]
		p.mu.Unlock()

		if b != nil {
			p.send(token, b)
		}
	}

	for _, b := range expired {
		p.end(b, 0, fmt.Errorf("%w: no acknowledgement within %s", ErrUnavailable, p.timeout))
	}
}

// sort finds the batches to be sent again, and takes away those whose time is up.
func (p *publisher) sort(now time.Time) (again []uint64, expired []*batch) {
	epoch := p.conn.Stats().Reconnects

	p.mu.Lock()
	defer p.mu.Unlock()

	for token, b := range p.pending {
		switch {
		case now.Sub(b.born) > p.timeout:
			delete(p.pending, token)

			expired = append(expired, b)
		case b.sent.IsZero(), // the connection was down
			b.epoch != epoch, // the answer went to a connection that is no more
			!b.retry.IsZero() && now.After(b.retry),
			now.Sub(b.sent) > p.timeout/resendShare:
			again = append(again, token)
		}
	}

	slices.Sort(again) // oldest first

	return again, expired
}

// close ends the subscription and fails what is pending.
func (p *publisher) close() error {
	p.conn.RemoveStatusListener(p.status)

	var err error
	if p.acks != nil && !p.conn.IsClosed() {
		err = p.acks.Unsubscribe()
	}

	p.mu.Lock()
	left := p.pending
	p.pending = map[uint64]*batch{}
	p.mu.Unlock()

	for _, b := range left {
		p.end(b, 0, ErrClosed)
	}

	if err != nil {
		return fmt.Errorf("ending the subscription to acknowledgements: %w", err)
	}

	return nil
}
