package trial

import (
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
)

// accounts implements fold.Accounts: all of them, in memory.
type accounts struct {
	byID map[string]*health.Account
	// ids in the order in which they came, which is the order of the sweep.
	ids []string
}

// Get implements fold.Accounts.
func (a *accounts) Get(id string) *health.Account { return a.byID[id] }

// Put implements fold.Accounts.
func (a *accounts) Put(id string, account *health.Account) {
	a.byID[id] = account
	a.ids = append(a.ids, id)
}

// chunk returns the ids that the sweep knows as a stored chunk.
func (a *accounts) chunk(n uint32) []string {
	first := min(int(n)*fold.ChunkSize, len(a.ids))
	return a.ids[first:min(first+fold.ChunkSize, len(a.ids))]
}
