package fold

import (
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// ChunkSize is how many account ids one stored chunk holds.
const ChunkSize = 1024

// A sweep brings every account of the partition up to date, slice by slice between messages: after
// midnight, when a load closed, when scorecards changed. An account that a message touches is brought up
// to date before, so the outcome does not depend on the sweep's progress; only a message that changes
// the scorecards again waits for its end.

// Sweeping reports whether a sweep is under way.
func (p *Partition) Sweeping() bool { return p.SweepAt < p.SweepEnd }

func (p *Partition) startSweep() { p.SweepAt, p.SweepEnd = 0, p.Accounts }

// SweepChunk returns the number of the stored chunk that SweepNext needs.
func (p *Partition) SweepChunk() uint32 { return p.SweepAt / ChunkSize }

// SweepNext returns the next accounts to sweep, at most limit, none beyond the chunk. chunk holds the ids
// of the stored chunk SweepChunk; ids added since the last Flush are known here.
func (p *Partition) SweepNext(chunk []string, limit int) []string {
	ids := make([]string, 0, limit)
	first := p.SweepChunk() * ChunkSize
	unstored := p.Accounts - uint32(len(p.changed.added)) //nolint:gosec // at most ChunkSize a message
	for at := p.SweepAt; at < min(p.SweepEnd, first+ChunkSize) && len(ids) < limit; at++ {
		if at >= unstored {
			ids = append(ids, p.changed.added[at-unstored])
			continue
		}
		ids = append(ids, chunk[at-first])
	}
	return ids
}

// Sweep brings the accounts that SweepNext named up to date.
func (p *Partition) Sweep(ids []string, accounts Accounts) {
	p.bringAll(ids, accounts)
	p.SweepAt += uint32(len(ids)) //nolint:gosec // bounded by SweepEnd
	p.changed.swept = true
}

// bringAll brings accounts up to date, but for those on which that failed before.
func (p *Partition) bringAll(ids []string, accounts Accounts) {
	for _, id := range ids {
		if _, shunned := p.shunned[id]; shunned {
			continue
		}
		p.sweeping = id
		workspace, _, _ := store.SplitAccount(id)
		if a := accounts.Get(id); a != nil {
			p.bring(id, workspace, a, p.set(workspace))
		}
	}
}

// SweepingAccount returns the account that Sweep is at, or was at when it failed.
func (p *Partition) SweepingAccount() string { return p.sweeping }

func (p *Partition) addAccount(id string) {
	p.changed.added = append(p.changed.added, id)
	p.Accounts++
}

// DecodeChunk reads the ids of a stored chunk.
func DecodeChunk(b []byte) ([]string, error) {
	r := wire.NewReader(b)
	var ids []string
	for r.Len() > 0 {
		ids = append(ids, r.Text())
	}
	if !r.Done() {
		return nil, ErrState
	}
	return ids, nil
}
