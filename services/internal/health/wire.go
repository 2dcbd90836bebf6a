package health

import (
	"encoding/binary"
	"errors"
)

// ErrCorrupt says that bytes are not what this package wrote.
var ErrCorrupt = errors.New("corrupt account state")

// zigzag makes small numbers of both signs small numbers.
func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) } //nolint:gosec // a bit pattern

func unzigzag(u uint64) int64 {
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// bit is 1 for true.
func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// writer appends values in a compact form. It holds a buffer and how much of it is written, because
// to store a slice anew for each value costs a write barrier.
type writer struct {
	b []byte
	n int
}

// room makes sure that n more bytes fit.
func (w *writer) room(n int) {
	if len(w.b)-w.n < n {
		w.b = append(w.b, make([]byte, n+len(w.b))...)
	}
}

// bytes returns what was written.
func (w *writer) bytes() []byte { return w.b[:w.n] }

func (w *writer) byte(v byte) {
	w.room(1)
	w.b[w.n] = v
	w.n++
}

func (w *writer) uint(v uint64) {
	w.room(binary.MaxVarintLen64)
	w.n += binary.PutUvarint(w.b[w.n:], v)
}

func (w *writer) int(v int64)   { w.uint(zigzag(v)) }
func (w *writer) count(n int)   { w.uint(uint64(n)) } //nolint:gosec // a length
func (w *writer) text(s string) { w.count(len(s)); w.raw(s) }

// raw writes a text without its length.
func (w *writer) raw(s string) {
	w.room(len(s))
	w.n += copy(w.b[w.n:], s)
}

// bin writes bytes without their length.
func (w *writer) bin(b []byte) {
	w.room(len(b))
	w.n += copy(w.b[w.n:], b)
}

// amount writes a number of micros that mostly is a whole one.
func (w *writer) amount(v int64) {
	const micros, wholes = 0, 1
	if v%1_000_000 == 0 {
		w.int(v/1_000_000<<1 | wholes)
		return
	}
	w.int(v<<1 | micros)
}

// reader takes apart what a writer wrote. After the first error it returns zeros.
type reader struct {
	b   []byte
	s   string // the same bytes, where texts are cut from; empty: texts are copied
	pos int
	bad bool
}

func (r *reader) fail() { r.bad, r.pos = true, len(r.b) }

func (r *reader) left() int { return len(r.b) - r.pos }

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.fail()
		return 0
	}
	v := r.b[r.pos]
	r.pos++
	return v
}

func (r *reader) uint() uint64 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint64(r.b[r.pos-1])
	}
	v, n := binary.Uvarint(r.b[r.pos:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.pos += n
	return v
}

func (r *reader) int() int64 {
	return unzigzag(r.uint())
}

// count reads a number of things that take at least size bytes each.
func (r *reader) count(size int) int {
	n := r.uint()
	if n > uint64(r.left()/size) { //nolint:gosec // never negative
		r.fail()
		return 0
	}
	return int(n) //nolint:gosec // at most the length
}

func (r *reader) text() string {
	n := r.count(1)
	r.pos += n
	if r.s != "" {
		return r.s[r.pos-n : r.pos]
	}
	return string(r.b[r.pos-n : r.pos])
}

func (r *reader) amount() int64 {
	v := r.int()
	if v&1 == 0 {
		return v >> 1
	}
	v >>= 1
	const limit = int64(1) << 43 // times a million is inside an int64
	if v > limit || v < -limit {
		r.fail()
		return 0
	}
	return v * 1_000_000
}

// day reads a day as a distance from another.
func (r *reader) day(from Day) Day {
	v := r.int()
	const limit = 1 << 30
	if v > limit || v < -limit {
		r.fail()
		return 0
	}
	return Day(int64(from) + v) //nolint:gosec // checked against the limit; wraps for nonsense
}
