package ingest

import (
	"bytes"
	_ "embed" // the shipped mapping
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
)

//go:embed mapping.yaml
var shippedMapping []byte

const (
	// mappingVersion is the version of the document's layout.
	mappingVersion = 1
	// maxMapping bounds a mapping file, bytes.
	maxMapping = 1 << 20
	// dayWord stands for the day of the event where a mapping sets a value.
	dayWord = "$day"
)

// errMapping is what all errors of a mapping document are.
var errMapping = errors.New("mapping")

// document is a mapping as written.
type document struct {
	Version int       `yaml:"version"`
	Events  []mapRule `yaml:"events"`
}

// mapRule says what the track calls of some names are.
type mapRule struct {
	// Names of the calls, exactly as sent.
	Names []string `yaml:"names"`
	// Kind of the event, as in native JSON.
	Kind string `yaml:"kind"`
	// Set fields to a value; null clears a field of an account, $day is the day of the event.
	Set map[string]any `yaml:"set"`
	// From fills fields from the first of these paths in the call's properties that has a value.
	From map[string][]string `yaml:"from"`
}

// mapping tells which names of track calls are no usage.
type mapping struct {
	rules map[string]*rule
}

// rule is a mapRule made ready.
type rule struct {
	kind kind
	set  []member
	from []source
}

// source fills one field.
type source struct {
	field string
	paths [][]string
}

// loadMapping reads a mapping file; an empty path is the shipped mapping.
func loadMapping(path string) (*mapping, error) {
	if path == "" {
		return parseMapping(shippedMapping)
	}

	data, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("reading the mapping: %w", err)
	}

	m, err := parseMapping(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}

	return m, nil
}

// parseMapping reads a document. Unknown keys, fields and kinds are errors.
func parseMapping(data []byte) (*mapping, error) {
	if len(data) > maxMapping {
		return nil, fmt.Errorf("%w: larger than 1 MiB", errMapping)
	}

	var doc document
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %s", errMapping, yaml.FormatError(err, false, true))
	}

	if doc.Version != mappingVersion {
		return nil, fmt.Errorf("%w: version must be %d, not %d", errMapping, mappingVersion, doc.Version)
	}

	m := &mapping{rules: make(map[string]*rule)}

	for i, e := range doc.Events {
		r, err := e.compile()
		if err != nil {
			return nil, fmt.Errorf("%w: events[%d]: %w", errMapping, i, err)
		}

		for _, name := range e.Names {
			if _, twice := m.rules[name]; twice {
				return nil, fmt.Errorf("%w: events[%d]: %q is mapped twice", errMapping, i, name)
			}

			m.rules[name] = r
		}
	}

	return m, nil
}

// compile checks a rule and makes it ready.
func (e *mapRule) compile() (*rule, error) {
	r := &rule{kind: parseKind(e.Kind)}

	switch {
	case len(e.Names) == 0:
		return nil, errors.New("names must list at least one name")
	case slices.Contains(e.Names, ""):
		return nil, errors.New("names must not hold an empty name")
	case r.kind == kindNone:
		return nil, fmt.Errorf("kind %q is none of %s", e.Kind, kindList())
	}

	trial := &eventv1.Event{}

	for _, name := range sortedKeys(e.Set) {
		v, err := mappedValue(e.Set[name])
		if err != nil {
			return nil, fmt.Errorf("set.%s: %w", name, err)
		}

		setKind(trial, r.kind)

		if bad := setField(trial, name, onDay(v, 0)); bad != nil {
			return nil, fmt.Errorf("set.%s: %s", name, bad.message)
		}

		r.set = append(r.set, member{name: name, value: v})
	}

	for _, name := range sortedKeys(e.From) {
		if name == fieldTraits || !slices.Contains(fieldNames(r.kind), name) {
			return nil, fmt.Errorf("from.%s: a %s has no such field", name, r.kind)
		}

		s := source{field: name}
		for _, path := range e.From[name] {
			s.paths = append(s.paths, strings.Split(path, "."))
		}

		r.from = append(r.from, s)
	}

	return r, nil
}

// sortedKeys makes the order of a map certain.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}

	slices.Sort(keys)

	return keys
}

// mappedValue takes a scalar of the document.
func mappedValue(v any) (value, error) {
	switch v := v.(type) {
	case nil:
		return value{kind: jsontext.KindNull}, nil
	case string:
		return value{kind: jsontext.KindString, text: v}, nil
	case bool:
		if v {
			return value{kind: jsontext.KindTrue, text: "true"}, nil
		}

		return value{kind: jsontext.KindFalse, text: "false"}, nil
	case uint64:
		return value{kind: jsontext.KindNumber, text: strconv.FormatUint(v, 10)}, nil
	case int64:
		return value{kind: jsontext.KindNumber, text: strconv.FormatInt(v, 10)}, nil
	case float64:
		return value{kind: jsontext.KindNumber, text: strconv.FormatFloat(v, 'f', -1, 64)}, nil
	default:
		return value{}, errors.New("must be a string, a number, true, false or null")
	}
}

// onDay replaces $day by the day of a time, microseconds since the epoch.
func onDay(v value, at int64) value {
	if v.kind == jsontext.KindString && v.text == dayWord {
		v.text = time.UnixMicro(at).UTC().Format(dayLayout)
	}

	return v
}

// find returns the rule for a name of a track call; nil if it is usage.
func (m *mapping) find(name string) *rule { return m.rules[name] }

// apply fills an event that happened at that time from the properties of a track call.
func (r *rule) apply(e *eventv1.Event, properties value, at int64) *violation {
	setKind(e, r.kind)

	for _, s := range r.set {
		if bad := setField(e, s.name, onDay(s.value, at)); bad != nil {
			return bad
		}
	}

	if len(r.from) == 0 {
		return nil
	}

	ms := parseMembers(properties)
	for _, s := range r.from {
		v, path := s.find(ms)
		if !v.present() {
			continue
		}

		if bad := setField(e, s.field, loosened(r.kind, s.field, v)); bad != nil {
			bad.field = "properties." + quotable(path)

			return bad
		}
	}

	return nil
}

// find returns the first value that one of the paths leads to.
func (s *source) find(ms []member) (value, string) {
	for _, path := range s.paths {
		if v := walk(ms, path); v.present() {
			return v, strings.Join(path, ".")
		}
	}

	return value{}, ""
}

// walk follows a path through nested objects.
func walk(ms []member, path []string) value {
	for i, name := range path {
		at := slices.IndexFunc(ms, func(m member) bool { return m.name == name })
		if at < 0 {
			break
		}

		if i == len(path)-1 {
			return ms[at].value
		}

		ms = parseMembers(ms[at].value)
	}

	return value{}
}

// loosened adapts what tools send to what a field takes: numbers as ids and texts, numbers written as text, names of
// enum values in any case.
func loosened(k kind, field string, v value) value {
	switch numeric := isNumeric(field); {
	case v.kind == jsontext.KindNumber && !numeric:
		v.kind = jsontext.KindString
	case v.kind == jsontext.KindString && numeric:
		if _, ok := looseNumber(v); ok {
			return value{kind: jsontext.KindNumber, text: strings.TrimSpace(v.text)}
		}
	case v.kind == jsontext.KindString && field == "severity":
		v.text = severity(v.text)
	case v.kind == jsontext.KindString && (field == "action" || field == "survey" || k == kindInteraction && field == "kind"):
		v.text = strings.ToLower(v.text)
	}

	return v
}

// severity translates the words of help desks.
func severity(s string) string {
	switch s = strings.ToLower(s); s {
	case "p0", "p1", "critical", "blocker":
		return "urgent"
	case "p2", "major":
		return "high"
	case "p3", "medium", "moderate":
		return "normal"
	case "p4", "minor":
		return "low"
	default:
		return s
	}
}

// isNumeric tells the fields that hold numbers.
func isNumeric(field string) bool {
	switch field {
	case "quantity", "rating", "score", "scale", "pulse", "arr", "seats", "term_days":
		return true
	default:
		return false
	}
}
