package dispatch

import (
	"errors"
	"time"

	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

const (
	firstPause   = 5 * time.Second
	longestPause = 15 * time.Minute
	leastPause   = time.Second
	maxReason    = 512
)

// Result takes what became of a job and returns what is to be written.
func (s *State) Result(j Job, failure error, now time.Time) ([]delivery.Write, error) {
	l := s.lane(j.Workspace, j.Receiver.Name)

	if j.Refresh {
		l.refreshing = false
		l.refreshAt = now.Add(j.Receiver.Resend)

		return nil, nil
	}

	l.inFlight--

	n := l.group(j.Notifications[0].Group).busy[j.ID]
	if n == nil {
		return nil, nil
	}

	n.inFlight = false
	record := *n.record
	record.At, record.Attempts, record.NextTry, record.Reason = now, record.Attempts+1, time.Time{}, ""

	if failure == nil {
		record.Status, record.Digest = delivery.StatusDelivered, nil
	} else {
		s.failed(&record, failure, j.Receiver, now)
	}

	w := s.write(&record)

	return []delivery.Write{w}, s.apply(&record)
}

// failed says what becomes of a notice after a try that failed.
func (s *State) failed(n *delivery.Notice, failure error, r *receiver.Receiver, now time.Time) {
	var after time.Duration

	n.Reason = failure.Error()
	if len(n.Reason) > maxReason {
		n.Reason = n.Reason[:maxReason]
	}

	if refused, ok := errors.AsType[*sender.Error](failure); ok {
		if refused.Permanent {
			n.Status = delivery.StatusDead

			return
		}

		after = refused.RetryAfter
	}

	n.NextTry = now.Add(max(after, s.pause(n.Attempts)))

	if n.NextTry.Sub(n.Since) > r.RetryFor {
		n.Status, n.NextTry = delivery.StatusDead, time.Time{}
	}
}

// pause before the next try: a random part of a time that doubles.
func (s *State) pause(attempts uint32) time.Duration {
	longest := longestPause
	if attempts < 10 { // 5 s doubled nine times is beyond the longest
		longest = min(longest, firstPause<<(attempts-1))
	}

	return max(leastPause, time.Duration(s.random()*float64(longest)))
}

// Resend lets a dead notice be tried again. It returns nothing if there is no such one.
func (s *State) Resend(workspace, id string, now time.Time) ([]delivery.Write, error) {
	for at, l := range s.lanes {
		n := l.dead[id]
		if n == nil || at.workspace != workspace {
			continue
		}

		record := *n.record
		record.Status, record.At, record.Since, record.NextTry = delivery.StatusPending, now, now, now
		w := s.write(&record)

		return []delivery.Write{w}, s.apply(&record)
	}

	return nil, nil
}
