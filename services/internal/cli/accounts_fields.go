package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// field is a field of accounts in lists, or with a key an entry of one that is a map.
type field struct {
	name string
	of   protoreflect.FieldDescriptor
	key  string
}

// parseFields reads names of fields: those of the answer, and `measures.nps`, or `nps` for short.
func parseFields(text string) ([]field, error) {
	if text == "" {
		return nil, nil
	}

	var (
		chosen []field
		all    = (*healthv1.AccountSummary)(nil).ProtoReflect().Descriptor().Fields()
	)

	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		f := field{name: name}

		path, key, _ := strings.Cut(name, ".")
		if short := mapOf(name); short != "" {
			path, key = short, name
		}

		f.of, f.key = all.ByName(protoreflect.Name(path)), key
		if f.of == nil || f.of.IsMap() != (key != "") {
			return nil, usageError("--columns: accounts in lists have no field %q", name)
		}

		chosen = append(chosen, f)
	}

	return chosen, nil
}

// mapOf is the field that an entry of this name stands in; empty: in none.
func mapOf(name string) string {
	if _, ok := scorecard.MeasureByName(name); ok {
		return "measures"
	}

	for i := range health.DimensionCount {
		if health.DimensionName(i) == name {
			return "dimensions"
		}
	}

	return ""
}

// maskOf is what has to be asked for to show fields; nil: the usual ones.
func maskOf(chosen []field) *fieldmaskpb.FieldMask {
	if len(chosen) == 0 {
		return nil
	}

	m := &fieldmaskpb.FieldMask{}

	for _, f := range chosen {
		if name := string(f.of.Name()); !slices.Contains(m.GetPaths(), name) {
			m.Paths = append(m.Paths, name)
		}
	}

	return m
}

// value is what an account has in a field; nil: nothing.
func (f *field) value(s *healthv1.AccountSummary) any {
	v := s.ProtoReflect().Get(f.of)

	switch {
	case f.key != "":
		entry := v.Map().Get(protoreflect.ValueOfString(f.key).MapKey())
		if !entry.IsValid() {
			return nil
		}

		return entry.Interface()
	case f.of.HasOptionalKeyword() && !s.ProtoReflect().Has(f.of):
		return nil
	case f.of.Enum() != nil:
		name := string(f.of.Enum().Values().ByNumber(v.Enum()).Name())

		return enumName(name, strings.ToUpper(string(f.of.Enum().Name()))+"_")
	}

	return v.Interface()
}

// viewFields is an account for programs.
func viewFields(s *healthv1.AccountSummary, chosen []field) map[string]any {
	view := make(map[string]any, len(chosen))
	for i := range chosen {
		view[chosen[i].name] = chosen[i].value(s)
	}

	return view
}

// drawFields is a table of accounts for people.
func drawFields(accounts []*healthv1.AccountSummary, chosen []field) func(io.Writer) error {
	return func(w io.Writer) error {
		var t table

		for i := range chosen {
			t.columns = append(t.columns, column{name: strings.ToUpper(chosen[i].name), right: chosen[i].isNumber()})
		}

		for _, s := range accounts {
			cells := make([]string, len(chosen))
			for i := range chosen {
				cells[i] = chosen[i].text(s)
			}

			t.add(cells...)
		}

		return t.write(w)
	}
}

// isNumber says whether the values are numbers.
func (f *field) isNumber() bool {
	of := f.of
	if f.key != "" {
		of = of.MapValue()
	}

	return of.Kind() == protoreflect.DoubleKind || of.Kind() == protoreflect.Int64Kind
}

// text is the value for people.
func (f *field) text(s *healthv1.AccountSummary) string {
	switch v := f.value(s).(type) {
	case nil:
		return noData
	case float64:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) // two decimals are enough for people
	default:
		return fmt.Sprint(v)
	}
}
