package demo

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	"hale.dev/services/internal/cli/sender"
)

const (
	// batchEvents and batchBytes keep requests well below what the server takes: 10,000 events
	// and 4 MiB.
	batchEvents = 4000
	batchBytes  = 2 << 20
	// connections that load at the same time.
	connections = 6
)

// Player plays a portfolio into a server, with the admin key: history needs it.
type Player struct {
	// Sender to the server.
	Sender *sender.Sender
}

// ErrRefused says that the server refused an event of a story: server and demo do not fit.
var ErrRefused = errors.New("the server refused events")

// History loads the whole history under the id of a load, several accounts at a time, and each
// account's events in order. It tells progress, from several goroutines, how many more events
// are durable. The load stays open: close it next.
func (p *Player) History(ctx context.Context, portfolio *Portfolio, load string, progress func(events int)) error {
	accounts := make(chan *Account)
	group, ctx := errgroup.WithContext(ctx)

	group.Go(func() error {
		defer close(accounts)

		for i := range portfolio.Accounts {
			select {
			case accounts <- &portfolio.Accounts[i]:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}

		return nil
	})

	for range connections {
		group.Go(func() error {
			b := batch{player: p, progress: progress}

			for a := range accounts {
				for _, e := range portfolio.History(a) {
					e.Historical = load

					if err := b.add(ctx, e); err != nil {
						return err
					}
				}
			}

			return b.send(ctx)
		})
	}

	return group.Wait() //nolint:wrapcheck // the parts say what they did
}

// Send sends events and returns the token that names their place in the log.
func (p *Player) Send(ctx context.Context, events ...*eventv1.Event) (token string, err error) {
	var body []byte
	for _, e := range events {
		body = append(AppendJSON(body, e), '\n')
	}

	return p.post(ctx, body)
}

func (p *Player) post(ctx context.Context, body []byte) (token string, err error) {
	answer, err := p.Sender.Send(ctx, body, true)
	if err != nil {
		return "", err
	}

	if len(answer.Rejected) > 0 {
		r := answer.Rejected[0]

		return "", fmt.Errorf("%w: %d, the first is %q: %s %s (%s)",
			ErrRefused, len(answer.Rejected), r.MessageID, r.Field, r.Message, r.Code)
	}

	return answer.Token, nil
}

// batch gathers lines until they fill a request.
type batch struct {
	player   *Player
	progress func(int)
	body     []byte
	events   int
}

func (b *batch) add(ctx context.Context, e *eventv1.Event) error {
	b.body = append(AppendJSON(b.body, e), '\n')
	b.events++

	if b.events < batchEvents && len(b.body) < batchBytes {
		return nil
	}

	return b.send(ctx)
}

func (b *batch) send(ctx context.Context) error {
	if b.events == 0 {
		return nil
	}

	if _, err := b.player.post(ctx, b.body); err != nil {
		return err
	}

	b.progress(b.events)
	b.body, b.events = b.body[:0], 0

	return nil
}
