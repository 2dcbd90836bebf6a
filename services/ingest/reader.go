package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxQuoted bounds how much of a client's text an error quotes.
const maxQuoted = 64

// value is one JSON value: of a string its text, of everything else the JSON as it stands.
type value struct {
	kind jsontext.Kind
	text string
}

// present tells a value from none, and from null.
func (v value) present() bool { return v.kind != 0 && v.kind != jsontext.KindNull }

// reader reads one JSON text token by token. It is strict: valid UTF-8, no duplicate names, a bounded depth. Texts
// without escapes are parts of text, so they cost no allocation.
type reader struct {
	dec     *jsontext.Decoder
	body    []byte
	text    string
	lenient bool
}

// newReader reads body, which must not change meanwhile. With lenient set, invalid UTF-8 and duplicate names pass:
// that finds out where in a batch they are.
func newReader(body []byte, text string, lenient bool) *reader {
	return &reader{
		dec: jsontext.NewDecoder(bytes.NewBuffer(body),
			jsontext.AllowInvalidUTF8(lenient), jsontext.AllowDuplicateNames(lenient)),
		body: body, text: text, lenient: lenient,
	}
}

// raw reads a whole value and returns it with its place in the text.
func (r *reader) raw() (jsontext.Value, int, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, 0, err //nolint:wrapcheck // the decoder's caller wraps all of them once
	}

	return v, int(r.dec.InputOffset()) - len(v), nil
}

// value reads a whole value.
func (r *reader) value() (value, error) {
	v, at, err := r.raw()
	if err != nil {
		return value{}, err
	}

	return r.parse(v, at)
}

// parse turns a raw value at a place of the text into a value.
func (r *reader) parse(v jsontext.Value, at int) (value, error) {
	k := v.Kind()
	if k != jsontext.KindString {
		return value{kind: k, text: r.text[at : at+len(v)]}, nil
	}

	if bytes.IndexByte(v, '\\') < 0 {
		return value{kind: k, text: r.text[at+1 : at+len(v)-1]}, nil
	}

	plain, err := jsontext.AppendUnquote(nil, v)
	if r.lenient {
		err = nil // it is invalid UTF-8, replaced as far as it goes
	}

	return value{kind: k, text: string(plain)}, err
}

// name reads a member's name.
func (r *reader) name() (string, error) {
	v, err := r.value()

	return v.text, err
}

// open reads the token that opens an object or array.
func (r *reader) open() error {
	_, err := r.dec.ReadToken()

	return err //nolint:wrapcheck // see raw
}

// more tells whether the object or array that is being read goes on; if not it reads its end.
func (r *reader) more() (bool, error) {
	switch r.dec.PeekKind() {
	case jsontext.KindEndObject, jsontext.KindEndArray:
		_, err := r.dec.ReadToken()

		return false, err //nolint:wrapcheck // see raw
	case jsontext.KindInvalid:
		_, err := r.dec.ReadToken()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}

		return false, err
	default:
		return true, nil
	}
}

// skip passes over a value, checking it.
func (r *reader) skip() error { return r.dec.SkipValue() } //nolint:wrapcheck // see raw

// end makes sure that nothing follows.
func (r *reader) end() error {
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("more follows the value")
		}

		return err
	}

	return nil
}

// member is one member of an object.
type member struct {
	name  string
	value value
}

// members reads an object, whole.
func (r *reader) members(into []member) ([]member, error) {
	if err := r.open(); err != nil {
		return nil, err
	}

	for {
		more, err := r.more()
		if err != nil || !more {
			return into, err
		}

		m := member{}
		if m.name, err = r.name(); err != nil {
			return nil, err
		}

		if m.value, err = r.value(); err != nil {
			return nil, err
		}

		into = append(into, m)
	}
}

// parseMembers reads the members of an object that was read as a value before, and so is valid.
func parseMembers(v value) []member {
	if v.kind != jsontext.KindBeginObject {
		return nil
	}

	ms, err := newReader([]byte(v.text), v.text, true).members(nil)
	if err != nil {
		return nil
	}

	return ms
}

// syntaxProblem says where a body stops being JSON.
func syntaxProblem(err error) *Problem {
	return malformed(CodeMalformedJSON, "the body is not JSON: "+syntaxMessage(err))
}

func syntaxMessage(err error) string {
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Sprintf("at byte %d: %v", syntactic.ByteOffset, syntactic.Err)
	}

	return err.Error()
}

// strictViolation finds what is wrong with a value that only a lenient reader takes.
func strictViolation(body []byte) *violation {
	err := newReader(body, "", false).skip()

	var syntactic *jsontext.SyntacticError

	switch {
	case err == nil:
		return nil
	case !errors.As(err, &syntactic):
		return violates("", CodeMalformedJSON, err.Error())
	case errors.Is(err, jsontext.ErrDuplicateName):
		return violates(pointerPath(syntactic.JSONPointer), CodeDuplicateKey, "the object names a field twice")
	default:
		return violates(pointerPath(syntactic.JSONPointer), CodeInvalidUTF8, "the text is not valid UTF-8")
	}
}

// pointerPath turns a JSON pointer into a field path.
func pointerPath(p jsontext.Pointer) string {
	path := make([]byte, 0, len(p))
	for name := range p.Tokens() {
		if len(path) > 0 {
			path = append(path, '.')
		}

		path = append(path, name...)
	}

	return quotable(string(path))
}

// quotable makes a client's text fit for an answer: valid, and not endless.
func quotable(s string) string {
	s = string(bytes.ToValidUTF8([]byte(s), []byte("\ufffd")))
	if len(s) <= maxQuoted {
		return s
	}

	cut := maxQuoted
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}

	return s[:cut] + "…"
}
