package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"hale.dev/services/internal/directory"
	"hale.dev/services/internal/reject"
)

// reject makes the entry of REJECTS for a refused event. Its id is made of the content, so that a client that tries
// again does not multiply it.
func (r *request) reject(e *entry) (reject.Reject, error) {
	out := reject.Reject{
		Workspace: r.workspace, Code: string(e.bad.code), Field: r.field(e.bad.field), Message: e.bad.message,
		MessageID: e.messageID, AccountID: e.event.GetAccountId(), Origin: r.origin, Body: e.raw,
	}

	if e.waits != "" {
		out.Key = directory.Key(r.workspace, e.waits)
	}

	if e.event.GetBody() != nil {
		record, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.record(e))
		if err != nil { // an event that holds invalid UTF-8 cannot be written; its body still tells what came
			record = nil
		}

		if record == nil && len(e.raw) == 0 {
			return out, fmt.Errorf("keeping a refused event: %w", err)
		}

		out.Record = record
	}

	out.ID = r.rejectID(e, out.Record)

	return out, nil
}

// rejectID hashes what makes a refused event the same as another. Without a body the record stands for it.
func (r *request) rejectID(e *entry, record []byte) string {
	body := e.raw
	if len(body) == 0 {
		body = record
	}

	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.workspace), []byte(e.messageID), []byte(e.bad.code), body} {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write(part)
	}

	return hex.EncodeToString(h.Sum(nil)[:16])
}

// rejection names a refused event in the answer.
func (r *request) rejection(index int, e *entry) rejection {
	return rejection{
		index: index, messageID: quotable256(e.messageID), field: r.field(e.bad.field), code: e.bad.code,
		message: e.bad.message,
	}
}

// quotable256 lets a whole id pass, if it is valid.
func quotable256(id string) string {
	id = strings.ToValidUTF8(id, "\ufffd")
	if len(id) > maxID {
		return quotable(id)
	}

	return id
}

// field translates a path in eventv1.Event to what the client sent.
func (r *request) field(path string) string {
	switch r.origin {
	case originNative:
		return nativeField(path)
	case originSegment:
		return segmentField(path)
	default:
		return path
	}
}

// nativeField translates to the names of docs/events.md, where bodies are flat.
func nativeField(path string) string {
	switch path {
	case "message_id":
		return "id"
	case "account_id":
		return "account"
	case "user_id":
		return "user"
	case "occurred_at":
		return "time"
	case "body":
		return "type"
	case "usage.quantity_micros":
		return "quantity"
	case "ticket.ticket_id":
		return "ticket"
	case "survey.type":
		return "survey"
	case "account.arr_micros":
		return "arr"
	case "user.previous_user_id":
		return "previous"
	}

	for _, k := range Sources() {
		if rest, ok := strings.CutPrefix(path, k+"."); ok {
			return rest
		}
	}

	return path
}

// segmentField translates to the names of Segment's calls.
func segmentField(path string) string {
	switch path {
	case "message_id":
		return "messageId"
	case "account_id":
		return "context.groupId"
	case "user_id":
		return "userId"
	case "occurred_at":
		return "timestamp"
	case "usage.feature":
		return "event"
	case "usage.quantity_micros":
		return "properties.quantity"
	case "user.previous_user_id":
		return "previousId"
	}

	if rest, ok := strings.CutPrefix(path, "account."); ok {
		return traitPrefix + strings.TrimSuffix(rest, "_micros")
	}

	return path
}
