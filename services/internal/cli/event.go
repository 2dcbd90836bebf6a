package cli

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// eventFlags are the parts of an event that every kind has.
type eventFlags struct {
	account, user, id, time string
}

// kinds of events, as Hale's own JSON names them.
func kinds() []string {
	return []string{"usage", "login", "ticket", "survey", "account", "user", "interaction"}
}

// eventJSON makes one event from flags and from fields written as NAME=VALUE. What a value may
// be, the server decides; here it only becomes text, a number, a truth value or null.
func eventJSON(kind string, f eventFlags, fields []string) ([]byte, error) {
	event := map[string]any{"type": kind, "id": f.id}

	if f.id == "" {
		event["id"] = "cli-" + rand.Text()
	}

	for name, value := range map[string]string{"account": f.account, "user": f.user, "time": f.time} {
		if value != "" {
			event[name] = value
		}
	}

	traits := map[string]any{}

	for _, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		if !ok || name == "" {
			return nil, usageError("%q is not NAME=VALUE", field)
		}

		if trait, ok := strings.CutPrefix(name, "traits."); ok {
			traits[trait] = loose(value)
		} else {
			event[name] = typed(name, value)
		}
	}

	if len(traits) > 0 {
		event["traits"] = traits
	}

	text, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("writing the event: %w", err)
	}

	return text, nil
}

// typed turns the value of a known field into JSON: nothing after the `=` is null, which clears.
func typed(name, value string) any {
	if value == "" {
		return nil
	}

	switch name {
	case "quantity", "rating", "score", "scale", "arr", "seats", "term_days", "pulse", "success":
		return loose(value)
	default:
		return value
	}
}

// loose turns a value into a number or a truth value if it looks like one.
func loose(value string) any {
	if b, err := strconv.ParseBool(value); err == nil && (value == "true" || value == "false") {
		return b
	}

	if json.Valid([]byte(value)) && strings.Trim(value, "0123456789+-.eE") == "" {
		return json.Number(value)
	}

	if value == "" {
		return nil
	}

	return value
}

// oneLine writes an event on one line.
func oneLine(event json.RawMessage) ([]byte, error) {
	if bytes.IndexByte(event, '\n') < 0 && bytes.IndexByte(event, '\r') < 0 {
		return event, nil
	}

	var b bytes.Buffer
	if err := json.Compact(&b, event); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}

	return b.Bytes(), nil
}
