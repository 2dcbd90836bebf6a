package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
	"hale.dev/services/notify/internal/sender"
)

const (
	// chunksAtOnce is how many chunks of account ids one read asks for, accountsAtOnce how many accounts.
	chunksAtOnce   = 8
	accountsAtOnce = 500
)

// Holding is an account with how it was before.
type Holding struct {
	sender.Account

	// Before is the score at the end of a day; nil: it had none.
	Before *float64
}

// Reader is what a portfolio needs of a store.
type Reader interface {
	Read(ctx context.Context, partition int, keys ...string) (store.Head, [][]byte, error)
}

// StoredPortfolio reads the accounts of workspaces from the store, partition by partition. It is for digests: it reads all
// of them every time.
type StoredPortfolio struct {
	store      Reader
	partitions int
}

// NewPortfolio returns what reads the accounts of a store.
func NewPortfolio(s Reader, partitions int) *StoredPortfolio {
	return &StoredPortfolio{store: s, partitions: partitions}
}

// Accounts calls f for every account of a workspace, as it is now, with its score at the end of the last day (UTC) that was
// over at a time.
func (p *StoredPortfolio) Accounts(ctx context.Context, workspace string, before time.Time, f func(Holding)) error {
	day := health.DayOf(before.UnixMicro()) - 1

	for n := range p.partitions {
		for first := uint32(0); ; first += chunksAtOnce {
			ids, end, err := p.ids(ctx, n, first, workspace)
			if err != nil {
				return err
			}

			for some := range slices.Chunk(ids, accountsAtOnce) {
				if err := p.some(ctx, n, some, day, f); err != nil {
					return err
				}
			}

			if end {
				break
			}
		}
	}

	return nil
}

// ids reads chunks of account ids, and returns those of the workspace; end says that there are no more.
func (p *StoredPortfolio) ids(
	ctx context.Context, partition int, first uint32, workspace string,
) (ids []string, end bool, err error) {
	keys := make([]string, chunksAtOnce)
	for i := range keys {
		keys[i] = store.AccountsKey(first + uint32(i))
	}

	_, values, err := p.store.Read(ctx, partition, keys...)
	if err != nil {
		return nil, false, fmt.Errorf("reading the accounts of partition %d: %w", partition, err)
	}

	for _, v := range values {
		if v == nil {
			return ids, true, nil
		}

		some, err := fold.DecodeChunk(v)
		if err != nil {
			return nil, false, fmt.Errorf("reading the accounts of partition %d: %w", partition, err)
		}

		for _, id := range some {
			if ws, _, _ := store.SplitAccount(id); ws == workspace {
				ids = append(ids, id)
			}
		}
	}

	return ids, false, nil
}

// some reads accounts, each with the part of its history that has the day.
func (p *StoredPortfolio) some(ctx context.Context, partition int, ids []string, day health.Day, f func(Holding)) error {
	keys := make([]string, 0, 2*len(ids))
	for _, id := range ids {
		keys = append(keys, store.AccountKey(id), store.HistoryKey(id, fold.EraOf(day)))
	}

	_, values, err := p.store.Read(ctx, partition, keys...)
	if err != nil {
		return fmt.Errorf("reading %d accounts of partition %d: %w", len(ids), partition, err)
	}

	for i, id := range ids {
		if values[2*i] == nil {
			continue // the store fell back
		}

		h, err := p.holding(ctx, partition, id, values[2*i], values[2*i+1], day)
		if err != nil {
			return fmt.Errorf("reading account %q: %w", id, err)
		}

		f(h)
	}

	return nil
}

// holding makes one of an account's stored values.
func (p *StoredPortfolio) holding(
	ctx context.Context, partition int, id string, main, history []byte, day health.Day,
) (Holding, error) {
	var h Holding

	parts, err := p.parts(ctx, partition, id, &main)
	if err != nil {
		return h, err
	}

	account, err := health.Decode(main, func(n uint32) []byte { return parts[n] })
	if err != nil {
		return h, err
	}

	_, h.ID, _ = store.SplitAccount(id)
	h.Subject = account.Subject()

	rows, err := health.DecodeRows(history)
	if err != nil {
		return h, err
	}

	for _, row := range rows {
		if row.Day == day && row.Score.Known {
			h.Before = new(float64(row.Score.Micros) / fixed.One)
		}
	}

	return h, nil
}

// parts reads the parts of a large account, together with its value.
func (p *StoredPortfolio) parts(ctx context.Context, partition int, id string, main *[]byte) (map[uint32][]byte, error) {
	const tries = 10

	for range tries {
		numbers, err := health.Parts(*main)
		if err != nil || len(numbers) == 0 {
			return nil, err
		}

		keys := []string{store.AccountKey(id)}
		for _, n := range numbers {
			keys = append(keys, store.PartKey(id, n))
		}

		_, values, err := p.store.Read(ctx, partition, keys...)
		if err != nil {
			return nil, fmt.Errorf("reading %d parts: %w", len(numbers), err)
		}

		*main = values[0]

		if again, err := health.Parts(*main); err != nil || !slices.Equal(again, numbers) {
			continue // it changed meanwhile, and has other parts
		}

		parts := make(map[uint32][]byte, len(numbers))
		for i, n := range numbers {
			parts[n] = values[i+1]
		}

		return parts, nil
	}

	return nil, errChanging
}
