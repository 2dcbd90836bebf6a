package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// viewMessage is an answer as the JSON of the API, with the names of the contract. Answers that people read mostly as
// tables need no view of their own.
func viewMessage(m proto.Message) (json.RawMessage, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}

	var same bytes.Buffer // protojson varies its spaces on purpose
	if err := json.Compact(&same, text); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}

	return same.Bytes(), nil
}
