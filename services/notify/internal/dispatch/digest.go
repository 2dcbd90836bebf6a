package dispatch

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"hale.dev/services/internal/delivery"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

const (
	// digestPause is how long a digest that could not be made waits for the next try.
	digestPause = time.Minute
	// maxDigest bounds an encoded digest, which takes a third more in a record, so that the stream takes it.
	maxDigest = 300 << 10
)

// DueDigest is a digest whose time has come.
type DueDigest struct {
	Workspace string
	Digest    *receiver.Digest
	// From and To bound its period.
	From, To time.Time
}

// TakeDigests returns the digests that are to be made now, each once until DigestFailed or DigestMade is said of it. Of
// several periods that passed meanwhile only the last is made. A digest that is new begins with its next period: then the
// write says so.
func (s *State) TakeDigests(now time.Time) (due []DueDigest, writes []delivery.Write, err error) {
	for ws, setup := range s.setups {
		if setup.Receivers == nil {
			continue
		}

		for _, d := range setup.Receivers.Digests {
			at := place{ws, d.Name}

			from, to := d.Last(now)
			if s.making[at] || now.Before(s.retryDigest[at]) || !to.After(s.periods[at]) {
				continue
			}

			if s.periods[at].IsZero() {
				w, err := s.DigestMade(ws, d.Name, to)
				if err != nil {
					return nil, nil, err
				}

				writes = append(writes, w)

				continue
			}

			s.making[at] = true
			due = append(due, DueDigest{Workspace: ws, Digest: d, From: later(from, s.periods[at]), To: to})
		}
	}

	return due, writes, nil
}

// DigestFailed says that a digest could not be made; it is tried again.
func (s *State) DigestFailed(workspace, name string, now time.Time) {
	at := place{workspace, name}
	delete(s.making, at)
	s.retryDigest[at] = now.Add(digestPause)
}

// AddDigest takes in what an owner is to be told, and returns what is to be written; nothing, if that was done before.
func (s *State) AddDigest(due DueDigest, d *sender.Digest, now time.Time) ([]delivery.Write, error) {
	id := digestID(due, d.Owner)
	if s.written[due.Workspace+"."+id] != 0 {
		return nil, nil
	}

	content, err := fitDigest(d)
	if err != nil {
		return nil, err
	}

	record := &delivery.Notice{
		ID: id, Workspace: due.Workspace, Receiver: due.Digest.Receiver, Group: "digest/" + due.Digest.Name + "/" + d.Owner,
		Status: delivery.StatusPending, Closed: now, At: now, Since: now, NextTry: now, Digest: content,
	}
	w := s.write(record)

	return []delivery.Write{w}, s.apply(record)
}

// fitDigest encodes a digest. One that a record has no room for loses the ends of its lists.
func fitDigest(d *sender.Digest) ([]byte, error) {
	for {
		content, err := encodeDigest(d)
		if err != nil || len(content) <= maxDigest {
			return content, err
		}

		d.Fell, d.Rose = d.Fell[:len(d.Fell)/2], d.Rose[:len(d.Rose)/2]
		d.Renewals, d.Open = d.Renewals[:len(d.Renewals)/2], d.Open[:len(d.Open)/2]
	}
}

// DigestMade says that all owners' digests of a period are written.
func (s *State) DigestMade(workspace, name string, to time.Time) (delivery.Write, error) {
	at := place{workspace, name}
	delete(s.making, at)
	delete(s.retryDigest, at)

	p := &delivery.Period{Workspace: workspace, Digest: name, To: to}
	w := s.write(p)

	return w, s.apply(p)
}

// digestID is the same whoever makes the digest, and however often.
func digestID(due DueDigest, owner string) string {
	parts := []string{due.Workspace, due.Digest.Name, due.To.UTC().Format(time.RFC3339), owner}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))

	return hex.EncodeToString(sum[:idBytes])
}

// nextDigest is when a digest is to be made next; zero: there is none.
func (s *State) nextDigest(now time.Time) time.Time {
	var next time.Time

	for ws, setup := range s.setups {
		if setup.Receivers == nil {
			continue
		}

		for _, d := range setup.Receivers.Digests {
			at := place{ws, d.Name}

			wake := d.Next(now)
			if _, to := d.Last(now); to.After(s.periods[at]) && !s.making[at] {
				wake = later(now, s.retryDigest[at])
			}

			if next.IsZero() || wake.Before(next) {
				next = wake
			}
		}
	}

	return next
}
