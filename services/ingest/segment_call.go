package ingest

import "github.com/go-json-experiment/json/jsontext"

// call reads one event.
func (r *reader) call(c *call) error {
	if r.dec.PeekKind() != jsontext.KindBeginObject {
		v, at, err := r.raw()
		if err != nil {
			return err
		}

		c.raw = r.body[at : at+len(v)]
		c.bad = violates("", CodeInvalidType, "an event must be an object")

		return nil
	}

	if err := r.open(); err != nil {
		return err
	}

	start := int(r.dec.InputOffset()) - 1

	for {
		more, err := r.more()
		if err != nil {
			return err
		}

		if !more {
			c.raw = r.body[start:r.dec.InputOffset()]

			return nil
		}

		name, err := r.name()
		if err != nil {
			return err
		}

		if err = r.callMember(c, name); err != nil {
			return err
		}
	}
}

// callMember reads one member of an event.
func (r *reader) callMember(c *call, name string) error {
	switch name {
	case "context":
		group, err := r.context(&c.bad)
		c.contextGroup = group

		return err
	case "properties":
		return r.properties(c)
	case "traits":
		v, err := r.value()
		c.traits = v
		c.fault(v.present() && v.kind != jsontext.KindBeginObject, name, "must be an object")

		return err
	case "userId", "anonymousId", "groupId", "previousId", "messageId", "event", "timestamp", "originalTimestamp":
		return r.id(c, name, c.place(name))
	default:
		if into := c.place(name); into != nil {
			return r.lax(into)
		}

		return r.skip()
	}
}

// place returns where a member of an event belongs; nil: nowhere.
func (c *call) place(name string) *string {
	switch name {
	case "type":
		return &c.kind
	case "event":
		return &c.event
	case "userId":
		return &c.userID
	case "anonymousId":
		return &c.anonymous
	case "groupId":
		return &c.groupID
	case "previousId":
		return &c.previousID
	case "messageId":
		return &c.messageID
	case "timestamp":
		return &c.timestamp
	case "originalTimestamp":
		return &c.original
	case "sentAt":
		return &c.sentAt
	case "name":
		return &c.name
	case "category":
		return &c.category
	case "writeKey":
		return &c.writeKey
	default:
		return nil
	}
}

// fault notes the first thing that is wrong with an event.
func (c *call) fault(wrong bool, field, message string) {
	if wrong && c.bad == nil {
		c.bad = violates(field, CodeInvalidType, message)
	}
}

// id reads a string; a number will do, as it stands.
func (r *reader) id(c *call, name string, into *string) error {
	v, err := r.value()

	switch v.kind {
	case jsontext.KindString, jsontext.KindNumber:
		*into = v.text
	case jsontext.KindNull, jsontext.KindInvalid:
	default:
		c.fault(true, name, "must be a string")
	}

	return err
}

// context reads the groupId of a context.
func (r *reader) context(bad **violation) (string, error) {
	if k := r.dec.PeekKind(); k != jsontext.KindBeginObject {
		if k != jsontext.KindNull && *bad == nil {
			*bad = violates("context", CodeInvalidType, "must be an object")
		}

		return "", r.skip()
	}

	if err := r.open(); err != nil {
		return "", err
	}

	c := call{}

	for {
		more, err := r.more()
		if err != nil || !more {
			if *bad == nil {
				*bad = c.bad
			}

			return c.groupID, err
		}

		name, err := r.name()
		if err != nil {
			return "", err
		}

		if name == "groupId" {
			err = r.id(&c, "context.groupId", &c.groupID)
		} else {
			err = r.skip()
		}

		if err != nil {
			return "", err
		}
	}
}

// properties reads the properties of an event: their quantity at once, the others when a mapping wants them.
func (r *reader) properties(c *call) error {
	if k := r.dec.PeekKind(); k != jsontext.KindBeginObject {
		c.fault(k != jsontext.KindNull, "properties", "must be an object")

		return r.skip()
	}

	if err := r.open(); err != nil {
		return err
	}

	start := int(r.dec.InputOffset()) - 1

	for {
		more, err := r.more()
		if err != nil {
			return err
		}

		if !more {
			c.properties = value{kind: jsontext.KindBeginObject, text: r.text[start:r.dec.InputOffset()]}

			return nil
		}

		name, err := r.name()
		if err != nil {
			return err
		}

		if name == "quantity" {
			c.quantity, err = r.value()
		} else {
			err = r.skip()
		}

		if err != nil {
			return err
		}
	}
}
