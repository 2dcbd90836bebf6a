package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// A lease is a key that expires by the server's own clock: the owner as a chunk, then the deployment.

// packLease makes the value of the lease's key, and how long it holds in milliseconds; nothing for a zero lease.
func packLease(l store.Lease) (packed []byte, millis int64) {
	if l.Owner == "" {
		return nil, 0
	}
	return append(wire.Append([]byte(nil), l.Owner), l.Deployment...), max(1, l.TTL.Milliseconds())
}

// parseLease reads what is left of a lease; millis below 0 (there is no key) is none.
func parseLease(packed, millis string) (store.Lease, error) {
	left, err := strconv.ParseInt(millis, 10, 64)
	if err != nil || left < 0 {
		return store.Lease{}, nil //nolint:nilerr // a key that does not expire was not set by this package
	}
	owner, deployment, ok := wire.Cut(packed)
	if !ok {
		return store.Lease{}, &store.Error{Reason: store.ReasonFormat, Message: "a lease was written by another version"}
	}
	return store.Lease{Owner: owner, Deployment: deployment, TTL: time.Duration(left) * time.Millisecond}, nil
}

// Claim implements store.Store. What a former owner left to remove is taken over.
func (s *Store) Claim(ctx context.Context, partition int, l store.Lease) (store.Head, error) {
	head, err := s.tryClaim(ctx, partition, l)
	if err != nil {
		return store.Head{}, fmt.Errorf("claiming partition %d: %w", partition, err)
	}
	return head, nil
}

func (s *Store) tryClaim(ctx context.Context, partition int, l store.Lease) (store.Head, error) {
	n := s.keys.of(partition)
	var run string
	err := s.insist(ctx, true, func() (err error) { // the server may be another one at the next try
		run, err = s.renew(ctx, n)
		return err
	})
	if err != nil {
		return store.Head{}, refusal(err)
	}
	packed, millis := packLease(l)
	got, err := s.call(ctx, s.scripts.claim, []string{n.head, n.stale, n.lease, n.draft, n.renewed},
		packed, wire.Append([]byte(nil), l.Owner), millis, run).StringSlice()
	if err != nil {
		return store.Head{}, refusal(err)
	}
	if got[0] == "" {
		held, err := parseLease(got[1], got[2])
		if err != nil {
			return store.Head{}, err
		}
		return store.Head{}, &store.HeldError{Lease: held}
	}
	head, err := parseHead(got[0])
	if err != nil {
		return store.Head{}, err
	}
	n.see(head.Generation)
	if got[1] != "" {
		s.sweep(partition)
	}
	return head, nil
}

// Renew implements store.Store.
func (s *Store) Renew(ctx context.Context, partition int, epoch uint64, l store.Lease) error {
	packed, millis := packLease(l)
	if packed == nil { // the script would end the lease
		status, err := s.Inspect(ctx, partition)
		if err == nil && status.Epoch != epoch {
			return store.ErrFenced
		}
		return err
	}
	return s.setLease(ctx, "renewing the lease of", partition, epoch, packed, millis)
}

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, partition int, epoch uint64) error {
	return s.setLease(ctx, "releasing", partition, epoch, nil, 0)
}

func (s *Store) setLease(ctx context.Context, doing string, partition int, epoch uint64, packed []byte, millis int64) error {
	n := s.keys.of(partition)
	done, err := s.call(ctx, s.scripts.lease, []string{n.head, n.lease}, epochGuard(epoch), packed, millis).Int64()
	if err != nil {
		return fmt.Errorf("%s partition %d: %w", doing, partition, refusal(err))
	}
	if done == 0 {
		return store.ErrFenced
	}
	return nil
}

// Inspect implements store.Store.
func (s *Store) Inspect(ctx context.Context, partition int) (store.Status, error) {
	n := s.keys.of(partition)
	got, err := s.call(ctx, s.scripts.inspect, []string{n.head, n.lease, n.draft}).StringSlice()
	if err != nil {
		return store.Status{}, fmt.Errorf("looking at partition %d: %w", partition, refusal(err))
	}
	status, err := parseStatus(got)
	if err != nil {
		return store.Status{}, fmt.Errorf("looking at partition %d: %w", partition, err)
	}
	return status, nil
}

// parseStatus reads what inspect.lua returns.
func parseStatus(got []string) (status store.Status, err error) {
	if status.Head, err = parseHead(got[0]); err != nil {
		return status, err
	}
	if status.Lease, err = parseLease(got[1], got[2]); err != nil {
		return status, err
	}
	if got[3] == "" {
		return status, nil
	}
	draft, err := parseHead(got[3])
	status.Draft = &draft
	return status, err
}
