package ingest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"buf.build/go/protovalidate"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

const (
	maxID      = 256
	maxMethod  = 64
	maxLoad    = 64
	maxUsage   = 1_000_000_000 * micro
	maxSeconds = 253402300799 // the last second of the year 9999
	// tolerance is how far ahead of its arrival an event may be. The fold takes an hour ahead of log time; the rest
	// is for clocks that differ, so that nothing is refused here that the fold would take.
	tolerance = 25 * 3600 * micro
)

// checker checks events against the rules in the protos. The kinds that come in masses have their checks written out
// here: protovalidate takes 5 us an event. A test holds both to the same verdicts.
type checker struct {
	rules protovalidate.Validator
}

func newChecker() (*checker, error) {
	v, err := protovalidate.New(protovalidate.WithMessages(&eventv1.Event{}))
	if err != nil {
		return nil, fmt.Errorf("compiling the rules of events: %w", err)
	}

	return &checker{rules: v}, nil
}

// check returns the first violation of an event that arrived at that time, microseconds since the epoch.
func (c *checker) check(e *eventv1.Event, arrival int64) *violation {
	if bad := c.rule(e); bad != nil {
		return bad
	}

	if bad := checkDates(e.GetAccount()); bad != nil {
		return bad
	}

	t := e.GetOccurredAt()
	if t != nil && t.GetSeconds()*micro+int64(t.GetNanos())/1000 > arrival+tolerance {
		return violates("occurred_at", CodeInFuture, "is more than 25 hours ahead of the time of arrival")
	}

	return nil
}

// rule applies the rules of the protos.
func (c *checker) rule(e *eventv1.Event) *violation {
	switch b := e.GetBody().(type) {
	case *eventv1.Event_Usage:
		if bad := checkCommon(e); bad != nil {
			return bad
		}

		return checkUsage(b.Usage)
	case *eventv1.Event_Login:
		if bad := checkCommon(e); bad != nil {
			return bad
		}

		return checkText("login.method", b.Login.GetMethod(), maxMethod)
	default:
		return c.slow(e)
	}
}

// slow asks protovalidate, and for valid UTF-8, which a Go program can leave out of a message it made.
func (c *checker) slow(e *eventv1.Event) *violation {
	err := c.rules.Validate(e, protovalidate.WithFailFast())
	if err == nil {
		return checkCommon(e)
	}

	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Violations) == 0 {
		return violates("", CodeInvalidValue, err.Error())
	}

	bad := fromRule(invalid.Violations[0])
	if bad.field == "survey.score" && e.GetSurvey().Score == nil {
		bad.code = CodeRequired
	}

	return bad
}

// fromRule gives a violation of protovalidate its stable code.
func fromRule(v *protovalidate.Violation) *violation {
	field, rule := protovalidate.FieldPathString(v.Proto.GetField()), v.Proto.GetRuleId()
	code := CodeInvalidValue

	switch rule {
	case "required", "string.min_len":
		code = CodeRequired
	case "string.max_bytes", "string.max_len":
		code = CodeTooLong
	case "repeated.max_items":
		code = CodeTooMany
	case "id.no_nul":
		code = CodeInvalidID
	case "survey.score":
		field, code = "survey.score", CodeOutOfRange
	case "survey.scale":
		field = "survey.scale"
	case "interaction.something":
		field, code = "interaction.kind", CodeRequired
	case "enum.not_in":
		code = CodeRequired
	default:
		if isRange(rule) {
			code = CodeOutOfRange
		}
	}

	return violates(field, code, v.Proto.GetMessage())
}

// isRange tells the rules that bound a number or time.
func isRange(rule string) bool {
	for _, part := range []string{".gte", ".lte", ".gt", ".lt"} {
		if strings.Contains(rule, part) {
			return true
		}
	}

	return false
}

// checkCommon checks what all kinds have, in the order of the proto.
func checkCommon(e *eventv1.Event) *violation {
	if bad := checkID("message_id", e.GetMessageId(), true); bad != nil {
		return bad
	}

	if bad := checkID("account_id", e.GetAccountId(), true); bad != nil {
		return bad
	}

	if bad := checkID("user_id", e.GetUserId(), false); bad != nil {
		return bad
	}

	if t := e.GetOccurredAt(); t != nil {
		if t.GetSeconds() < 0 || t.GetSeconds() > maxSeconds || t.GetNanos() < 0 || t.GetNanos() >= 1e9 {
			return violates("occurred_at", CodeOutOfRange, "must be from 1970 to 9999")
		}
	}

	return checkLoad(e.GetHistorical())
}

// checkLoad checks the id of a historical load; empty is none.
func checkLoad(id string) *violation {
	if utf8.RuneCountInString(id) > maxLoad {
		return violates("historical", CodeTooLong, "must be at most 64 characters")
	}

	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return violates("historical", CodeInvalidValue, "must consist of letters, digits, - and _")
		}
	}

	return nil
}

func checkUsage(u *eventv1.Usage) *violation {
	if u.GetFeature() == "" {
		return violates("usage.feature", CodeRequired, "must not be empty")
	}

	if bad := checkText("usage.feature", u.GetFeature(), maxID); bad != nil {
		return bad
	}

	if q := u.QuantityMicros; q != nil && (*q < 0 || *q > maxUsage) {
		return violates("usage.quantity_micros", CodeOutOfRange, "must be from 0 to 10^9")
	}

	return nil
}

// checkID checks an account's, user's or message's id.
func checkID(field, id string, required bool) *violation {
	if id == "" && required {
		return violates(field, CodeRequired, "must not be empty")
	}

	if bad := checkText(field, id, maxID); bad != nil {
		return bad
	}

	if strings.IndexByte(id, 0) >= 0 {
		return violates(field, CodeInvalidID, "must not contain NUL")
	}

	return nil
}

// checkText checks length and encoding of a text.
func checkText(field, s string, limit int) *violation {
	if len(s) > limit {
		return violates(field, CodeTooLong, fmt.Sprintf("must be at most %d bytes", limit))
	}

	if !utf8.ValidString(s) {
		return violates(field, CodeInvalidUTF8, "must be valid UTF-8")
	}

	return nil
}

// checkDates checks what patterns cannot: that the calendar has the day, and that what is cleared exists.
func checkDates(a *eventv1.Account) *violation {
	if a == nil {
		return nil
	}

	for _, d := range []struct {
		field string
		day   *string
	}{
		{"account.renewal_date", a.RenewalDate},
		{"account.created_date", a.CreatedDate},
		{"account.churn_date", a.ChurnDate},
	} {
		if d.day != nil && !isDay(*d.day) {
			return violates(d.field, CodeInvalidTime, "must be a day that the calendar has")
		}
	}

	for i, name := range a.GetClear() {
		if !clearable(name) {
			return violates(fmt.Sprintf("account.clear[%d]", i), CodeInvalidValue,
				"must name a field of the profile, or traits.<name>")
		}
	}

	return nil
}

// clearable tells whether eventv1.Account.clear may hold a name.
func clearable(name string) bool {
	if trait, ok := strings.CutPrefix(name, traitPrefix); ok {
		return trait != ""
	}

	fields := (*eventv1.Account)(nil).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); string(f.Name()) == name && !f.IsList() {
			return true
		}
	}

	return false
}
