package reject

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// An entry is stored in protobuf's wire format, all fields as bytes: ids and bodies of refused events may be no
// valid UTF-8, and must come back as they came.
const (
	fieldID = protowire.Number(iota + 1)
	fieldWorkspace
	fieldCode
	fieldField
	fieldMessage
	fieldMessageID
	fieldAccountID
	fieldOrigin
	fieldKey
	fieldBody
	fieldRecord
)

// encode writes an entry.
func encode(r *Reject) []byte {
	var b []byte

	add := func(number protowire.Number, value []byte) {
		if len(value) > 0 {
			b = protowire.AppendTag(b, number, protowire.BytesType)
			b = protowire.AppendBytes(b, value)
		}
	}

	add(fieldID, []byte(r.ID))
	add(fieldWorkspace, []byte(r.Workspace))
	add(fieldCode, []byte(r.Code))
	add(fieldField, []byte(r.Field))
	add(fieldMessage, []byte(r.Message))
	add(fieldMessageID, []byte(r.MessageID))
	add(fieldAccountID, []byte(r.AccountID))
	add(fieldOrigin, []byte(r.Origin))
	add(fieldKey, []byte(r.Key))
	add(fieldBody, r.Body[:min(len(r.Body), MaxBodyBytes)])
	add(fieldRecord, r.Record)

	return b
}

// decode reads an entry. Fields that a later version adds are passed over.
func decode(b []byte) (Reject, error) {
	var r Reject

	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return Reject{}, fmt.Errorf("%w: %w", ErrMalformed, protowire.ParseError(n))
		}

		b = b[n:]

		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
				return Reject{}, fmt.Errorf("%w: %w", ErrMalformed, protowire.ParseError(n))
			}

			b = b[n:]

			continue
		}

		value, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return Reject{}, fmt.Errorf("%w: %w", ErrMalformed, protowire.ParseError(n))
		}

		r.set(number, value)
		b = b[n:]
	}

	if r.ID == "" {
		return Reject{}, fmt.Errorf("%w: no id", ErrMalformed)
	}

	return r, nil
}

// set fills one field.
func (r *Reject) set(number protowire.Number, value []byte) {
	texts := [...]*string{
		fieldID: &r.ID, fieldWorkspace: &r.Workspace, fieldCode: &r.Code, fieldField: &r.Field,
		fieldMessage: &r.Message, fieldMessageID: &r.MessageID, fieldAccountID: &r.AccountID,
		fieldOrigin: &r.Origin, fieldKey: &r.Key,
	}

	switch {
	case number == fieldBody:
		r.Body = append([]byte(nil), value...)
	case number == fieldRecord:
		r.Record = append([]byte(nil), value...)
	case int(number) < len(texts) && texts[number] != nil:
		*texts[number] = string(value)
	}
}
