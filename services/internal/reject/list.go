package reject

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// defaultPage and maxPage bound a page of List.
	defaultPage = 100
	maxPage     = 1000
	// widen is the factor by which List looks further back while it found too few.
	widen = 8
	// keyPage is how many entries ByKey reads at once.
	keyPage = 256
)

// List returns entries of a workspace, newest first: those before a sequence (0: from the newest), at most limit
// (0: 100, at most 1,000), with a code (empty: any). The second result is the next before; 0: there are no more.
func (s *Stream) List(
	ctx context.Context, workspace, code string, before uint64, limit int,
) ([]Stored, uint64, error) {
	if limit <= 0 {
		limit = defaultPage
	}

	limit = min(limit, maxPage)

	info, err := s.stream.Info(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: asking for %s: %w", ErrUnavailable, streamName, err)
	}

	first, end := info.State.FirstSeq, info.State.LastSeq+1
	if before > 0 {
		end = min(end, before)
	}

	find := &search{stream: s, filter: filter(workspace, code), first: first, end: end, want: limit + 1}

	from, err := find.from(ctx)
	if err != nil {
		return nil, 0, err
	}

	var found []Stored

	err = s.walk(ctx, find.filter, from, end, 2*find.want, func(entry Stored) error {
		found = append(found, entry)

		return nil
	})
	if err != nil {
		return nil, 0, err
	}

	slices.Reverse(found)

	if len(found) <= limit {
		return found, 0, nil
	}

	return found[:limit], found[limit-1].Sequence, nil
}

// search finds the sequence from which reading forward to end yields enough entries, and not many more: the server
// reads forward only, but counts matches after a sequence from its index.
type search struct {
	stream     *Stream
	filter     string
	first, end uint64
	want       int
}

func (s *search) from(ctx context.Context) (uint64, error) {
	after, err := s.stream.count(ctx, s.filter, s.end)
	if err != nil {
		return 0, err
	}

	low := s.end
	for width := uint64(2 * s.want); low > s.first; width *= widen { //nolint:gosec // positive
		high := low // there are too few
		low = max(s.first, s.end-min(width, s.end))

		enough, many, err := s.judge(ctx, low, after)
		if err != nil || (enough && !many) {
			return low, err
		}

		if enough {
			return s.narrow(ctx, low, high, after)
		}
	}

	return min(low, s.end), nil
}

// narrow looks between low, where there are too many, and high, where there are too few.
func (s *search) narrow(ctx context.Context, low, high uint64, after int) (uint64, error) {
	for high-low > 1 {
		middle := low + (high-low)/2 // halves

		enough, many, err := s.judge(ctx, middle, after)
		if err != nil || (enough && !many) {
			return middle, err
		}

		if enough {
			low = middle
		} else {
			high = middle
		}
	}

	return low, nil
}

// judge tells whether reading from a sequence yields enough, and whether it yields too many.
func (s *search) judge(ctx context.Context, from uint64, after int) (enough, many bool, err error) {
	count, err := s.stream.count(ctx, s.filter, from)
	count -= after

	return count >= s.want, count > 2*s.want, err
}

// Get reads one entry of a workspace.
func (s *Stream) Get(ctx context.Context, workspace string, seq uint64) (Stored, error) {
	if seq == 0 {
		return Stored{}, fmt.Errorf("%w: entry 0", ErrNotFound)
	}

	raw, err := s.stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Stored{}, fmt.Errorf("%w: entry %d", ErrNotFound, seq)
	}

	if err != nil {
		return Stored{}, fmt.Errorf("%w: reading entry %d: %w", ErrUnavailable, seq, err)
	}

	entry, err := decode(raw.Data)
	if err != nil {
		return Stored{}, fmt.Errorf("reading entry %d: %w", seq, err)
	}

	if entry.Workspace != workspace {
		return Stored{}, fmt.Errorf("%w: entry %d", ErrNotFound, seq)
	}

	return Stored{Reject: entry, Sequence: raw.Sequence, At: raw.Time}, nil
}

// ByKey calls f for every entry of a workspace with a code and a key, oldest first. f may delete entries.
func (s *Stream) ByKey(ctx context.Context, workspace, code, key string, f func(Stored) error) error {
	return s.walk(ctx, keyFilter(workspace, code, key), 1, 0, keyPage, f)
}
