package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Leaders counts the streams that each server leads. A stream that has no leader now does not count.
func (l *Log) Leaders(ctx context.Context) (map[string]int, error) {
	seats, err := l.seats(ctx)
	if err != nil {
		return nil, err
	}

	return count(seats), nil
}

// Spread hands the lead of streams from servers that lead many to servers that lead few, until no two differ by more
// than one, and tells how many it moved. JetStream picks leaders at random, and leaves them where they fell when a
// server was away; the leader of a stream does most of its work. A stream that has no leader now is passed over.
func (l *Log) Spread(ctx context.Context) (moved int, err error) {
	seats, err := l.seats(ctx)
	if err != nil {
		return 0, err
	}

	for _, m := range plan(seats) {
		request := map[string]any{"placement": map[string]string{"preferred": m.to}}

		err := l.api(ctx, apiStepDown+m.stream, request, &struct{}{})
		if err != nil {
			return moved, fmt.Errorf("%w: moving the lead of %s to %s: %w", ErrUnavailable, m.stream, m.to, err)
		}

		moved++
	}

	return moved, nil
}

// spreadAtFirst spreads new streams. Where it fails the log works as well.
func (l *Log) spreadAtFirst(ctx context.Context) {
	if l.layout.Replicas == 1 || l.layout.Streams == 1 {
		return
	}

	if moved, err := l.Spread(ctx); err != nil {
		l.logger.WarnContext(ctx, "the leads of the streams are not spread", "error", err)
	} else {
		l.logger.InfoContext(ctx, "the leads of the streams are spread over the servers", "moved", moved)
	}
}

// seat is who leads a stream and who could, by name; leader is empty while there is none.
type seat struct {
	stream, leader string
	others         []string
}

func (l *Log) seats(ctx context.Context) ([]seat, error) {
	var seats []seat

	for i, stream := range l.streams {
		info, err := l.stateOf(ctx, stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, fmt.Errorf("%w: %s", ErrStreamGone, l.layout.streamName(i))
		}

		if err != nil {
			return nil, fmt.Errorf("%w: asking for %s: %w", ErrUnavailable, l.layout.streamName(i), err)
		}

		s := seat{stream: l.layout.streamName(i)}
		if info.Cluster != nil {
			s.leader = info.Cluster.Leader

			for _, peer := range info.Cluster.Replicas {
				if peer.Current && !peer.Offline {
					s.others = append(s.others, peer.Name)
				}
			}
		}

		seats = append(seats, s)
	}

	return seats, nil
}

func count(seats []seat) map[string]int {
	leads := map[string]int{}

	for _, s := range seats {
		if s.leader == "" {
			continue
		}

		leads[s.leader]++

		for _, other := range s.others {
			leads[other] += 0 // known, though it may lead nothing
		}
	}

	return leads
}

// move of a stream's lead.
type move struct{ stream, to string }

// plan moves one lead after the other from a server to one that leads at least two fewer.
func plan(seats []seat) []move {
	seats = slices.Clone(seats)
	leads := count(seats)

	var moves []move

	for {
		best, to, gain := -1, "", 1

		for i, s := range seats {
			slices.Sort(s.others)

			for _, other := range s.others {
				if s.leader != "" && leads[s.leader]-leads[other] > gain {
					best, to, gain = i, other, leads[s.leader]-leads[other]
				}
			}
		}

		if best < 0 {
			return moves
		}

		s := &seats[best]
		leads[s.leader]--
		leads[to]++

		moves = append(moves, move{stream: s.stream, to: to})
		s.leader, s.others = "", nil // each moves once
	}
}
