package wire_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/wire"
)

func TestCut(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"", "a", "acme", strings.Repeat("x", 127), strings.Repeat("x", 128), "\x00\xff"} {
		b := append(wire.Append(nil, text), "behind"...)

		chunk, rest, ok := wire.Cut(b)
		require.True(t, ok)
		require.Equal(t, text, string(chunk))
		require.Equal(t, "behind", string(rest))

		part, left, ok := wire.Cut(string(b))
		require.True(t, ok)
		require.Equal(t, text, part)
		require.Equal(t, "behind", left)
		require.Equal(t, b, append(wire.Append(nil, []byte(text)), "behind"...))
	}

	for name, b := range map[string][]byte{
		"nothing":                   nil,
		"half a length":             {0x80},
		"a length without its end":  bytes.Repeat([]byte{0xff}, 20),
		"one byte too few":          {3, 'a', 'b'},
		"more than any memory":      binary.AppendUvarint(nil, math.MaxUint64),
		"more than an int":          binary.AppendUvarint(nil, math.MaxInt64+1),
		"just what an int can hold": binary.AppendUvarint(nil, math.MaxInt64),
	} {
		t.Run("there is no chunk in "+name, func(t *testing.T) {
			t.Parallel()

			chunk, rest, ok := wire.Cut(b)
			require.False(t, ok)
			require.Empty(t, chunk)
			require.Empty(t, rest)

			part, left, ok := wire.Cut(string(b))
			require.False(t, ok)
			require.Empty(t, part)
			require.Empty(t, left)
		})
	}
}

func TestCutAllocatesNothing(t *testing.T) { //nolint:paralleltest // allocations of others would count
	b := append(wire.Append(nil, "account"), "behind"...)
	s := string(b)

	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, _, ok := wire.Cut(b); !ok {
			panic("no chunk")
		}

		if _, _, ok := wire.Cut(s); !ok {
			panic("no chunk")
		}
	}))
}

func TestReader(t *testing.T) {
	t.Parallel()

	b := append([]byte{7}, binary.AppendUvarint(nil, 1<<40)...)
	b = wire.Append(wire.Append(b, "text"), "chunk")
	b = append(b, 2, 1, 2)

	t.Run("it takes what was written, in order", func(t *testing.T) {
		t.Parallel()

		r := wire.NewReader(b)
		require.Equal(t, byte(7), r.Byte())
		require.Equal(t, uint64(1<<40), r.Uvarint())
		require.Equal(t, "text", r.Text())
		require.Equal(t, []byte("chunk"), r.Chunk())
		require.False(t, r.Done(), "something is left")
		require.Equal(t, uint64(2), r.Count())
		require.Equal(t, byte(1), r.Byte())
		require.Equal(t, 1, r.Len())
		require.Equal(t, []byte{2}, r.Take(1))
		require.True(t, r.Done())
		require.False(t, r.Bad())
	})
	t.Run("after the first value that is not there it gives zeros", func(t *testing.T) {
		t.Parallel()

		for name, take := range map[string]func(*wire.Reader) any{
			"byte":    func(r *wire.Reader) any { return int(r.Byte()) },
			"uvarint": func(r *wire.Reader) any { return int(r.Uvarint()) },
			"count":   func(r *wire.Reader) any { return int(r.Count()) },
			"bytes":   func(r *wire.Reader) any { return len(r.Take(1)) },
			"chunk":   func(r *wire.Reader) any { return len(r.Chunk()) },
			"text":    func(r *wire.Reader) any { return len(r.Text()) },
		} {
			r := wire.NewReader([]byte{9, 1, 2})
			require.Nil(t, r.Chunk(), "of nine bytes two are there")
			require.True(t, r.Bad())
			require.Zero(t, take(r), name)
			require.False(t, r.Done(), name)

			require.Zero(t, take(wire.NewReader(nil)), name)
		}
	})
	t.Run("a count of more items than bytes is not there", func(t *testing.T) {
		t.Parallel()

		r := wire.NewReader([]byte{3, 1, 2})
		require.Zero(t, r.Count())
		require.True(t, r.Bad())
	})
	t.Run("a text is a copy", func(t *testing.T) {
		t.Parallel()

		b := wire.Append(nil, "text")
		text := wire.NewReader(b).Text()
		b[1] = 'n'
		require.Equal(t, "text", text)
	})
}

func FuzzCut(f *testing.F) {
	f.Add([]byte("\x03abc"))
	f.Add([]byte{0x80, 0x00})
	f.Add(bytes.Repeat([]byte{0xff}, 12))
	f.Fuzz(func(t *testing.T, b []byte) {
		chunk, rest, ok := wire.Cut(b)
		part, left, same := wire.Cut(string(b))
		require.Equal(t, ok, same)
		require.Equal(t, string(chunk), part)
		require.Equal(t, string(rest), left)

		if !ok {
			require.Empty(t, rest)

			return
		}

		require.LessOrEqual(t, len(chunk)+len(rest), len(b))
		again, _, ok := wire.Cut(append(wire.Append(nil, chunk), rest...))
		require.True(t, ok)
		require.Equal(t, chunk, again)
	})
}
