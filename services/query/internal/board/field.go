package board

import (
	"math"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fixed"
	"hale.dev/services/internal/health"
	"hale.dev/services/query/internal/filter"
)

// field is what filters and orders go by. Either text or number is set.
type field struct {
	filter.Field

	// text is the value; empty: there is none.
	text func(*alertv1.Alert) string
	// number is the value: micros, a day, a name's number, 0 or 1, an instant; None: there is none.
	number func(*alertv1.Alert) filter.Number
}

// fieldOf returns the field of a name.
func fieldOf(name string) (field, bool) {
	for _, find := range []func(string) (field, bool){textField, subjectField, numberField, nameField, flagField, timeField} {
		if f, ok := find(name); ok {
			f.Name = name

			return f, true
		}
	}

	return field{}, false
}

func textField(name string) (field, bool) {
	var get func(*alertv1.Alert) string

	switch name {
	case "alert_id":
		get = (*alertv1.Alert).GetAlertId
	case "rule":
		get = (*alertv1.Alert).GetRule
	case "summary":
		get = (*alertv1.Alert).GetSummary
	case "account_id":
		get = (*alertv1.Alert).GetAccountId
	case "source":
		get = (*alertv1.Alert).GetSource
	case "assignee":
		get = (*alertv1.Alert).GetAssignee
	case "acknowledged_by":
		get = (*alertv1.Alert).GetAcknowledgedBy
	default:
		return field{}, false
	}

	return field{Field: filter.Field{Kind: filter.KindText}, text: get}, true
}

// subjectField is a text of the account.
func subjectField(name string) (field, bool) {
	var get func(*alertv1.Subject) string

	switch name {
	case "name":
		get = (*alertv1.Subject).GetName
	case "owner":
		get = (*alertv1.Subject).GetOwner
	case "segment":
		get = (*alertv1.Subject).GetSegment
	case "plan":
		get = (*alertv1.Subject).GetPlan
	case "currency":
		get = (*alertv1.Subject).GetCurrency
	default:
		return field{}, false
	}

	return field{
		Field: filter.Field{Kind: filter.KindText},
		text:  func(a *alertv1.Alert) string { return get(a.GetSubject()) },
	}, true
}

func numberField(name string) (field, bool) {
	var get func(*alertv1.Alert) filter.Number

	switch name {
	case "score":
		get = func(a *alertv1.Alert) filter.Number {
			return micros(a.GetSubject(), (*alertv1.Subject).GetScore, scored)
		}
	case "arr":
		get = func(a *alertv1.Alert) filter.Number { return micros(a.GetSubject(), (*alertv1.Subject).GetArr, paid) }
	case "arr_at_risk":
		get = func(a *alertv1.Alert) filter.Number {
			return micros(a.GetSubject(), (*alertv1.Subject).GetArrAtRisk, atRisk)
		}
	case "escalation":
		get = func(a *alertv1.Alert) filter.Number { return filter.Number(a.GetEscalation()) * fixed.One }
	case "revision":
		get = func(a *alertv1.Alert) filter.Number { return filter.Number(a.GetRevision()) * fixed.One }
	default:
		return field{}, false
	}

	return field{Field: filter.Field{Kind: filter.KindNumber}, number: get}, true
}

func scored(s *alertv1.Subject) bool { return s != nil && s.Score != nil }
func paid(s *alertv1.Subject) bool   { return s != nil && s.Arr != nil }
func atRisk(s *alertv1.Subject) bool { return s != nil && s.ArrAtRisk != nil }

// micros is a number of the account in millionths, as it was before it was made a double.
func micros(s *alertv1.Subject, get func(*alertv1.Subject) float64, known func(*alertv1.Subject) bool) filter.Number {
	if !known(s) {
		return filter.None
	}

	v := math.Round(get(s) * fixed.One)
	if math.IsNaN(v) {
		return filter.None
	}

	const most = 1 << 62

	return filter.Number(min(max(v, -most), most))
}

func nameField(name string) (field, bool) {
	switch name {
	case "state":
		return names(alertv1.State_value, "STATE_", func(a *alertv1.Alert) int32 { return int32(a.GetState()) }), true
	case "severity":
		return names(alertv1.Severity_value, "SEVERITY_", func(a *alertv1.Alert) int32 { return int32(a.GetSeverity()) }), true
	case "stage":
		return names(healthv1.Stage_value, "STAGE_", func(a *alertv1.Alert) int32 { return int32(a.GetSubject().GetStage()) }), true
	case "band": // the unknown one is equal to itself, but neither more nor less than any
		f := names(healthv1.Band_value, "BAND_", func(a *alertv1.Alert) int32 { return int32(a.GetSubject().GetBand()) })
		f.Least = filter.Number(healthv1.Band_BAND_UNKNOWN) + 1

		return f, true
	}

	return field{}, false
}

// names is a field whose values are those of an enumeration.
func names(all map[string]int32, prefix string, get func(*alertv1.Alert) int32) field {
	return field{
		Field: filter.Field{Kind: filter.KindName, Names: func(name string) (filter.Number, bool) {
			n := all[prefix+strings.ToUpper(name)]

			return filter.Number(n), n != 0
		}},
		number: func(a *alertv1.Alert) filter.Number {
			if n := get(a); n != 0 {
				return filter.Number(n)
			}

			return filter.None
		},
	}
}

func flagField(name string) (field, bool) {
	var get func(*alertv1.Alert) bool

	switch name {
	case "held":
		get = func(a *alertv1.Alert) bool { return len(a.GetHeldBy()) > 0 }
	case "flapping":
		get = (*alertv1.Alert).GetFlapping
	case "quiet":
		get = (*alertv1.Alert).GetQuiet
	case "opportunity":
		get = (*alertv1.Alert).GetOpportunity
	default:
		return field{}, false
	}

	return field{Field: filter.Field{Kind: filter.KindFlag}, number: func(a *alertv1.Alert) filter.Number {
		if get(a) {
			return 1
		}

		return 0
	}}, true
}

func timeField(name string) (field, bool) {
	var get func(*alertv1.Alert) *timestamppb.Timestamp

	switch name {
	case "since":
		get = (*alertv1.Alert).GetSince
	case "fire_time":
		get = (*alertv1.Alert).GetFireTime
	case "resolve_time":
		get = (*alertv1.Alert).GetResolveTime
	case "state_time":
		get = (*alertv1.Alert).GetStateTime
	case "snooze_until":
		get = (*alertv1.Alert).GetSnoozeUntil
	case "renewal_date":
		return field{Field: filter.Field{Kind: filter.KindDay}, number: renewal}, true
	default:
		return field{}, false
	}

	return field{Field: filter.Field{Kind: filter.KindTime}, number: func(a *alertv1.Alert) filter.Number {
		at := get(a)
		if at == nil {
			return filter.None
		}

		return filter.Number(at.AsTime().UnixMicro())
	}}, true
}

// renewal is the day the contract renews.
func renewal(a *alertv1.Alert) filter.Number {
	d, ok := health.ParseDay(a.GetSubject().GetRenewalDate())
	if !ok {
		return filter.None
	}

	return filter.Number(d)
}
