package trial

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"hale.dev/services/e2e/rig"
)

const (
	batchFacts = 50
	// chunkFacts are made at once, from one seed; tickets see several events of one chunk.
	chunkFacts = 10_000
	// againIn makes one batch of so many be sent twice on purpose, as a client does that lost an answer.
	againIn = 10
	// giveUp is when a client takes no answer for an answer, and sends again.
	giveUp = 12 * time.Second
)

// batch is one request; its facts can be made again from what stands here.
type batch struct {
	chunk, from int
	// made is the clients' time at which it was made; zero: their clock was right.
	made  time.Time
	acked atomic.Bool
}

// traffic is everything that clients send in a trial.
type traffic struct {
	seed     uint64
	accounts int
	base     time.Time
	clock    *rig.Clock
	clients  []*rig.Client

	mu      sync.Mutex
	batches []*batch
	// chunk is the one in use, number current.
	chunk   []rig.Fact
	current int

	acked, again atomic.Int64
}

// newTraffic makes clients of all ingest processes; each prefers one of them and turns to another when it fails.
func newTraffic(f *rig.Fleet, o Options) *traffic {
	t := &traffic{seed: o.Seed, accounts: o.Accounts, base: time.Now(), clock: &f.Clock, current: -1}
	for i := range o.Senders {
		c := &rig.Client{Key: f.Keys.Ingest, HTTP: &http.Client{Timeout: giveUp, Transport: &http.Transport{}}}
		for j := range f.Ingest {
			url := "http://" + f.Ingest[(i+j)%len(f.Ingest)].Client.Addr() + "/v1/events"
			if j == 0 {
				c.URL = url
			} else {
				c.Others = append(c.Others, url)
			}
		}
		t.clients = append(t.clients, c)
	}
	return t
}

// run sends at a rate for as long as until lasts, then lets what is under way end, for as long as ctx lasts.
func (t *traffic) run(ctx, until context.Context, rate int) error {
	work := make(chan *batch)
	errs := make(chan error, len(t.clients))
	var all sync.WaitGroup
	for _, c := range t.clients {
		all.Go(func() {
			defer c.HTTP.CloseIdleConnections()
			for b := range work {
				if err := t.send(ctx, c, b); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	tick := time.NewTicker(time.Second * batchFacts / time.Duration(rate))
	defer tick.Stop()
	for until.Err() == nil {
		select {
		case <-tick.C:
		case <-until.Done():
			continue
		}
		select {
		case work <- t.next():
		case <-until.Done():
		}
	}
	close(work)
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// next notes the next batch.
func (t *traffic) next() *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.batches) * batchFacts
	b := &batch{chunk: n / chunkFacts, from: n % chunkFacts}
	if wrong := t.clock.Wrong(); wrong != 0 {
		b.made = time.Now().Add(wrong)
	}
	t.batches = append(t.batches, b)
	return b
}

// send sends a batch until it is accepted, and some again.
func (t *traffic) send(ctx context.Context, c *rig.Client, b *batch) error {
	body, err := rig.Body(t.facts(b))
	if err != nil {
		return err
	}
	answer, err := c.Send(ctx, body, batchFacts)
	if err != nil {
		return fmt.Errorf("sending batch %d/%d: %w", b.chunk, b.from, err)
	}
	if len(answer.Rejected) > 0 {
		return fmt.Errorf("event refused: %+v", answer.Rejected[0])
	}
	b.acked.Store(true)
	t.acked.Add(batchFacts)
	if b.from/batchFacts%againIn != 0 {
		return nil
	}
	if _, err = c.Send(ctx, body, batchFacts); err != nil {
		return fmt.Errorf("sending batch %d/%d again: %w", b.chunk, b.from, err)
	}
	t.again.Add(batchFacts)
	return nil
}

// facts makes the facts of a batch, each time the same.
func (t *traffic) facts(b *batch) []rig.Fact {
	t.mu.Lock()
	if t.current != b.chunk {
		t.chunk, t.current = t.makeChunk(b.chunk), b.chunk
	}
	facts := append([]rig.Fact(nil), t.chunk[b.from:b.from+batchFacts]...)
	t.mu.Unlock()
	if !b.made.IsZero() {
		for i := range facts {
			facts[i].Happen(b.made.Add(-time.Duration(i) * time.Millisecond))
		}
	}
	return facts
}

func (t *traffic) makeChunk(n int) []rig.Fact {
	const chunks = 1 << 20                                                      // seeds of chunks of two trials do not meet
	return rig.Traffic(t.seed*chunks+uint64(n), chunkFacts, t.accounts, t.base) //nolint:gosec // not negative
}

// outcomes sums what the clients met.
func (t *traffic) outcomes() (retries, unknown int64) {
	for _, c := range t.clients {
		retries += c.Retries.Load()
		unknown += c.Unknown.Load()
	}
	return retries, unknown
}
