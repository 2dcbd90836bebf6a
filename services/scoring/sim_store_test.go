package scoring

import (
	"context"
	"fmt"
	"time"

	"hale.dev/services/internal/store"
)

// simStore is a store that keeps the contract of package store, but for what a mutant breaks. It can be put back to an
// older state.
type simStore struct {
	sim    *simulation
	parts  []*simPart
	mutant simMutant
	broken int // how often the mutant broke its rule
}

func newSimStore(s *simulation, partitions int, mutant simMutant) *simStore {
	out := &simStore{sim: s, mutant: mutant}
	for p := range partitions {
		out.parts = append(out.parts, newSimPart(p))
	}
	return out
}

func (s *simStore) claim(partition int, l store.Lease) (store.Head, error) {
	p, now := s.parts[partition], s.sim.now
	held := p.lease.Owner != "" && (p.until.After(now) || s.mutant == mutantLeaseForEver)
	if l.Owner != "" && held && p.lease.Owner != l.Owner {
		out := p.lease
		out.TTL = max(p.until.Sub(now), time.Millisecond)
		return store.Head{}, &store.HeldError{Lease: out}
	}
	p.save()
	p.grant(l, now)
	epoch := p.head.Epoch + 1
	p.head.Epoch = max(epoch, uint64(now.UnixMicro()))
	s.sim.count("claims")
	s.sim.sayf("%s claims partition %d: epoch +%d, cursor %d", l.Owner, partition, s.sim.short(epoch), p.head.Cursor)
	return p.head, nil
}

func (s *simStore) renew(partition int, epoch uint64, l store.Lease) error {
	p := s.parts[partition]
	if epoch != p.head.Epoch {
		return store.ErrFenced
	}
	p.save()
	p.grant(l, s.sim.now)
	return nil
}

func (s *simStore) release(partition int, epoch uint64) error {
	p := s.parts[partition]
	if epoch != p.head.Epoch {
		return store.ErrFenced
	}
	p.save()
	p.lease = store.Lease{}
	s.sim.sayf("partition %d is released", partition)
	return nil
}

func (s *simStore) read(partition int, keys []string) (store.Head, [][]byte) {
	p := s.parts[partition]
	values := make([][]byte, len(keys))
	for i, k := range keys {
		values[i] = p.values[k]
	}
	return p.head, values
}

// fits is the check of a commit.
func (s *simStore) fits(p *simPart, c *store.Commit) bool {
	epoch, generation, from := c.Epoch == p.head.Epoch, c.Generation == p.head.Generation, c.From == p.head.Cursor
	revision := c.Revision == 0 || c.Revision == p.head.Revision
	whole := epoch && generation && from && revision
	switch s.mutant { //nolint:exhaustive // the rest break other rules
	case mutantNoEpoch:
		epoch, revision = true, true
	case mutantNoFrom:
		from, revision = true, true
	case mutantNoRevision:
		revision = true
	default:
	}
	if fits := epoch && generation && from && revision; fits != whole {
		s.broken++
		return fits
	}
	return whole
}

func (s *simStore) commit(c *store.Commit, owner string) error {
	p := s.parts[c.Partition]
	if !s.fits(p, c) {
		s.sim.sayf("%s commits partition %d, %d to %d: fenced (epoch +%d, cursor %d)",
			owner, c.Partition, c.From, c.Cursor, s.sim.short(p.head.Epoch), p.head.Cursor)
		s.sim.count("fenced")
		if s.mutant == mutantFencedWrites {
			s.broken++
			p.save()
			p.write(c, false)
		}
		return store.ErrFenced
	}
	s.sim.checkCommit(p, c)
	p.save()
	p.grant(c.Lease, s.sim.now)
	p.write(c, s.mutant == mutantAppendsTwice && s.sim.commits%97 == 96)
	p.head.Cursor, p.head.State, p.head.Revision = c.Cursor, append([]byte(nil), c.State...), p.head.Revision+1
	s.sim.commits++
	s.sim.count("commits")
	s.sim.sayf("%s commits partition %d, %d to %d: epoch +%d, %d accounts",
		owner, c.Partition, c.From, c.Cursor, s.sim.short(c.Epoch), len(c.Changed))
	return nil
}

// torn is what a lost request leaves: nothing, but where a mutant writes half of it.
func (s *simStore) torn(c *store.Commit) {
	if s.mutant != mutantHalfCommit {
		return
	}
	if p := s.parts[c.Partition]; s.fits(p, c) {
		s.broken++
		p.save()
		p.write(c, false)
	}
}

// fallBack puts a partition back to what it was some commits ago.
func (s *simStore) fallBack(partition, changes int) bool {
	p := s.parts[partition]
	if len(p.before) == 0 || s.mutant == mutantNoEpoch { // a fall-back would show that the revision is not checked
		return false
	}
	head, lease := p.head, p.lease
	for lost := 0; lost < changes && len(p.before) > 0; {
		revision := p.head.Revision
		if p.undo(); p.head.Revision != revision {
			lost++
		}
	}
	for s.mutant == mutantNoFrom && p.head.Cursor == head.Cursor && len(p.before) > 0 {
		p.undo()
	}
	if s.mutant == mutantFallsBackApart {
		s.broken++
		p.head, p.lease = head, lease
	}
	s.sim.sayf("partition %d falls back by %d commits: epoch +%d, cursor %d",
		partition, changes, s.sim.short(p.head.Epoch), p.head.Cursor)
	return true
}

// wipe makes a partition forget everything.
func (s *simStore) wipe(partition int) {
	s.sim.sayf("partition %d is wiped", partition)
	s.parts[partition] = newSimPart(partition)
}

// simStoreHandle is the store as one process sees it.
type simStoreHandle struct {
	store.Store // what is not simulated: a call of it panics

	process *simProcess
}

// Check implements store.Store.
func (h *simStoreHandle) Check(ctx context.Context) error {
	return h.process.call(ctx, nil, false, func() error { return nil })
}

// Claim implements store.Store.
func (h *simStoreHandle) Claim(ctx context.Context, partition int, l store.Lease) (head store.Head, err error) {
	err = h.process.call(ctx, nil, true, func() (err error) {
		head, err = h.process.sim.store.claim(partition, l)
		return err
	})
	return head, err
}

// Renew implements store.Store.
func (h *simStoreHandle) Renew(ctx context.Context, partition int, epoch uint64, l store.Lease) error {
	return h.process.call(ctx, nil, false, func() error { return h.process.sim.store.renew(partition, epoch, l) })
}

// Release implements store.Store.
func (h *simStoreHandle) Release(ctx context.Context, partition int, epoch uint64) error {
	return h.process.call(ctx, nil, false, func() error { return h.process.sim.store.release(partition, epoch) })
}

// Read implements store.Store.
func (h *simStoreHandle) Read(ctx context.Context, partition int, keys ...string) (head store.Head, values [][]byte, err error) {
	err = h.process.call(ctx, nil, false, func() error {
		head, values = h.process.sim.store.read(partition, keys)
		return nil
	})
	return head, values, err
}

// Commit implements store.Store.
func (h *simStoreHandle) Commit(ctx context.Context, c *store.Commit) error {
	request := &simRequest{h.process.group.name, c}
	return h.process.call(ctx, request, true, func() error { return h.process.sim.store.commit(c, request.owner) })
}

// Reset implements store.Store. Log and store always fit here.
func (h *simStoreHandle) Reset(_ context.Context, partition int, _ uint64) (store.Head, error) {
	h.process.sim.violatedf("partition %d is reset without a cause", partition)
	return store.Head{}, fmt.Errorf("simulation: %w", errDead)
}
