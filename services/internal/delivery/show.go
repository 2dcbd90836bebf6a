package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// Of returns what became of an alert's transitions at each receiver, the newest first.
func (s *Stream) Of(ctx context.Context, workspace, alertID string) ([]*alertv1.Delivery, error) {
	filter, err := deliveriesOf(workspace, alertID)
	if err != nil {
		return nil, err
	}

	var found []*Delivery

	err = s.read(ctx, filter, func(m jetstream.Msg, _ *jetstream.MsgMetadata) error {
		r, err := decode(m.Subject(), m.Data())
		if d, ok := r.(*Delivery); ok {
			found = append(found, d)
		}

		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the deliveries of alert %q: %w", alertID, err)
	}

	var (
		answer  = make([]*alertv1.Delivery, 0, len(found))
		notices = map[string]*Notice{}
	)

	for _, d := range slices.Backward(found) {
		if d.Notice != "" && notices[d.Notice] == nil {
			if notices[d.Notice], err = s.notice(ctx, workspace, d.Notice); err != nil {
				return nil, err
			}
		}

		answer = append(answer, show(d, notices[d.Notice]))
	}

	return answer, nil
}

// notice reads a notice; one that is not closed yet is pending.
func (s *Stream) notice(ctx context.Context, workspace, id string) (*Notice, error) {
	subject, err := noticeSubject(workspace, id)
	if err != nil {
		return nil, err
	}

	m, err := s.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return &Notice{Status: StatusPending}, nil
	}

	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", subject, err)
	}

	n := &Notice{}
	if err := json.Unmarshal(m.Data, n); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, subject, err)
	}

	return n, nil
}

// show is a delivery as the API has it.
func show(d *Delivery, n *Notice) *alertv1.Delivery {
	shown := &alertv1.Delivery{
		Receiver: d.Receiver, TransitionId: d.TransitionID(), At: timestamppb.New(d.At),
		Status: alertv1.Delivery_STATUS_SKIPPED, Reason: d.Skipped,
	}

	if d.Skipped != "" {
		return shown
	}

	if n.ID == "" { // it gathers
		shown.Status, shown.NextTry = alertv1.Delivery_STATUS_PENDING, timestamppb.New(d.Due)

		return shown
	}

	shown.At, shown.Attempts, shown.Reason = timestamppb.New(n.At), n.Attempts, n.Reason

	if reason, skipped := n.Skipped[d.TransitionID()]; skipped {
		shown.At, shown.Attempts, shown.Reason = timestamppb.New(n.Closed), 0, reason

		return shown
	}

	switch n.Status {
	case StatusPending:
		shown.Status, shown.NextTry = alertv1.Delivery_STATUS_PENDING, timestamppb.New(n.NextTry)
	case StatusDelivered:
		shown.Status = alertv1.Delivery_STATUS_DELIVERED
	case StatusDead:
		shown.Status = alertv1.Delivery_STATUS_DEAD
	case StatusSkipped:
	}

	return shown
}

// Letter is a notice that was given up.
type Letter struct {
	*Notice

	// Sequence in the stream.
	Sequence uint64
}

// DeadLetters returns the notices of a workspace that were given up, the newest first: those before a sequence (0: all),
// at most limit. next is the sequence to go on with; 0: there are no more.
func (s *Stream) DeadLetters(
	ctx context.Context, workspace string, before uint64, limit int,
) (letters []Letter, next uint64, err error) {
	filter, err := noticesOf(workspace)
	if err != nil {
		return nil, 0, err
	}

	err = s.read(ctx, filter, func(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		r, err := decode(m.Subject(), m.Data())

		if n, ok := r.(*Notice); ok && n.Status == StatusDead && (before == 0 || meta.Sequence.Stream < before) {
			letters = append(letters, Letter{Notice: n, Sequence: meta.Sequence.Stream})
		}

		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("listing dead letters: %w", err)
	}

	slices.Reverse(letters)

	if len(letters) > limit {
		letters = letters[:limit]
		next = letters[limit-1].Sequence
	}

	return letters, next, nil
}
