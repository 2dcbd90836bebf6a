package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"hale.dev/services/internal/wire"
)

// errFinished says that a snapshot takes no more.
var errFinished = errors.New("the snapshot is finished")

// Writer writes one snapshot, in bounded memory. After the first error every call returns it. Not safe for
// concurrent use.
type Writer struct {
	out     *summed
	zip     *zstd.Encoder
	buf     []byte
	entries uint64
	err     error
}

// NewWriter begins a snapshot. Without Finish it is damaged.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	out := &summed{w: w, sum: xxh3.New()}

	head := h.append(nil)
	if len(head) > maxHeader {
		return nil, fmt.Errorf("%w: a header of %d bytes", ErrTooLarge, len(head))
	}

	if _, err := out.Write(binary.LittleEndian.AppendUint16([]byte(magic), version)); err != nil {
		return nil, fmt.Errorf("beginning a snapshot: %w", err)
	}

	zip, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("beginning the compression of a snapshot: %w", err)
	}

	s := &Writer{out: out, zip: zip}
	s.write(wire.Append(nil, head))

	return s, s.err
}

// Put adds a key's value. It overrides what came before for the key. Neither is kept.
func (w *Writer) Put(key string, value []byte) error {
	if len(key) > maxKey || len(value) > maxValue {
		w.fail(fmt.Errorf("%w: a key of %d bytes with a value of %d", ErrTooLarge, len(key), len(value)))
	}

	w.buf = wire.Append(append(w.buf[:0], tagPut), key)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(value)))
	w.write(w.buf)
	w.write(value)
	w.entries++

	return w.err
}

// Remove says that a key has no value any more.
func (w *Writer) Remove(key string) error {
	if len(key) > maxKey {
		w.fail(fmt.Errorf("%w: a key of %d bytes", ErrTooLarge, len(key)))
	}

	w.buf = wire.Append(append(w.buf[:0], tagRemove), key)
	w.write(w.buf)
	w.entries++

	return w.err
}

// Entries is the number of entries so far.
func (w *Writer) Entries() uint64 { return w.entries }

// Finish ends the snapshot. What lies below the writer is left open, and may have to be flushed.
func (w *Writer) Finish(m Meta) error {
	meta := m.append(nil)
	if len(meta) > maxValue {
		w.fail(fmt.Errorf("%w: a state of %d bytes", ErrTooLarge, len(m.State)))
	}

	w.buf = binary.AppendUvarint(append(w.buf[:0], tagEnd), w.entries)
	w.write(wire.Append(w.buf, meta))

	if w.err != nil {
		return w.err
	}

	if err := w.zip.Close(); err != nil {
		w.fail(fmt.Errorf("ending the compression of a snapshot: %w", err))

		return w.err
	}

	sum := binary.LittleEndian.AppendUint64(nil, w.out.sum.Sum64())
	if _, err := w.out.Write(sum); err != nil {
		w.fail(fmt.Errorf("writing the checksum of a snapshot: %w", err))

		return w.err
	}

	w.fail(errFinished)

	return nil
}

func (w *Writer) write(p []byte) {
	if w.err != nil {
		return
	}

	if _, err := w.zip.Write(p); err != nil {
		w.fail(fmt.Errorf("writing a snapshot: %w", err))
	}
}

// fail keeps the first error.
func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
