package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// errEnough ends a read.
var errEnough = errors.New("enough")

// Sweep removes the records that are older than a time and of which keep does not say that they are needed, and returns
// how many. The cursor stays.
func (s *Stream) Sweep(ctx context.Context, before time.Time, keep func(Record) bool) (removed int, err error) {
	var old []uint64

	err = s.read(ctx, "", func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		if !meta.Timestamp.Before(before) {
			return errEnough
		}

		r, err := decode(m.Subject(), m.Data())
		if err != nil {
			return err
		}

		if _, cursor := r.(*Cursor); r != nil && !cursor && !keep(r) {
			old = append(old, meta.Sequence.Stream)
		}

		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, fmt.Errorf("looking for old deliveries: %w", err)
	}

	for _, sequence := range old {
		if err := s.stream.DeleteMsg(ctx, sequence); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return removed, fmt.Errorf("removing an old delivery: %w", err)
		}

		removed++
	}

	return removed, nil
}
