package redis

import (
	"context"
	"errors"
	"fmt"

	"hale.dev/services/internal/store"
)

// errAbsent says that there is no head under a key.
var errAbsent = errors.New("no head")

// Read implements store.Store. It is one MGET, so head and values are as of one instant. The keys are those of the
// generation last seen; when the head tells another one, all is read again.
func (s *Store) Read(ctx context.Context, partition int, wanted ...string) (store.Head, [][]byte, error) {
	n := s.keys.of(partition)
	in := n.space.Load()
	for {
		head, values, err := s.readFrom(ctx, n.head, in, wanted)
		if errors.Is(err, errAbsent) { // never claimed
			head, err = store.Head{}, nil
		}
		if err != nil {
			return store.Head{}, nil, fmt.Errorf("reading %d values of partition %d: %w", len(wanted), partition, err)
		}
		if head.Generation == in.generation {
			return head, values, nil
		}
		in = n.see(head.Generation)
	}
}

// readFrom reads a head and values of a generation; errAbsent, with the values, where there is no head.
func (s *Store) readFrom(ctx context.Context, headKey string, in *space, wanted []string) (store.Head, [][]byte, error) {
	args := make([]string, 1, 1+len(wanted))
	args[0] = headKey
	for _, k := range wanted {
		args = append(args, in.value+k)
	}
	var got []any
	err := s.insist(ctx, true, func() (err error) {
		got, err = s.reads.mget(ctx, args)
		return err
	})
	if err != nil {
		return store.Head{}, nil, refusal(err)
	}
	values := make([][]byte, len(wanted))
	for i, v := range got[1:] {
		if v, ok := v.(string); ok {
			values[i] = []byte(v)
		}
	}
	stored, ok := got[0].(string)
	if !ok {
		return store.Head{}, values, errAbsent
	}
	head, err := parseHead(stored)
	return head, values, err
}
