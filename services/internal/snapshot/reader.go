package snapshot

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Entry is a change to a key. A later one for the same key overrides an earlier one.
type Entry struct {
	Key string
	// Value is valid until the callback returns.
	Value []byte
	// Removed says that the key has no value any more.
	Removed bool
}

// Reader reads one snapshot, in bounded memory. Not safe for concurrent use.
type Reader struct {
	header Header
	tail   *tail
	zip    *zstd.Decoder
	in     *bufio.Reader
	buf    []byte
	read   bool
}

// readSize is how much a reader decompresses at once.
const readSize = 64 << 10

// ctxEvery is the number of entries between two looks at the context.
const ctxEvery = 256

// NewReader reads the beginning of a snapshot.
func NewReader(src io.Reader) (*Reader, error) {
	r := &Reader{tail: newTail(src)}

	var head [len(magic) + versionLen]byte
	if _, err := io.ReadFull(r.tail, head[:]); err != nil {
		return nil, r.bad("its beginning", err)
	}

	if string(head[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it is none", ErrDamaged)
	}

	switch v := binary.LittleEndian.Uint16(head[len(magic):]); {
	case v > version:
		return nil, fmt.Errorf("%w: %d, this program reads up to %d", ErrFormat, v, version)
	case v == 0:
		return nil, fmt.Errorf("%w: it has format 0", ErrDamaged)
	}

	zip, err := zstd.NewReader(r.tail, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, r.bad("its compression", err)
	}

	r.zip, r.in = zip, bufio.NewReaderSize(zip, readSize)

	if err := r.readHeader(); err != nil {
		r.Close()

		return nil, err
	}

	return r, nil
}

func (r *Reader) readHeader() error {
	b, err := r.chunk(maxHeader)
	if err != nil {
		return r.bad("its header", err)
	}

	var ok bool
	if r.header, ok = parseHeader(b); !ok {
		return fmt.Errorf("%w: its header does not fit", ErrDamaged)
	}

	return nil
}

// Header is what was known when the snapshot was begun. Only Each finds out whether it is true.
func (r *Reader) Header() Header { return r.header }

// Close frees what reading needs. What lies below is left open.
func (r *Reader) Close() { r.zip.Close() }

// Each calls f for every entry, in order, and returns what stands at the end. Entries come before the checksum is
// seen: if the error is not nil, none of them may be used. It can be called once.
func (r *Reader) Each(ctx context.Context, f func(Entry) error) (Meta, error) {
	if r.read {
		return Meta{}, errors.New("snapshot: it has been read already")
	}

	r.read = true

	for n := uint64(0); ; n++ {
		if n%ctxEvery == 0 && ctx.Err() != nil {
			return Meta{}, fmt.Errorf("reading a snapshot: %w", ctx.Err())
		}

		tag, err := r.in.ReadByte()
		if err != nil {
			return Meta{}, r.bad("an entry", err)
		}

		if tag == tagEnd {
			return r.finish(n)
		}

		e, err := r.entry(tag)
		if err != nil {
			return Meta{}, err
		}

		if err := f(e); err != nil {
			return Meta{}, fmt.Errorf("using entry %d of a snapshot: %w", n, err)
		}
	}
}

func (r *Reader) entry(tag byte) (Entry, error) {
	if tag != tagPut && tag != tagRemove {
		return Entry{}, fmt.Errorf("%w: an entry of unknown kind %d", ErrDamaged, tag)
	}

	key, err := r.chunk(maxKey)
	if err != nil {
		return Entry{}, r.bad("a key", err)
	}

	e := Entry{Key: string(key), Removed: tag == tagRemove}
	if e.Removed {
		return e, nil
	}

	if e.Value, err = r.chunk(maxValue); err != nil {
		return Entry{}, r.bad("a value", err)
	}

	return e, nil
}

// finish reads and checks the end.
func (r *Reader) finish(entries uint64) (Meta, error) {
	count, err := binary.ReadUvarint(r.in)
	if err != nil {
		return Meta{}, r.bad("its end", err)
	}

	b, err := r.chunk(maxValue)
	if err != nil {
		return Meta{}, r.bad("its meta", err)
	}

	m, ok := parseMeta(b)
	if !ok || count != entries {
		return Meta{}, fmt.Errorf("%w: its end does not fit", ErrDamaged)
	}

	if _, err = r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return Meta{}, r.bad("what is behind its end", err)
	}

	if !r.tail.sound() {
		return Meta{}, fmt.Errorf("%w: its checksum differs", ErrDamaged)
	}

	return m, nil
}

var errBound = errors.New("longer than it may be")

// chunk reads a length and as many bytes. They are valid until the next one is read. Memory grows with what is
// there, not with what the length says.
func (r *Reader) chunk(limit uint64) ([]byte, error) {
	left, err := binary.ReadUvarint(r.in)
	if err != nil {
		return nil, err //nolint:wrapcheck // wrapped by bad
	}

	if left > limit {
		return nil, errBound
	}

	r.buf = r.buf[:0]

	for left > 0 {
		step := int(min(left, uint64(max(readSize, cap(r.buf)-len(r.buf))))) //nolint:gosec // at most limit
		begin := len(r.buf)
		r.buf = slices.Grow(r.buf, step)[:begin+step]

		if _, err := io.ReadFull(r.in, r.buf[begin:]); err != nil {
			return nil, err //nolint:wrapcheck // wrapped by bad
		}

		left -= uint64(step)
	}

	return r.buf, nil
}

// bad tells a source that cannot be read, which says nothing about the snapshot, from a snapshot that is damaged.
func (r *Reader) bad(what string, err error) error {
	switch {
	case r.tail.err != nil:
		return fmt.Errorf("reading a snapshot: %w", r.tail.err)
	case err == nil:
		return fmt.Errorf("%w: there is something where %s should be", ErrDamaged, what)
	default:
		return fmt.Errorf("%w: reading %s: %w", ErrDamaged, what, err)
	}
}

// Verify reads a snapshot through and returns what stands at its beginning and end.
func Verify(ctx context.Context, src io.Reader) (Header, Meta, error) {
	r, err := NewReader(src)
	if err != nil {
		return Header{}, Meta{}, err
	}
	defer r.Close()

	m, err := r.Each(ctx, func(Entry) error { return nil })

	return r.Header(), m, err
}
