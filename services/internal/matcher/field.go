package matcher

import (
	"slices"
	"strings"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

// labelPrefix begins the field of a label.
const labelPrefix = "label."

// Fields are the fields that every alert has; labels come on top of them.
func Fields() []string {
	return []string{
		"rule", "severity", "account_id", "source", "assignee", "owner", "segment", "plan", "stage", "band",
	}
}

// known tells whether there is such a field.
func known(field string) bool {
	name, label := strings.CutPrefix(field, labelPrefix)

	return (label && name != "") || slices.Contains(Fields(), field)
}

// Field is the text of one field of an alert; what it does not have is empty.
func Field(a *alertv1.Alert, field string) string {
	if name, ok := strings.CutPrefix(field, labelPrefix); ok {
		return a.GetLabels()[name]
	}

	s := a.GetSubject()

	switch field {
	case "rule":
		return a.GetRule()
	case "severity":
		return name(a.GetSeverity().String(), "SEVERITY_")
	case "account_id":
		return a.GetAccountId()
	case "source":
		return a.GetSource()
	case "assignee":
		return a.GetAssignee()
	case "owner":
		return s.GetOwner()
	case "segment":
		return s.GetSegment()
	case "plan":
		return s.GetPlan()
	case "stage":
		return name(s.GetStage().String(), "STAGE_")
	case "band":
		return name(s.GetBand().String(), "BAND_")
	default:
		return ""
	}
}

// name is how a value of an enum is written for people; not said is empty.
func name(value, prefix string) string {
	value = strings.TrimPrefix(value, prefix)
	if value == "UNSPECIFIED" {
		return ""
	}

	return strings.ToLower(value)
}
