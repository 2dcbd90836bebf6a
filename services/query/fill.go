package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/store"
	"hale.dev/services/query/internal/column"
)

const (
	// readBatch is how many accounts one read of the store asks for.
	readBatch = 500
	// chunkBatch is how many chunks of account ids one read asks for.
	chunkBatch = 8
)

// do brings the columns of a partition to the chore's cursor.
func (f *feed) do(ctx context.Context, n int, t *chore) error {
	if t.fill {
		start := time.Now()

		f.hub.Begin(n)
		f.features.Begin(n)

		if err := f.fill(ctx, n, t.lost.Place); err != nil {
			return err
		}

		f.features.Filled(n)
		f.hub.Filled(n, t.lost)

		f.metrics.filled(ctx, time.Since(start))
	}

	ids := make([]string, 0, len(t.accounts))
	for id := range t.accounts {
		ids = append(ids, id)
	}

	if err := f.update(ctx, n, ids, t.place); err != nil {
		return err
	}

	p := &f.parts[n]
	if p.seen.pending && p.seen.cursor <= t.at.Cursor {
		p.logTime.Store(p.seen.logTime)
		p.seen.pending = false
	}

	f.hub.Reached(n, t.at)
	p.filled.Store(true)
	f.listed.set(n, t.at.Cursor)
	f.publish(publishEvery)

	return nil
}

// fill reads all accounts of a partition, as they are at a place or later, and forgets those that are not there any
// more.
func (f *feed) fill(ctx context.Context, n int, at column.Place) error {
	f.parts[n].seen.pending = false // after a fall back what was seen may be gone
	there := map[string]map[string]struct{}{}

	for first := uint32(0); ; first += chunkBatch {
		ids, end, err := f.chunks(ctx, n, first)
		if err != nil {
			return err
		}

		for _, id := range ids {
			workspace, account, _ := store.SplitAccount(id)
			if there[workspace] == nil {
				there[workspace] = map[string]struct{}{}
			}

			there[workspace][account] = struct{}{}
		}

		if err := f.update(ctx, n, ids, func(_ string, seen column.Place) column.Place { return at.Later(seen) }); err != nil {
			return err
		}

		if end {
			break
		}
	}

	f.book.Each(func(workspace string, t *column.Table) {
		t.Retain(n, func(account string) bool {
			_, ok := there[workspace][account]

			return ok
		})
	})

	return nil
}

// chunks reads chunks of account ids; end says that there are no more.
func (f *feed) chunks(ctx context.Context, n int, first uint32) (ids []string, end bool, err error) {
	keys := make([]string, chunkBatch)
	for i := range keys {
		keys[i] = store.AccountsKey(first + uint32(i))
	}

	_, values, err := f.store.Read(ctx, n, keys...)
	if err != nil {
		return nil, false, fmt.Errorf("reading the accounts of partition %d: %w", n, err)
	}

	for i, v := range values {
		if v == nil {
			return ids, true, nil
		}

		some, err := fold.DecodeChunk(v)
		if err != nil {
			return nil, false, fmt.Errorf("decoding chunk %d of the accounts of partition %d: %w",
				first+uint32(i), n, err)
		}

		ids = append(ids, some...)
	}

	return ids, false, nil
}

// placed is the place of an account that was read when the partition was at a place.
type placed func(id string, seen column.Place) column.Place

// place is the place of an account's newest change; that at which it was read, if not all changes before are known.
func (t *chore) place(id string, seen column.Place) column.Place {
	if t.at.Later(seen) != t.at.Place {
		return seen
	}

	return t.accounts[id]
}

// update reads accounts of a partition into the columns, and the head even if there are none.
func (f *feed) update(ctx context.Context, n int, ids []string, at placed) error {
	keys := make([]string, 0, min(len(ids), readBatch))

	for first := true; first || len(ids) > 0; first = false {
		batch := ids[:min(len(ids), readBatch)]
		ids, keys = ids[len(batch):], keys[:0]

		for _, id := range batch {
			keys = append(keys, store.AccountKey(id))
		}

		head, values, err := f.store.Read(ctx, n, keys...)
		if err != nil {
			return fmt.Errorf("reading %d accounts of partition %d: %w", len(batch), n, err)
		}

		seen := column.Place{Cursor: head.Cursor, Revision: head.Revision}

		if first {
			if err := f.look(n, head); err != nil {
				return err
			}
		}

		if err := f.put(ctx, n, batch, values, func(id string) column.Place { return at(id, seen) }); err != nil {
			return err
		}
	}

	return nil
}

// look notes the log time of a head that was read before the accounts.
func (f *feed) look(n int, head store.Head) error {
	state, err := fold.DecodeState(head.State)
	if err != nil {
		return fmt.Errorf("decoding the state of partition %d: %w", n, err)
	}

	p := &f.parts[n]
	p.state.Store(&state)

	if p.seen.pending {
		return nil // that one is to be reached first
	}

	p.seen.pending, p.seen.cursor, p.seen.logTime = true, head.Cursor, state.LogTime

	return nil
}

// put turns values into rows. An account that cannot be read is logged and left as it was, so that it does not
// take the others down with it.
func (f *feed) put(ctx context.Context, n int, ids []string, values [][]byte, at func(id string) column.Place) error {
	rows := map[string][]*column.Row{}

	for i, value := range values {
		if value == nil {
			continue
		}

		workspace, account, ok := store.SplitAccount(ids[i])
		if !ok {
			continue
		}

		row, decoded, err := f.summarize(ctx, n, ids[i], value)

		var known *Error

		switch {
		case row != nil:
			row.At = row.At.Later(at(ids[i]))
			rows[workspace] = append(rows[workspace], row)
			f.features.Add(n, workspace, decoded.EachFeature)
		case errors.As(err, &known) && known.Reason == reasonDataUnusable:
			f.logger.ErrorContext(ctx, "an account that cannot be listed", "account", account,
				"workspace", workspace, "error", err)
		case err != nil:
			return err
		}
	}

	for workspace, some := range rows {
		f.book.Table(workspace).Put(some...)
	}

	return nil
}
