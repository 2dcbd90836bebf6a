package main

import (
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// schemas are the components of the document, by the full name of what they describe.
type schemas map[string]object

// message refers to the schema of a message, and makes it where it is not there yet.
func (c schemas) message(m *protogen.Message) object {
	name := string(m.Desc.FullName())
	if known := wellKnown(name); known != nil {
		return known
	}

	if _, ok := c[name]; !ok {
		schema := object{"type": "object", "description": text(m.Comments.Leading)}
		c[name] = schema // before its fields: they may lead back here

		properties := object{}
		for _, f := range m.Fields {
			properties[f.Desc.JSONName()] = c.field(f)
		}

		if len(properties) > 0 {
			schema["properties"] = properties
		}
	}

	return reference(name)
}

// field describes a field with its comment.
func (c schemas) field(f *protogen.Field) object {
	schema := object{}

	switch {
	case f.Desc.IsMap():
		schema["type"], schema["additionalProperties"] = "object", c.value(f.Message.Fields[1])
	case f.Desc.IsList():
		schema["type"], schema["items"] = "array", c.value(f)
	case f.Message != nil:
		schema["anyOf"] = []object{c.value(f), {"type": "null"}}
	default:
		schema = c.value(f)
	}

	if comment := text(f.Comments.Leading); comment != "" {
		schema["description"] = comment
	}

	return schema
}

// value describes one value of a field.
func (c schemas) value(f *protogen.Field) object {
	switch f.Desc.Kind() {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.StringKind:
		return object{"type": "string"}
	case protoreflect.BytesKind:
		return object{"type": "string", "contentEncoding": "base64"}
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return object{"type": "number"}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return object{"type": "integer", "format": "int32"}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return object{"type": "integer", "minimum": 0}
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return object{"type": "string", "pattern": "^-?[0-9]+$"}
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return object{"type": "string", "pattern": "^[0-9]+$"}
	case protoreflect.EnumKind:
		return c.enum(f.Enum)
	default:
		return c.message(f.Message)
	}
}

// enum refers to the schema of an enum.
func (c schemas) enum(e *protogen.Enum) object {
	name := string(e.Desc.FullName())

	if _, ok := c[name]; !ok {
		var names, lines []string

		for _, v := range e.Values {
			names = append(names, string(v.Desc.Name()))
			lines = append(lines, string(v.Desc.Name())+": "+text(v.Comments.Leading))
		}

		c[name] = object{
			"type": "string", "enum": names, "description": text(e.Comments.Leading) + "\n" + strings.Join(lines, "\n"),
		}
	}

	return reference(name)
}

// wellKnown describes the messages that JSON writes in a way of their own; nil: any other.
func wellKnown(name string) object {
	switch name {
	case "google.protobuf.Timestamp":
		return object{"type": "string", "format": "date-time"}
	case "google.protobuf.Duration":
		return object{"type": "string", "pattern": `^-?[0-9]+(\.[0-9]+)?s$`}
	case "google.protobuf.FieldMask":
		return object{"type": "string"}
	default:
		return nil
	}
}

// connectError describes what every refused call answers.
func connectError() object {
	return object{
		"type": "object", "description": "Why a call was refused.", "required": []string{"code"},
		"properties": object{
			"code":    object{"type": "string", "description": "The code of gRPC, in lower case: not_found."},
			"message": object{"type": "string", "description": "For people; may change."},
			"details": object{
				"type": "array", "description": "What programs rely on: google.rpc.ErrorInfo holds the reason.",
				"items": object{"type": "object", "properties": object{
					"type":  object{"type": "string", "description": "Full name of the detail's message."},
					"value": object{"type": "string", "description": "The message, base64 without padding."},
					"debug": object{"description": "The message as JSON, where it is known."},
				}},
			},
		},
	}
}

func reference(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// text is a comment as one paragraph.
func text(c protogen.Comments) string { return strings.Join(strings.Fields(string(c)), " ") }
