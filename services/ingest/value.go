package ingest

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hale.dev/services/internal/fixed"
)

const (
	micro     = 1_000_000
	dayLayout = "2006-01-02"
)

// asText takes a string.
func (v value) asText(field string) (string, *violation) {
	if v.kind != jsontext.KindString {
		return "", violates(field, CodeInvalidType, "must be a string")
	}

	return v.text, nil
}

// asBool takes true or false.
func (v value) asBool(field string) (bool, *violation) {
	switch v.kind {
	case jsontext.KindTrue:
		return true, nil
	case jsontext.KindFalse:
		return false, nil
	default:
		return false, violates(field, CodeInvalidType, "must be true or false")
	}
}

// asMicros takes a number, as millionths.
func (v value) asMicros(field string) (int64, *violation) {
	if v.kind != jsontext.KindNumber {
		return 0, violates(field, CodeInvalidType, "must be a number")
	}

	m, err := fixed.ParseDecimal(v.text)

	switch {
	case errors.Is(err, fixed.ErrRange):
		return 0, violates(field, CodeOutOfRange, "must be at most 10^12")
	case err != nil:
		return 0, violates(field, CodeInvalidValue, "must be a decimal number")
	default:
		return m, nil
	}
}

// asInt takes a whole number; 5.0 and 5e0 are whole.
func (v value) asInt(field string) (int64, *violation) {
	m, bad := v.asMicros(field)
	if bad != nil {
		return 0, bad
	}

	if m%micro != 0 {
		return 0, violates(field, CodeInvalidValue, "must be a whole number")
	}

	return m / micro, nil
}

// asInt32 takes a whole number of 32 bits.
func (v value) asInt32(field string) (int32, *violation) {
	n, bad := v.asInt(field)
	if bad == nil && n != int64(int32(n)) { //nolint:gosec // the comparison is the check
		bad = violates(field, CodeOutOfRange, "is too large")
	}

	return int32(n), bad //nolint:gosec // checked
}

// asTime takes an RFC 3339 time, as microseconds since the epoch.
func (v value) asTime(field string) (int64, *violation) {
	s, bad := v.asText(field)
	if bad != nil {
		return 0, bad
	}

	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, violates(field, CodeInvalidTime, "must be a time like 2026-01-31T08:30:00Z")
	}

	return t.UnixMicro(), nil
}

// asDay takes a calendar day.
func (v value) asDay(field string) (string, *violation) {
	s, bad := v.asText(field)
	if bad != nil {
		return "", bad
	}

	if !isDay(s) {
		return "", violates(field, CodeInvalidTime, "must be a day like 2026-01-31")
	}

	return s, nil
}

// isDay tells whether a text is a day that the calendar has, written YYYY-MM-DD.
func isDay(s string) bool {
	_, err := time.Parse(dayLayout, s)

	return err == nil && len(s) == len(dayLayout)
}

// looseTime reads the forms of time that Segment's clients send: ISO 8601 with or without zone, or a day.
func looseTime(s string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04Z07:00", dayLayout,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}

	return time.Time{}, false
}

// looseDay reads a day from a trait: a time in one of the forms above, or seconds or milliseconds since the epoch.
func looseDay(v value) (string, bool) {
	const millisFrom = 100_000_000_000 // as seconds this is the year 5138

	switch v.kind {
	case jsontext.KindString:
		if t, ok := looseTime(strings.TrimSpace(v.text)); ok {
			return dayText(t)
		}
	case jsontext.KindNumber:
		n, err := strconv.ParseInt(v.text, 10, 64)

		switch {
		case err != nil || n <= 0:
		case n < millisFrom:
			return dayText(time.Unix(n, 0))
		default:
			return dayText(time.UnixMilli(n))
		}
	default:
	}

	return "", false
}

// dayText writes the UTC day of a time, if it has four digits for the year.
func dayText(t time.Time) (string, bool) {
	s := t.UTC().Format(dayLayout)

	return s, len(s) == len(dayLayout) && t.UTC().Year() > 0
}

// looseNumber reads a number from a trait that may be written as text.
func looseNumber(v value) (int64, bool) {
	if v.kind != jsontext.KindNumber && v.kind != jsontext.KindString {
		return 0, false
	}

	m, err := fixed.ParseDecimal(strings.TrimSpace(v.text))

	return m, err == nil
}

// looseText reads a text from a trait that may be a number.
func looseText(v value) (string, bool) {
	return v.text, v.kind == jsontext.KindString || v.kind == jsontext.KindNumber
}

// timestamp makes a timestamp of microseconds since the epoch.
func timestamp(us int64) *timestamppb.Timestamp {
	return timestamppb.New(time.UnixMicro(us))
}
