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
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"hale.dev/services/internal/jsretry"
)

const (
	// retryPause is how long a batch waits that the server did not take (no stream leader, still starting).
	retryPause = 200 * time.Millisecond
	// resendShare of the timeout passes without any answer of a stream, and its oldest batch is sent again: a server
	// that lost its lead, or its JetStream, may swallow them.
	resendShare = 4
	tokenBase   = 36
	// triesMark parts the token of a batch from how often it was sent.
	triesMark = "-"
)

// publisher sends batches and matches the server's acknowledgements. A batch that got no answer is sent again when
// the connection comes back, or when the server is seen to have passed over it, until its time is up. So it may be in
// the log twice; its records count once.
//
// A stream that does not answer is asked again with its oldest batch only: on a slow network, or without a leader,
// sending everything again would make matters worse.
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
	streams []progress
}

// progress is how far the server is known to have come with a stream.
type progress struct {
	// answered is when it last took a batch.
	answered time.Time
	// passed is when the latest of the batches that it took was sent. Those sent well before were swallowed.
	passed time.Time
}

func newPublisher(
	l *Log, o WriterOptions, metrics *writerMetrics, settle func(*batch, uint64, error),
) *publisher {
	p := &publisher{
		conn: l.conn, timeout: o.AckTimeout, metrics: metrics, layout: l.layout, settle: settle,
		inbox: l.conn.NewInbox() + ".", pending: map[uint64]*batch{}, streams: make([]progress, l.layout.Streams),
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
	b.fresh = true
	p.pending[token] = b
	p.mu.Unlock()
	p.send(token, b)
}

// send gives the batch to the connection, which may take its time. While that is down the batch waits for it to come
// back, rather than in the connection's own buffer, out of which it would be sent a second time.
func (p *publisher) send(token uint64, b *batch) {
	if !p.begin(token, b, p.conn.Stats().Reconnects, p.conn.IsConnected()) {
		return
	}

	message := nats.Msg{
		Subject: subject(b.partition),
		Reply:   p.inbox + strconv.FormatUint(token, tokenBase) + triesMark + strconv.FormatUint(b.tries, tokenBase),
		Data:    *b.data,
	}
	if span := b.span(); span.IsValid() {
		message.Header = nats.Header{}
		ctx := trace.ContextWithSpanContext(context.Background(), span)
		propagation.TraceContext{}.Inject(ctx, Carrier(message.Header))
	}

	err := p.conn.PublishMsg(&message)

	p.mu.Lock()
	defer p.mu.Unlock()

	b.sending = false
	b.sent = time.Now() // another batch that was sent meanwhile did not pass this one over
	if err != nil {
		b.retry = b.sent.Add(retryPause)
	}

	if b.ended { // while it was sent
		giveBuffer(b.data)
		b.data = nil
	}
}

// begin notes that a batch is sent now; false: it is not.
func (p *publisher) begin(token uint64, b *batch, epoch uint64, connected bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.pending[token] != b || b.sending { // settled meanwhile, or in other hands
		return false
	}

	b.fresh, b.retry, b.epoch = false, time.Time{}, epoch

	if !connected {
		b.sent = time.Time{}

		return false
	}

	b.sent = time.Now()
	if b.tries == 0 {
		b.first = b.sent
	} else {
		p.metrics.retried()
	}

	b.tries++
	b.sending = true

	return true
}

// end settles a batch that is no longer pending.
func (p *publisher) end(b *batch, seq uint64, err error) {
	p.settle(b, seq, err)

	p.mu.Lock()
	defer p.mu.Unlock()

	b.ended = true
	if !b.sending {
		giveBuffer(b.data)
		b.data = nil
	}
}

// ack is the server's answer to a publish.
type ack struct {
	Stream   string              `json:"stream"`
	Sequence uint64              `json:"seq"`
	Error    *jetstream.APIError `json:"error"`
}

// answered handles one acknowledgement.
func (p *publisher) answered(m *nats.Msg) {
	token, tries, ok := parseReply(strings.TrimPrefix(m.Subject, p.inbox))
	if !ok {
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
		if tries == b.tries {
			b.retry = time.Now().Add(retryPause)
		}
		p.mu.Unlock()

		return
	}

	p.streams[b.stream].advance(b, tries)
	delete(p.pending, token)
	p.mu.Unlock()
	p.end(b, seq, err)
}

// advance notes that the server has answered the try of a batch.
func (s *progress) advance(b *batch, tries uint64) {
	s.answered = time.Now()

	passed := b.first
	if tries == b.tries {
		passed = b.sent
	}

	if passed.After(s.passed) {
		s.passed = passed
	}
}

// parseReply reads what send put behind the inbox.
func parseReply(s string) (token, tries uint64, ok bool) {
	first, second, _ := strings.Cut(s, triesMark)
	token, err := strconv.ParseUint(first, tokenBase, 64)
	tries, triesErr := strconv.ParseUint(second, tokenBase, 64)

	return token, tries, err == nil && triesErr == nil
}

// codeTooLarge is JetStream's for a message over the bound of its stream.
const codeTooLarge = jetstream.ErrorCode(10054)

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
		switch {
		case jsretry.Full(e):
			return 0, fmt.Errorf("%w: %s", ErrFull, e.Description)
		case e.ErrorCode == codeTooLarge:
			return 0, fmt.Errorf("%w: %s", ErrTooLarge, e.Description)
		default:
			return 0, fmt.Errorf("%w: %s (%d)", ErrUnavailable, e.Description, e.ErrorCode)
		}
	}

	if answer.Sequence == 0 {
		return 0, fmt.Errorf("%w: an acknowledgement without a sequence", ErrUnavailable)
	}

	return answer.Sequence, nil
}

// resend sends again what needs it, until ctx ends.
func (p *publisher) resend(ctx context.Context) {
	ticker := time.NewTicker(sweepPeriod)
	defer ticker.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-p.status: // connected again
		case <-ticker.C:
		}

		for _, token := range p.stale(time.Now(), p.conn.Stats().Reconnects) {
			p.mu.Lock()
			b := p.pending[token]
			p.mu.Unlock()

			if b != nil {
				p.send(token, b)
			}
		}
	}
}

// stale lists the batches to be sent again, oldest first.
func (p *publisher) stale(now time.Time, epoch uint64) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()

	oldest := make([]uint64, len(p.streams))
	for token, b := range p.pending {
		if o := &oldest[b.stream]; *o == 0 || token < *o {
			*o = token
		}
	}

	var again []uint64

	for token, b := range p.pending {
		if !b.fresh && !b.sending && p.streams[b.stream].needs(b, token == oldest[b.stream], now, epoch, p.timeout/resendShare) {
			again = append(again, token)
		}
	}

	slices.Sort(again)

	return again
}

// needs tells whether a batch has to be sent again.
func (s *progress) needs(b *batch, oldest bool, now time.Time, epoch uint64, silence time.Duration) bool {
	switch {
	case b.sent.IsZero(), b.epoch < epoch: // the connection was down, or the answer went to one that is no more
		return true
	case !b.retry.IsZero():
		return now.After(b.retry) && (oldest || s.answered.After(b.sent))
	case b.sent.Add(retryPause).Before(s.passed):
		return true
	default:
		return oldest && now.Sub(b.sent) > silence && now.Sub(s.answered) > silence
	}
}

// expire gives up on the batches whose time is up.
func (p *publisher) expire(now time.Time) {
	var expired []*batch

	p.mu.Lock()

	for token, b := range p.pending {
		if now.After(b.deadline) {
			delete(p.pending, token)

			expired = append(expired, b)
		}
	}

	p.mu.Unlock()

	for _, b := range expired {
		p.end(b, 0, fmt.Errorf("%w: no acknowledgement within %s", ErrUnavailable, p.timeout))
	}
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
