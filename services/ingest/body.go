package ingest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"hale.dev/services/internal/access"
)

const (
	// chunk is how much of a body is read at once.
	chunk = 32 << 10
	// packedSlack is how much larger than its content a packed body may be.
	packedSlack = 64 << 10
)

// budget bounds the bytes of bodies held at once, whoever sends them.
type budget struct {
	left atomic.Int64
}

func newBudget(n int64) *budget {
	b := &budget{}
	b.left.Store(n)

	return b
}

// take takes n bytes, if they are there.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}

	b.left.Add(n)

	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }

// body is what a client sent, unpacked. Release it when it is decoded and written.
type body struct {
	data  []byte
	lines bool  // one event a line
	sent  int64 // bytes, as they came
	held  int64
	from  *budget
}

func (b *body) release() {
	b.from.give(b.held)
	b.held = 0
}

// bodyReader reads bodies.
type bodyReader struct {
	budget *budget
	chunks sync.Pool // of *[]byte
	packed sync.Pool // of *gzip.Reader
}

func newBodyReader(b *budget) *bodyReader {
	return &bodyReader{
		budget: b,
		chunks: sync.Pool{New: func() any { c := make([]byte, chunk); return &c }},
		packed: sync.Pool{New: func() any { return new(gzip.Reader) }},
	}
}

// bounds are how large a body may be, bytes.
type bounds struct {
	// unpacked is the most that it may have then, and oversize the status for a larger one.
	unpacked, oversize int
	// sent is the most that the key allows it to have as it comes; 0: anything.
	sent int64
}

// packed is the most that is read of a body.
func (b bounds) packed() int64 {
	most := int64(b.unpacked) + packedSlack
	if b.sent > 0 {
		return min(most, b.sent)
	}

	return most
}

// large refuses a body of which one byte too many came, with that many allowed.
func (b bounds) large(allowed int64) *Problem {
	if allowed == b.sent {
		return limitProblem(access.TooLarge(allowed))
	}

	return &Problem{
		Status: b.oversize, Code: CodeRequestTooLarge, Message: fmt.Sprintf("a request may have at most %d bytes", b.unpacked),
	}
}

// read reads the body of a request.
func (br *bodyReader) read(w http.ResponseWriter, r *http.Request, limit bounds) (*body, error) {
	form, lines, p := contentType(r.Header.Get("Content-Type"))
	if p != nil {
		return nil, p
	}

	b := &body{lines: lines, from: br.budget}

	err := br.fill(b, w, r, limit)
	if err == nil && form {
		b.data, err = formJSON(b.data)
	}

	if err != nil {
		b.release()

		return nil, err
	}

	return b, nil
}

// fill reads and unpacks.
func (br *bodyReader) fill(b *body, w http.ResponseWriter, r *http.Request, limit bounds) error {
	src := io.Reader(&counted{from: http.MaxBytesReader(w, r.Body, limit.packed()), n: &b.sent})

	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
		if r.ContentLength > int64(limit.unpacked) {
			return limit.large(int64(limit.unpacked))
		}
	case "gzip", "x-gzip":
		z, _ := br.packed.Get().(*gzip.Reader)
		defer br.packed.Put(z)

		if err := z.Reset(src); err != nil {
			return readProblem(err, true, limit)
		}

		src = z
	default:
		return &Problem{
			Status: unsupported(limit.oversize), Code: CodeUnsupportedEncoding,
			Message: "the content encoding must be gzip or identity",
		}
	}

	return br.copy(b, src, r, limit)
}

// counted counts what is read.
type counted struct {
	from io.Reader
	n    *int64
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	*c.n += int64(n)

	return n, err //nolint:wrapcheck // io.EOF has to stay as it is
}

// unsupported is the status for content that is not understood: Segment's clients expect 400 for everything that
// makes no sense to send again.
func unsupported(oversize int) int {
	if oversize == http.StatusBadRequest {
		return oversize
	}

	return http.StatusUnsupportedMediaType
}

// copy reads src to its end into the body, taking from the budget as it grows.
func (br *bodyReader) copy(b *body, src io.Reader, r *http.Request, limit bounds) error {
	c, _ := br.chunks.Get().(*[]byte)
	defer br.chunks.Put(c)

	if n := r.ContentLength; n > 0 && n <= int64(limit.unpacked) && r.Header.Get("Content-Encoding") == "" {
		if !b.grow(int(n)) {
			return errBusy()
		}
	}

	for {
		n, err := src.Read(*c)
		if len(b.data)+n > limit.unpacked {
			return limit.large(int64(limit.unpacked))
		}

		if !b.grow(n) {
			return errBusy()
		}

		b.data = append(b.data, (*c)[:n]...)

		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return readProblem(err, r.Header.Get("Content-Encoding") != "", limit)
		}
	}
}

// copies is how often a request is in memory: what is decoded takes about as much as its body, and so does the copy that
// the decoded texts are part of.
const copies = 3

// grow makes room for n more bytes; false if the budget has none.
func (b *body) grow(n int) bool {
	if len(b.data)+n <= cap(b.data) {
		return true
	}

	size := max(len(b.data)+n, 2*cap(b.data))
	if !b.from.take(int64(size-cap(b.data)) * copies) {
		return false
	}

	b.held += int64(size-cap(b.data)) * copies
	data := make([]byte, len(b.data), size)
	copy(data, b.data)
	b.data = data

	return true
}

func errBusy() *Problem {
	return &Problem{
		Status: http.StatusTooManyRequests, Code: CodeBusy, Message: "too many requests are under way", RetryAfter: soon,
	}
}

// readProblem tells what a failed read means for the client.
func readProblem(err error, packed bool, limit bounds) *Problem {
	var tooLarge *http.MaxBytesError

	switch {
	case errors.As(err, &tooLarge):
		return limit.large(tooLarge.Limit)
	case packed && (errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || !isNetwork(err)):
		return malformed(CodeMalformedGzip, "the body is not valid gzip")
	default:
		p := malformed(CodeUnreadableBody, "the body could not be read to its end")
		p.Err = err

		return p
	}
}

// isNetwork tells errors of the connection from those of the content.
func isNetwork(err error) bool {
	var timeout interface{ Timeout() bool }

	return errors.As(err, &timeout)
}

// contentType tells what a body is: a form, events on lines, or else JSON. Clients in browsers send JSON as text, to
// be spared the preflight.
func contentType(header string) (form, lines bool, p *Problem) {
	if header == "" {
		return false, false, nil
	}

	kind, params, err := mime.ParseMediaType(header)
	if err == nil {
		switch charset := strings.ToLower(params["charset"]); charset {
		case "", "utf-8", "utf8", "us-ascii":
		default:
			err = fmt.Errorf("charset %q", charset)
		}
	}

	switch {
	case err != nil:
	case kind == "application/json", kind == "text/plain",
		strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
		return false, false, nil
	case kind == "application/x-www-form-urlencoded":
		return true, false, nil
	case kind == "application/x-ndjson", kind == "application/ndjson", kind == "application/jsonl":
		return false, true, nil
	}

	return false, false, &Problem{
		Status: http.StatusUnsupportedMediaType, Code: CodeUnsupportedType,
		Message: "the content type must be application/json or text/plain, in UTF-8",
	}
}

// formJSON finds the JSON in what claims to be a form: usually it is JSON all the same, as `curl -d` sends it; else
// it is in the field data, as it is or in base64.
func formJSON(data []byte) ([]byte, error) {
	if t := bytes.TrimLeft(data, " \t\r\n"); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		return data, nil
	}

	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, malformed(CodeMalformedForm, "the form cannot be read")
	}

	text := strings.TrimSpace(form.Get("data"))
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return []byte(text), nil
	}

	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if plain, err := enc.DecodeString(strings.ReplaceAll(text, " ", "+")); err == nil && len(plain) > 0 {
			return plain, nil
		}
	}

	return nil, malformed(CodeMalformedForm, "a form must hold JSON, or have it in the field data")
}
