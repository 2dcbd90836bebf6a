package snapshot

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/zeebo/xxh3"
)

// A snapshot, numbers little endian:
//
//	magic "HALECKPT", version uint16
//	one zstd frame, of:
//		header: chunk of layout chunk, partition and begun uvarint
//		each entry: tagPut, key chunk, value chunk; or tagRemove, key chunk
//		tagEnd, number of entries uvarint, meta chunk
//	xxh3 of all bytes before it, uint64
//
// A chunk is its length as a uvarint, and its bytes. Magic, version and checksum are in the clear: a newer version may
// compress in another way, and the checksum covers what is stored, so that no changed bit goes unseen.
const (
	magic      = "HALECKPT"
	version    = 1
	versionLen = 2
	sumLen     = 8

	tagPut    = 1
	tagRemove = 2
	tagEnd    = 3

	maxHeader = 4 << 10
	maxKey    = 64 << 10
	maxValue  = 512 << 20 // what Redis takes at most

	// window is how far back the compression looks: what it costs in memory, and the least that readers allow.
	window    = 1 << 20
	maxWindow = 8 * window
)

// summed passes on what is written and sums it up.
type summed struct {
	w   io.Writer
	sum *xxh3.Hasher
}

func (s *summed) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	_, _ = s.sum.Write(p[:n]) // never fails

	return n, err //nolint:wrapcheck // wrapped by Writer
}

// tailSize is how much a tail reads at once.
const tailSize = 64 << 10

// tail sums up what is read and holds the last bytes back: they are the checksum.
type tail struct {
	src  io.Reader
	sum  *xxh3.Hasher
	buf  []byte
	held []byte // of buf: read, and not handed out yet
	end  bool   // src has ended
	err  error  // of src; it is no damage
}

func newTail(src io.Reader) *tail {
	return &tail{src: src, sum: xxh3.New(), buf: make([]byte, tailSize)}
}

func (t *tail) Read(p []byte) (int, error) {
	for len(t.held) <= sumLen && !t.end && t.err == nil {
		t.fill()
	}

	if t.err != nil {
		return 0, t.err
	}

	n := copy(p, t.held[:max(0, len(t.held)-sumLen)])
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}

	_, _ = t.sum.Write(p[:n]) // never fails
	t.held = t.held[n:]

	return n, nil
}

func (t *tail) fill() {
	kept := copy(t.buf, t.held)
	n, err := t.src.Read(t.buf[kept:])
	t.held = t.buf[:kept+n]

	switch {
	case errors.Is(err, io.EOF):
		t.end = true
	case err != nil:
		t.err = err
	}
}

// sound reports whether everything was handed out and the checksum is right.
func (t *tail) sound() bool {
	return t.end && t.err == nil && len(t.held) == sumLen && binary.LittleEndian.Uint64(t.held) == t.sum.Sum64()
}
