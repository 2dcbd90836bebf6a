package ingest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

// drawText draws a valid text around a limit of bytes.
func drawText(t *rapid.T, limit int, label string) string {
	return rapid.OneOf(
		rapid.Just(""), rapid.String(), rapid.Just("a\x00b"),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat("x", limit-1+rapid.IntRange(0, 2).Draw(t, "n")) }),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat("é", limit/2+rapid.IntRange(-1, 1).Draw(t, "n")) }),
	).Draw(t, label)
}

// drawHot draws an event of a kind whose checks are written out.
func drawHot(t *rapid.T) *eventv1.Event {
	e := &eventv1.Event{
		MessageId: drawText(t, maxID, "message id"), AccountId: drawText(t, maxID, "account id"),
		UserId:     drawText(t, maxID, "user id"),
		Historical: rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-zA-Z0-9_.-]{60,66}`), rapid.String()).Draw(t, "load"),
	}
	if rapid.Bool().Draw(t, "time") {
		// Later years are no rule of the protos: they are looked at when the rules are done.
		e.OccurredAt = &timestamppb.Timestamp{Seconds: rapid.Int64Range(-2, maxSeconds).Draw(t, "seconds")}
	}

	if rapid.Bool().Draw(t, "login") {
		e.Body = &eventv1.Event_Login{Login: &eventv1.Login{Method: drawText(t, maxMethod, "method")}}

		return e
	}

	u := &eventv1.Usage{Feature: drawText(t, maxID, "feature")}
	if rapid.Bool().Draw(t, "quantity") {
		q := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{-1, 0, maxUsage, maxUsage + 1})).Draw(t, "micros")
		u.QuantityMicros = &q
	}

	e.Body = &eventv1.Event_Usage{Usage: u}

	return e
}

func TestWrittenOutChecksAgreeWithTheRules(t *testing.T) {
	t.Parallel()

	c, err := newChecker()
	require.NoError(t, err)

	rapid.Check(t, func(t *rapid.T) {
		e := drawHot(t)
		fast, slow := c.rule(e), c.slow(e)

		if slow == nil || fast == nil {
			require.Equal(t, slow, fast)

			return
		}

		// Both look at the fields in the order of the proto.
		require.Equal(t, slow.code, fast.code)
		require.Equal(t, slow.field, fast.field)
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()

	c, err := newChecker()
	require.NoError(t, err)

	account := func(a *eventv1.Account) *eventv1.Event {
		return &eventv1.Event{MessageId: "m", AccountId: "a", Body: &eventv1.Event_Account{Account: a}}
	}
	text := func(s string) *string { return &s }

	t.Run("an event without body says so", func(t *testing.T) {
		t.Parallel()

		bad := c.check(&eventv1.Event{MessageId: "m", AccountId: "a"}, now)
		require.Equal(t, "body", bad.field)
		require.Equal(t, CodeRequired, bad.code)
	})

	t.Run("invalid UTF-8 is found in messages that a program made", func(t *testing.T) {
		t.Parallel()

		e := account(&eventv1.Account{})
		e.UserId = "\xff"
		require.Equal(t, CodeInvalidUTF8, c.check(e, now).code)
	})

	t.Run("days must be in the calendar", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, c.check(account(&eventv1.Account{ChurnDate: text("2024-02-29")}), now))
		require.Equal(t, "account.churn_date", c.check(account(&eventv1.Account{ChurnDate: text("2023-02-29")}), now).field)
		require.Equal(t, CodeInvalidValue, c.check(account(&eventv1.Account{CreatedDate: text("")}), now).code)
	})

	t.Run("only what exists can be cleared", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, c.check(account(&eventv1.Account{Clear: []string{"plan", "arr_micros", "traits.x"}}), now))

		for _, name := range []string{"traits", "clear", "traits.", "arr", "id"} {
			require.Equal(t, CodeInvalidValue, c.check(account(&eventv1.Account{Clear: []string{name}}), now).code, name)
		}
	})

	t.Run("times are within bounds", func(t *testing.T) {
		t.Parallel()

		e := account(&eventv1.Account{})
		e.OccurredAt = timestamp(now + tolerance)
		require.Nil(t, c.check(e, now))
		e.OccurredAt = timestamp(now + tolerance + 1)
		require.Equal(t, CodeInFuture, c.check(e, now).code)
		e.OccurredAt = &timestamppb.Timestamp{Seconds: 1 << 60}
		require.Equal(t, CodeOutOfRange, c.check(e, now).code)
		e.OccurredAt = &timestamppb.Timestamp{Nanos: -1}
		require.Equal(t, CodeOutOfRange, c.check(e, now).code)
	})
}
