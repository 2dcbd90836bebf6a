package ingest

// Code is the stable reason why an event or a request was refused. docs/errors.md explains each.
type Code string

// Codes of a refused event. The event is kept in REJECTS.
const (
	// CodeRequired: a field is missing or empty.
	CodeRequired Code = "required"
	// CodeTooLong: a text is longer than its field may be, in bytes.
	CodeTooLong Code = "too_long"
	// CodeTooMany: a list has more entries than it may.
	CodeTooMany Code = "too_many"
	// CodeOutOfRange: a number is outside its range.
	CodeOutOfRange Code = "out_of_range"
	// CodeInvalidValue: a value is none of those its field may have.
	CodeInvalidValue Code = "invalid_value"
	// CodeInvalidType: a JSON value is of the wrong type.
	CodeInvalidType Code = "invalid_type"
	// CodeInvalidID: an id holds NUL.
	CodeInvalidID Code = "invalid_id"
	// CodeInvalidUTF8: a text is not valid UTF-8.
	CodeInvalidUTF8 Code = "invalid_utf8"
	// CodeInvalidTime: a time or date cannot be read, or does not exist.
	CodeInvalidTime Code = "invalid_time"
	// CodeInFuture: the event is more than 25 hours ahead of its arrival.
	CodeInFuture Code = "in_future"
	// CodeUnknownField: the event has a field that its kind has not.
	CodeUnknownField Code = "unknown_field"
	// CodeUnknownType: the event is of no kind that exists.
	CodeUnknownType Code = "unknown_type"
	// CodeDuplicateKey: a JSON object names a field twice.
	CodeDuplicateKey Code = "duplicate_key"
	// CodeMalformedJSON: the line is not JSON. As a request's code: the body is not JSON.
	CodeMalformedJSON Code = "malformed_json"
	// CodeEventTooLarge: the event is larger than an event may be.
	CodeEventTooLarge Code = "event_too_large"
	// CodeTooManyEvents: the event is one too many for its batch. As a request's code: all of them are refused.
	CodeTooManyEvents Code = "too_many_events"
	// CodeMissingAccount: the event names neither an account nor a user.
	CodeMissingAccount Code = "missing_account"
	// CodeUnknownUser: the event names no account, and no account of its user is known. It is sent again by itself
	// once one is.
	CodeUnknownUser Code = "unknown_user"
	// CodeSourceNotServed: this ingest service does not take events of this kind (--sources).
	CodeSourceNotServed Code = "source_not_served"
)

// Codes of a refused request. Nothing of it was taken, unless said otherwise.
const (
	// CodeMalformedGzip: the body is not gzip.
	CodeMalformedGzip Code = "malformed_gzip"
	// CodeMalformedForm: the form holds no JSON.
	CodeMalformedForm Code = "malformed_form"
	// CodeUnreadableBody: the body ended early or came too slowly.
	CodeUnreadableBody Code = "unreadable_body"
	// CodeRequestTooLarge: the unpacked body is larger than a request may be.
	CodeRequestTooLarge Code = "request_too_large"
	// CodeUnsupportedType: the content type is none that is understood.
	CodeUnsupportedType Code = "unsupported_content_type"
	// CodeUnsupportedEncoding: the content encoding is neither gzip nor identity.
	CodeUnsupportedEncoding Code = "unsupported_encoding"
	// CodeEmptyBatch: the request has no event.
	CodeEmptyBatch Code = "empty_batch"
	// CodeKeyMissing: the request carries no key.
	CodeKeyMissing Code = "key_missing"
	// CodeKeyUnknown: the key is not known.
	CodeKeyUnknown Code = "key_unknown"
	// CodeKeyWrongKind: a key of this kind may not send events.
	CodeKeyWrongKind Code = "key_wrong_kind"
	// CodeAdminKeyRequired: history needs the admin key.
	CodeAdminKeyRequired Code = "admin_key_required"
	// CodeRateLimited: the key makes more requests than it may. Try again.
	CodeRateLimited Code = "rate_limited"
	// CodeInvalidLoad: the id of the historical load is malformed.
	CodeInvalidLoad Code = "invalid_load"
	// CodeNotFound: there is nothing at this address.
	CodeNotFound Code = "not_found"
	// CodeMethodNotAllowed: the address does not take this method.
	CodeMethodNotAllowed Code = "method_not_allowed"
	// CodeBusy: too much is under way. Try again.
	CodeBusy Code = "busy"
	// CodeLogBusy: the log's queue is full. Try again.
	CodeLogBusy Code = "log_busy"
	// CodeLogFull: the log has reached its cap. An operator must act.
	CodeLogFull Code = "log_full"
	// CodeLogUnavailable: the log did not acknowledge in time. Events may have been taken: send them again.
	CodeLogUnavailable Code = "log_unavailable"
	// CodeDedupeFull: as many message ids are remembered as there is memory for. An operator must act.
	CodeDedupeFull Code = "dedupe_full"
	// CodeRejectsFull: REJECTS has reached its cap, and the request has events to refuse. An operator must act.
	CodeRejectsFull Code = "rejects_full"
	// CodeRejectsUnavailable: REJECTS did not acknowledge in time. Send the events again.
	CodeRejectsUnavailable Code = "rejects_unavailable"
	// CodeDirectoryUnavailable: the directory of users did not answer. Send the events again.
	CodeDirectoryUnavailable Code = "directory_unavailable"
	// CodeInternal: a defect of Hale. Send the events again.
	CodeInternal Code = "internal"
)

// violation says what is wrong with one event.
type violation struct {
	// field is a path in eventv1.Event, or in what the client sent.
	field   string
	code    Code
	message string
}

// violates makes a violation.
func violates(field string, code Code, message string) *violation {
	return &violation{field: field, code: code, message: message}
}
