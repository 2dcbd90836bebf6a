package scoring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/store"
)

// commitTimeout bounds one try of a commit; after it the outcome is unknown and the stream starts over.
const commitTimeout = 10 * time.Second

// commit writes what is folded, in the background; w.done tells the outcome.
func (w *worker) commit(ctx context.Context) {
	c, refused := w.partition.Flush()
	c.Lease, c.Draft = w.service.lease, w.draft
	if w.draft {
		c.Lease, refused = store.Lease{}, nil // the live worker renews, and has kept them
	}
	w.note(c)
	w.sentOutbox = w.partition.OutboxNext
	if !w.behind() {
		w.sentSettled = c.Cursor
	}
	w.flush++
	w.sent = c.Cursor
	w.accounts.flushed(w.flush, c.Changed)
	w.committing = true
	w.lastCommit = w.service.cfg.steady()
	oldest, traces := w.oldest, w.traces
	w.oldest, w.traces = time.Time{}, nil
	w.service.spawn(func() { w.done <- w.service.store(ctx, c, refused, oldest, traces) })
}

// note collects the keys that a commit writes, for whoever copies the partition.
func (w *worker) note(c *store.Commit) {
	if w.written == nil {
		return
	}
	for i := range c.Put {
		w.written[c.Put[i].Key] = struct{}{}
	}
	for i := range c.Append {
		w.written[c.Append[i].Key] = struct{}{}
	}
	for _, k := range c.Delete {
		w.written[k] = struct{}{}
	}
}

// committed takes note of a commit's outcome.
func (w *worker) committed(err error) error {
	w.committing = false
	w.giveBack()
	if err != nil {
		return err
	}
	w.stored, w.cursor = w.flush, w.sent
	w.storedCursor.Store(w.sent)
	w.storedRevision.Add(1)
	w.settled.Store(w.sentSettled)
	w.outbox.stored(w.sentOutbox)
	if !w.draft {
		w.renewed.Store(int64(w.lastCommit.Sub(w.service.begun)))
	}
	return nil
}

// store makes refused records durable, then commits.
func (s *Service) store(ctx context.Context, c *store.Commit, refused []fold.Refused, oldest time.Time, traces []traced) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	ctx, end := s.traceCommit(ctx, c, traces)
	defer end()
	if len(refused) > 0 {
		if err := s.deps.Rejects.Put(ctx, s.rejects(c.Partition, refused)...); err != nil {
			return fmt.Errorf("keeping %d refused events: %w", len(refused), err)
		}
	}
	begun := time.Now()
	err := s.deps.Store.Commit(ctx, c)
	if !c.Draft {
		s.metrics.commit(ctx, time.Since(begun), c, err, oldest)
	}
	if err != nil {
		return fmt.Errorf("committing partition %d up to %d: %w", c.Partition, c.Cursor, err)
	}
	return nil
}

// rejects turns refused records into what the REJECTS stream keeps. Their ids name the place in the
// log, so that a record refused again after a restart is kept once; the message's hash tells it from what another log
// had there.
func (s *Service) rejects(partition int, refused []fold.Refused) []reject.Reject {
	out := make([]reject.Reject, len(refused))
	for i, r := range refused {
		message, account := r.Record.GetEvent().GetMessageId(), r.Record.GetEvent().GetAccountId()
		if c := r.Record.GetAccountCommand(); c != nil {
			message, account = c.GetCommandId(), c.GetAccountId()
		}
		out[i] = reject.Reject{
			ID:        s.rejectID(partition, r.Sequence, r.Index, r.Hash),
			Workspace: r.Record.GetWorkspace(),
			Code:      r.Code, Field: r.Field, Message: r.Message,
			MessageID: message, AccountID: account,
			Origin: r.Record.GetOrigin(),
		}
		if record, err := proto.Marshal(r.Record); err == nil {
			out[i].Record = record
		}
		if body, err := protojson.Marshal(r.Record); err == nil {
			out[i].Body = body
		}
	}
	return out
}

// rejectMessage keeps a message that cannot be decoded.
func (w *worker) rejectMessage(ctx context.Context, m *eventlog.Message) error {
	if w.draft {
		return nil // it was kept when it was folded first
	}
	s := w.service
	body, err := json.Marshal(map[string]any{"stream": m.Stream, "sequence": m.Sequence, "data": m.Data})
	if err != nil {
		return fmt.Errorf("describing message %d: %w", m.Sequence, err)
	}
	s.deps.Logger.ErrorContext(ctx, "a message of the log cannot be decoded",
		"stream", m.Stream, "sequence", m.Sequence, "error", m.Err)
	err = s.deps.Rejects.Put(ctx, reject.Reject{
		ID: s.rejectID(m.Partition, m.Sequence, -1, m.Hash()), Workspace: "default",
		Code: "undecodable", Message: m.Err.Error(), Body: body,
	})
	if err != nil {
		return fmt.Errorf("keeping undecodable message %d: %w", m.Sequence, err)
	}
	return nil
}

func (s *Service) rejectID(partition int, sequence uint64, index int, hash uint64) string {
	return reject.Place{Layout: s.deps.Log.Layout().ID, Partition: partition, Sequence: sequence}.ID(index, hash)
}

// resultOf names a commit's outcome for metrics.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, store.ErrFenced):
		return "fenced"
	case errors.Is(err, store.ErrUnknown):
		return "unknown"
	default:
		return "error"
	}
}
