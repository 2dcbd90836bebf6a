package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"hale.dev/services/e2e/rig"
)

const (
	batchEvents = 100
	senders     = 64
)

// body is a Segment batch of batchEvents track events, ready to send.
type body []byte

// spread picks the accounts of events.
type spread func(r *rand.Rand) int

func uniform(accounts int) spread {
	return func(r *rand.Rand) int { return r.IntN(accounts) }
}

// zipf is what customers are like: few send much, many send little (exponent 1.1).
func zipf(accounts int, r *rand.Rand) spread {
	const exponent, offset = 1.1, 1
	z := rand.NewZipf(r, exponent, offset, uint64(accounts-1)) //nolint:gosec // positive
	return func(*rand.Rand) int { return int(z.Uint64()) }     //nolint:gosec // below accounts
}

// bodies builds n events in batches. Ids begin with the name, so that bodies of other names count on their own.
func bodies(name string, n int, pick spread, r *rand.Rand) []body {
	out := make([]body, 0, n/batchEvents)
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	for i := 0; i < n; i += batchEvents {
		var b bytes.Buffer
		b.WriteString(`{"batch":[`)
		for j := range batchEvents {
			if j > 0 {
				b.WriteByte(',')
			}
			writeTrack(&b, name+"-"+strconv.Itoa(i+j), pick(r), r.IntN(20), r.IntN(12), now)
		}
		b.WriteString(`],"sentAt":"` + now + `"}`)
		out = append(out, b.Bytes())
	}
	return out
}

func writeTrack(b *bytes.Buffer, id string, account, user, feature int, now string) {
	fmt.Fprintf(b, `{"type":"track","messageId":"%s","userId":"user-%d-%d","event":"Feature %d","timestamp":"%s",`+
		`"context":{"groupId":"account-%d","library":{"name":"analytics-node","version":"3.1.0"}},"properties":{"plan":"pro"}}`,
		id, account, user, feature, now, account)
}

// everyAccount builds one event for each account, so that all exist before the measured part.
func everyAccount(accounts int) []body {
	next := 0
	return bodies("warm", accounts, func(*rand.Rand) int { next++; return next - 1 }, newRand(0))
}

func newRand(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // reproducible load, no secret
}

// send sends all bodies over several connections and returns the token of each connection's last answer.
func send(ctx context.Context, client *rig.Client, all []body) ([]string, error) {
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex
		first  error
		tokens []string
		work   = make(chan body)
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range senders {
		wait.Go(func() {
			token := ""
			for b := range work {
				answer, err := client.Send(ctx, b, batchEvents)
				if err == nil && len(answer.Rejected) > 0 {
					err = fmt.Errorf("event refused: %+v", answer.Rejected[0])
				}
				if err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					cancel()
					return
				}
				token = answer.Token
			}
			mu.Lock()
			tokens = append(tokens, token)
			mu.Unlock()
		})
	}
feed:
	for _, b := range all {
		select {
		case work <- b:
		case <-ctx.Done():
			break feed
		}
	}
	close(work)
	wait.Wait()
	if first != nil {
		return nil, fmt.Errorf("sending: %w", first)
	}
	return tokens, nil
}

func segmentClient(addr, key string) *rig.Client {
	return &rig.Client{
		URL: "http://" + addr + "/v1/batch", Key: key,
		HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * senders}, Timeout: time.Minute},
	}
}
