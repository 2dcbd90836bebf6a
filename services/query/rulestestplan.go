package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/snapshot"
)

// logSpan is what is read of a stream.
type logSpan struct {
	stream      int
	first, last uint64
	// seeds are the snapshots from which partitions go on; those that are not there begin with the first message.
	seeds map[int]snapshot.Info
}

// want takes in which transitions the caller wants.
func (t *rulesTest) want(req *adminv1.TestRulesRequest) {
	if req.GetStartTime() != nil {
		t.from = req.GetStartTime().AsTime()
	}

	if len(req.GetAccountIds()) == 0 {
		return
	}

	t.accounts, t.partitions = map[string]struct{}{}, map[int]struct{}{}

	for _, id := range req.GetAccountIds() {
		t.accounts[id] = struct{}{}
		t.partitions[t.log.Layout().Partition(t.workspace, id)] = struct{}{}
	}
}

// streams are those that hold what is wanted.
func (t *rulesTest) streams() []int {
	var all []int

	layout := t.log.Layout()
	for stream := range layout.Streams {
		wanted := t.partitions == nil
		for p := range t.partitions {
			wanted = wanted || layout.Stream(p) == stream
		}

		if wanted {
			all = append(all, stream)
		}
	}

	return all
}

// plan notes what is to be read: what each stream holds now. It returns from when on all of them are whole; zero: from
// the very beginning, or before the caller's start.
func (t *rulesTest) plan(ctx context.Context) (begins time.Time, err error) {
	for _, stream := range t.streams() {
		info, err := t.log.Info(ctx, stream)
		if err != nil {
			return begins, fmt.Errorf("looking at stream %d of the log: %w", stream, err)
		}

		s := logSpan{stream: stream, first: max(info.First, 1), last: info.Last, seeds: map[int]snapshot.Info{}}

		if info.First > 1 {
			at, err := t.planTrimmed(ctx, &s, info)
			if err != nil {
				return begins, err
			}

			if at.After(begins) {
				begins = at
			}
		}

		if t.spans = append(t.spans, s); s.first <= s.last {
			t.all += s.last - s.first + 1
		}
	}

	return begins, nil
}

// planTrimmed looks for the snapshots from which the partitions of a stream can be folded whose first messages were
// removed: each the newest before the caller's start, else the oldest.
func (t *rulesTest) planTrimmed(ctx context.Context, s *logSpan, info eventlog.StreamInfo) (begins time.Time, err error) {
	first := info.Last + 1

	for p := range t.log.Layout().Partitions {
		if t.log.Layout().Stream(p) != s.stream || !t.wants(p) {
			continue
		}

		found, meta, err := t.snapshotOf(ctx, p, info)

		var at time.Time

		switch {
		case errors.Is(err, snapshot.ErrNotFound):
			first = max(info.First, 1)
			if at, err = t.beginning(ctx, s.stream, info); err != nil {
				return begins, err
			}
		case err != nil:
			return begins, fmt.Errorf("looking for a snapshot of partition %d: %w", p, err)
		default:
			s.seeds[p] = found
			first = min(first, meta.Cursor+1)

			if at = time.UnixMicro(meta.LogTime); !at.After(t.from) {
				at = time.Time{}
			}
		}

		if at.After(begins) {
			begins = at
		}
	}

	s.first = max(first, info.First)

	return begins, nil
}

// snapshotOf finds the snapshot from which a partition goes on.
func (t *rulesTest) snapshotOf(ctx context.Context, p int, info eventlog.StreamInfo) (snapshot.Info, *snapshot.Meta, error) {
	if t.snapshots == nil {
		return snapshot.Info{}, nil, snapshot.ErrNotFound
	}

	var failed error

	fits := func(m snapshot.Meta) bool {
		ok, err := t.fits(ctx, p, &m, info)
		failed = errors.Join(failed, err)

		return ok
	}

	found, meta, err := t.snapshots.Newest(ctx, p, func(m snapshot.Meta) bool {
		return !time.UnixMicro(m.LogTime).After(t.from) && fits(m)
	})
	if errors.Is(err, snapshot.ErrNotFound) {
		found, meta, err = t.snapshots.OldestGood(ctx, p, fits)
	}

	return found, meta, errors.Join(failed, err)
}

// fits reports whether the log can be read on from a snapshot.
func (t *rulesTest) fits(ctx context.Context, p int, m *snapshot.Meta, info eventlog.StreamInfo) (bool, error) {
	stream := t.log.Layout().Stream(p)
	if m.Stream != t.log.Layout().Identity(stream, info) || m.Rules > fold.Rules || m.Cursor == 0 ||
		info.First > m.Cursor+1 || info.Last < m.Cursor {
		return false, nil
	}

	at, err := t.log.MessageAt(ctx, stream, m.Cursor)
	if errors.Is(err, eventlog.ErrNoMessage) {
		return info.First > m.Cursor, nil
	}

	if err != nil {
		return false, fmt.Errorf("reading message %d of stream %d: %w", m.Cursor, stream, err)
	}

	return at.Time == m.LastTime && at.Hash() == m.LastHash, nil
}

// beginning is when the first message came that a stream still holds; now, if it holds none.
func (t *rulesTest) beginning(ctx context.Context, stream int, info eventlog.StreamInfo) (time.Time, error) {
	if info.First > info.Last {
		return time.Now(), nil
	}

	m, err := t.log.MessageAt(ctx, stream, info.First)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the first message of stream %d: %w", stream, err)
	}

	return time.UnixMicro(m.Time), nil
}

// firstMessage is when the first message came that is read; zero: there is none.
func (t *rulesTest) firstMessage(ctx context.Context) (first time.Time, err error) {
	for _, s := range t.spans {
		if s.first > s.last {
			continue
		}

		m, err := t.log.MessageAt(ctx, s.stream, s.first)
		if err != nil {
			return first, fmt.Errorf("reading the first message of stream %d: %w", s.stream, err)
		}

		if at := time.UnixMicro(m.Time); first.IsZero() || at.Before(first) {
			first = at
		}
	}

	return first, nil
}
