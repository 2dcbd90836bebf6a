package scorecard

import "cel.dev/cel-go/cel"

// The variables of conditions.
const (
	varStage    = "stage"
	varAge      = "age_days"
	varProfile  = "profile"
	varMeasures = "measures"
)

// fieldKind says what a field of the profile holds.
type fieldKind uint8

const (
	fieldText fieldKind = iota + 1
	fieldNumber
	fieldTraits
)

func (k fieldKind) celType() *cel.Type {
	switch k {
	case fieldText:
		return cel.StringType
	case fieldNumber:
		return cel.DoubleType
	case fieldTraits:
		return cel.MapType(cel.StringType, cel.DynType)
	default:
		return cel.DynType
	}
}

// profileField is a field of `profile`.
type profileField struct {
	name string
	kind fieldKind
}

// profileFields in the order of docs/scorecard.md.
//
//nolint:gochecknoglobals // a constant table
var profileFields = []profileField{
	{"name", fieldText},
	{"plan", fieldText},
	{"currency", fieldText},
	{"owner", fieldText},
	{"segment", fieldText},
	{"industry", fieldText},
	{"parent", fieldText},
	{"arr", fieldNumber},
	{"seats", fieldNumber},
	{"term_days", fieldNumber},
	{"created_date", fieldText},
	{"renewal_date", fieldText},
	{"traits", fieldTraits},
}

func fieldByName(name string) (profileField, bool) {
	for _, f := range profileFields {
		if f.name == name {
			return f, true
		}
	}
	return profileField{}, false
}
