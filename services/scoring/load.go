package scoring

import (
	"context"
	"fmt"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
)

// trim lets accounts leave memory. Between messages only, before anything is loaded for the next ones: the fold
// takes an account that is not in memory for one that does not exist.
func (w *worker) trim() {
	w.tellCached(w.accounts.bytes) // the most that was there
	w.accounts.trim(w.stored, w.partition.Touched)
}

// tellCached says how many bytes of accounts this worker keeps decoded.
func (w *worker) tellCached(bytes int) {
	w.service.metrics.cached(w.service.cached.Add(int64(bytes - w.toldCached)))
	w.toldCached = bytes
}

// read returns stored values, those of the state that this worker goes on from: else ErrFenced.
func (w *worker) read(ctx context.Context, keys ...string) ([][]byte, error) {
	read := w.service.deps.Store.Read
	if w.draft {
		read = w.service.deps.Store.ReadDraft
	}
	head, values, err := read(ctx, w.number, keys...)
	if err != nil {
		return nil, err
	}
	if head.Epoch != w.epoch || head.Generation != w.generation || head.Cursor < w.cursor {
		return nil, store.ErrFenced
	}
	return values, nil
}

// load brings the accounts that the messages touch into memory.
func (w *worker) load(ctx context.Context, messages []*eventlog.Message) error {
	w.trim()
	var missing []string
	hits := 0
	asked := map[string]struct{}{}
	for _, m := range messages {
		for _, id := range fold.Needs(message(m)) {
			if w.accounts.has(id) {
				hits++
				continue
			}
			if _, ok := asked[id]; !ok {
				asked[id] = struct{}{}
				missing = append(missing, id)
			}
		}
	}
	if !w.draft {
		w.service.metrics.cache(ctx, hits, len(missing))
	}
	return w.fetch(ctx, missing)
}

// fetch reads accounts from the store; those that do not exist yet stay absent.
func (w *worker) fetch(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = store.AccountKey(id)
	}
	values, err := w.read(ctx, keys...)
	if err != nil {
		return fmt.Errorf("reading %d accounts: %w", len(ids), err)
	}
	for i, id := range ids {
		if values[i] == nil {
			continue
		}
		a, err := w.decode(ctx, id, values[i])
		if err != nil {
			return err
		}
		w.accounts.Put(id, a)
	}
	return nil
}

func (w *worker) decode(ctx context.Context, id string, value []byte) (*health.Account, error) {
	parts, err := health.Parts(value)
	if err != nil {
		return nil, fmt.Errorf("reading account %q: %w", id, err)
	}
	byNumber := map[uint32][]byte{}
	if len(parts) > 0 {
		keys := make([]string, len(parts))
		for i, n := range parts {
			keys[i] = store.PartKey(id, n)
		}
		values, err := w.read(ctx, keys...)
		if err != nil {
			return nil, fmt.Errorf("reading %d parts of account %q: %w", len(parts), id, err)
		}
		for i, n := range parts {
			byNumber[n] = values[i]
		}
	}
	a, err := health.Decode(value, func(n uint32) []byte { return byNumber[n] })
	if err != nil {
		return nil, fmt.Errorf("reading account %q: %w", id, err)
	}
	return a, nil
}
