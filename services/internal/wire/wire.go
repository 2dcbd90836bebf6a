package wire

import "encoding/binary"

// Bytes is what can be taken apart: a part of a string is one without a copy.
type Bytes interface{ ~string | ~[]byte }

// Append appends a chunk: its length as a uvarint, then itself.
func Append[T Bytes](b []byte, chunk T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(chunk))), chunk...)
}

// Cut takes the chunk off the front of b that Append wrote there, without a copy. Where there is none all
// are zero.
func Cut[T Bytes](b T) (chunk, rest T, ok bool) {
	n, w := binary.Uvarint([]byte(b[:min(len(b), binary.MaxVarintLen64)]))
	if w <= 0 || n > uint64(len(b)-w) { //nolint:gosec // w is at most len(b)
		return b[:0], b[:0], false
	}

	end := w + int(n) //nolint:gosec // at most len(b)

	return b[w:end], b[end:], true
}

// Reader takes values off the front of some bytes. After the first that is not there it is bad, and gives zeros.
type Reader struct {
	b   []byte
	bad bool
}

// NewReader reads b, which it keeps.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Done reports whether everything was there, and nothing is behind it.
func (r *Reader) Done() bool { return !r.bad && len(r.b) == 0 }

// Bad reports whether a value was not there.
func (r *Reader) Bad() bool { return r.bad }

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.b) }

func (r *Reader) fail() { r.b, r.bad = nil, true }

// Byte takes one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.fail()

		return 0
	}

	v := r.b[0]
	r.b = r.b[1:]

	return v
}

// Uvarint takes a number.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()

		return 0
	}

	r.b = r.b[n:]

	return v
}

// Varint takes a signed number.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()

		return 0
	}

	r.b = r.b[n:]

	return v
}

// Count takes the number of items that follow, each at least one byte long: it is at most the bytes left.
func (r *Reader) Count() uint64 {
	n := r.Uvarint()
	if n > uint64(len(r.b)) {
		r.fail()

		return 0
	}

	return n
}

// Take takes n bytes. It shares memory with what is read.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()

		return nil
	}

	v := r.b[:n]
	r.b = r.b[n:]

	return v
}

// Chunk takes what Append wrote. It shares memory with what is read.
func (r *Reader) Chunk() []byte {
	chunk, rest, ok := Cut(r.b)
	if !ok {
		r.fail()

		return nil
	}

	r.b = rest

	return chunk
}

// Text takes what Append wrote, as a copy.
func (r *Reader) Text() string { return string(r.Chunk()) }
