package snapshot_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/snapshot"
)

// decode reads a snapshot through.
func decode(src io.Reader) (snapshot.Header, map[string]string, snapshot.Meta, error) {
	r, err := snapshot.NewReader(src)
	if err != nil {
		return snapshot.Header{}, nil, snapshot.Meta{}, err
	}
	defer r.Close()

	state := map[string]string{}
	m, err := r.Each(context.Background(), func(e snapshot.Entry) error {
		state[e.Key] = string(e.Value)
		if e.Removed {
			delete(state, e.Key)
		}

		return nil
	})

	return r.Header(), state, m, err
}

func TestFormat(t *testing.T) {
	t.Parallel()

	t.Run("any sequence of puts and removes is read back as the map that it makes", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			h := snapshot.Header{
				Layout: rapid.String().Draw(t, "layout"), Partition: rapid.Int().Draw(t, "partition"), Begun: rapid.Int64().Draw(t, "begun"),
			}
			m := snapshot.Meta{
				Stream: rapid.String().Draw(t, "stream"), Cursor: rapid.Uint64().Draw(t, "cursor"),
				Generation: rapid.Uint64().Draw(t, "generation"), LogTime: rapid.Int64().Draw(t, "log time"),
				LastTime: rapid.Int64().Draw(t, "last time"), LastHash: rapid.Uint64().Draw(t, "last hash"),
				State: rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "state"), Version: rapid.String().Draw(t, "version"),
				Rules: rapid.Int().Draw(t, "rules"),
			}
			all := rapid.SliceOf(rapid.Custom(func(t *rapid.T) snapshot.Entry {
				e := snapshot.Entry{Key: rapid.StringN(0, 3, 8).Draw(t, "key"), Removed: rapid.IntRange(0, 3).Draw(t, "removed") == 0}
				if !e.Removed {
					e.Value = rapid.SliceOf(rapid.Byte()).Draw(t, "value")
				}

				return e
			})).Draw(t, "entries")

			want := map[string]string{}
			for _, e := range all {
				want[e.Key] = string(e.Value)
				if e.Removed {
					delete(want, e.Key)
				}
			}

			data := encode(t, h, m, all...)
			gotHeader, got, gotMeta, err := decode(bytes.NewReader(data))
			require.NoError(t, err)
			require.Equal(t, h, gotHeader)
			require.Equal(t, m, gotMeta)
			require.True(t, maps.Equal(want, got), "%v, not %v", got, want)

			_, _, _, err = decode(iotest.OneByteReader(bytes.NewReader(data)))
			require.NoError(t, err, "in what portions the bytes come does not matter")
			_, _, _, err = decode(iotest.DataErrReader(bytes.NewReader(data)))
			require.NoError(t, err, "nor whether the end comes with the last ones")
		})
	})

	t.Run("values of every size are read back", func(t *testing.T) {
		t.Parallel()

		var all []snapshot.Entry
		for _, size := range []int{0, 1, 127, 128, 64 << 10, 64<<10 + 1, 3 << 20, 10} {
			all = append(all, snapshot.Entry{Key: strings.Repeat("k", size%1000), Value: bytes.Repeat([]byte{byte(size), 'v'}, size/2)})
		}

		r, err := snapshot.NewReader(bytes.NewReader(encode(t, header(), meta(1), all...)))
		require.NoError(t, err)
		defer r.Close()

		n := 0
		_, err = r.Each(t.Context(), func(e snapshot.Entry) error {
			require.Equal(t, all[n].Key, e.Key)
			require.True(t, bytes.Equal(all[n].Value, e.Value))
			n++

			return nil
		})
		require.NoError(t, err)
		require.Equal(t, len(all), n)
	})

	t.Run("what the first version wrote is read for ever", func(t *testing.T) {
		t.Parallel()

		data, err := hex.DecodeString(firstVersion)
		require.NoError(t, err)
		h, state, m, err := decode(bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, header(), h)
		require.Equal(t, meta(99), m)
		require.Equal(t, map[string]string{"account-1": "value of 1"}, state)
	})
}

// firstVersion is a snapshot of header, meta(99), entries 1 and 2, and the removal of 2.
const firstVersion = "48414c45434b5054010028b52ffd04006d03008405160c6b71332d5f416243644566470780c0ed82daf38d0301096163636f756e742d310a76616c7565206f66203132320002320304380d4556454e54532d304032303236630381ff0100800573746174650676312e322e3304070060204ed830e4bb5569398de4dcb7b9cd32e22566658afd585008e80e86"

func TestDamage(t *testing.T) {
	t.Parallel()

	good := encode(t, header(), meta(1), entry(1), entry(2), snapshot.Entry{Key: "account-1", Removed: true})

	bad := func(t *testing.T, data []byte) {
		t.Helper()

		_, _, _, err := decode(bytes.NewReader(data))
		require.ErrorIs(t, err, snapshot.ErrDamaged)
	}

	t.Run("one that ends after any byte is damaged", func(t *testing.T) {
		t.Parallel()

		for n := range good {
			bad(t, good[:n])
		}
	})

	t.Run("one with any bit changed is found out", func(t *testing.T) {
		t.Parallel()

		for bit := range 8 * len(good) {
			changed := bytes.Clone(good)
			changed[bit/8] ^= 1 << (bit % 8)

			_, _, _, err := decode(bytes.NewReader(changed))
			if errors.Is(err, snapshot.ErrFormat) {
				require.Contains(t, []int{8, 9}, bit/8, "only the version says so")
			} else {
				require.ErrorIs(t, err, snapshot.ErrDamaged, "bit %d", bit)
			}
		}
	})

	t.Run("one with something behind it, or without its middle, is damaged", func(t *testing.T) {
		t.Parallel()
		bad(t, append(bytes.Clone(good), 0))
		bad(t, append(bytes.Clone(good), good...))
		bad(t, append(bytes.Clone(good[:20]), good[40:]...))
	})

	t.Run("a sound stream of what is no snapshot is damaged", func(t *testing.T) {
		t.Parallel()

		body := snapshot.Body(good)
		require.NotPanics(t, func() { _, _, _, _ = decode(bytes.NewReader(snapshot.Seal(1, body))) })
		_, _, _, err := decode(bytes.NewReader(snapshot.Seal(1, body)))
		require.NoError(t, err)

		for n := range body {
			bad(t, snapshot.Seal(1, body[:n]))
		}

		bad(t, snapshot.Seal(1, append(bytes.Clone(body), 0)))
		bad(t, snapshot.Seal(1, append([]byte{0xff, 0xff, 0xff, 0xff, 0x7f}, body...)))
		bad(t, snapshot.Seal(0, body))
	})

	t.Run("one of a newer format is left to a newer program", func(t *testing.T) {
		t.Parallel()

		_, _, _, err := decode(bytes.NewReader(snapshot.Seal(2, []byte("anything"))))
		require.ErrorIs(t, err, snapshot.ErrFormat)
		require.NotErrorIs(t, err, snapshot.ErrDamaged)
	})

	t.Run("a source that fails says nothing about the snapshot", func(t *testing.T) {
		t.Parallel()

		for n := range good {
			for _, failed := range []error{errors.New("no network"), io.ErrUnexpectedEOF} {
				_, _, _, err := decode(io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(failed)))
				require.ErrorIs(t, err, failed)
				require.NotErrorIs(t, err, snapshot.ErrDamaged, "after %d bytes", n)
			}
		}
	})
}

func TestReader(t *testing.T) {
	t.Parallel()

	good := encode(t, header(), meta(1), entry(1), entry(2))
	open := func(t *testing.T) *snapshot.Reader {
		t.Helper()

		r, err := snapshot.NewReader(bytes.NewReader(good))
		require.NoError(t, err)
		t.Cleanup(r.Close)

		return r
	}

	t.Run("it stops at the callback's error", func(t *testing.T) {
		t.Parallel()

		enough := errors.New("enough")
		n := 0
		_, err := open(t).Each(t.Context(), func(snapshot.Entry) error {
			n++

			return enough
		})
		require.ErrorIs(t, err, enough)
		require.Equal(t, 1, n)
	})

	t.Run("it stops with its context", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := open(t).Each(ctx, func(snapshot.Entry) error { return nil })
		require.ErrorIs(t, err, context.Canceled)
	})

	t.Run("it reads once", func(t *testing.T) {
		t.Parallel()

		r := open(t)
		_, err := r.Each(t.Context(), func(snapshot.Entry) error { return nil })
		require.NoError(t, err)
		_, err = r.Each(t.Context(), func(snapshot.Entry) error { return nil })
		require.ErrorContains(t, err, "read already")
	})

	t.Run("verify returns beginning and end", func(t *testing.T) {
		t.Parallel()

		h, m, err := snapshot.Verify(t.Context(), bytes.NewReader(good))
		require.NoError(t, err)
		require.Equal(t, header(), h)
		require.Equal(t, meta(1), m)
		_, _, err = snapshot.Verify(t.Context(), bytes.NewReader(good[:len(good)-1]))
		require.ErrorIs(t, err, snapshot.ErrDamaged)
		_, _, err = snapshot.Verify(t.Context(), strings.NewReader(""))
		require.ErrorIs(t, err, snapshot.ErrDamaged)
	})
}

func TestWriter(t *testing.T) {
	t.Parallel()

	t.Run("it counts its entries and takes none after its end", func(t *testing.T) {
		t.Parallel()

		w, err := snapshot.NewWriter(io.Discard, header())
		require.NoError(t, err)
		require.NoError(t, add(w, entry(1), entry(2)))
		require.NoError(t, w.Remove("account-1"))
		require.Equal(t, uint64(3), w.Entries())
		require.NoError(t, w.Finish(meta(1)))
		require.ErrorContains(t, w.Put("a", nil), "finished")
		require.ErrorContains(t, w.Remove("a"), "finished")
		require.ErrorContains(t, w.Finish(meta(1)), "finished")
	})

	t.Run("what is too large is refused, and the snapshot with it", func(t *testing.T) {
		t.Parallel()

		long := strings.Repeat("k", 64<<10+1)
		_, err := snapshot.NewWriter(io.Discard, snapshot.Header{Layout: long})
		require.ErrorIs(t, err, snapshot.ErrTooLarge)

		for _, write := range []func(w *snapshot.Writer) error{
			func(w *snapshot.Writer) error { return w.Put(long, nil) },
			func(w *snapshot.Writer) error { return w.Remove(long) },
			func(w *snapshot.Writer) error { return w.Put("k", make([]byte, 512<<20+1)) },
		} {
			w, err := snapshot.NewWriter(io.Discard, header())
			require.NoError(t, err)
			require.ErrorIs(t, write(w), snapshot.ErrTooLarge)
			require.ErrorIs(t, w.Put("k", nil), snapshot.ErrTooLarge)
			require.ErrorIs(t, w.Finish(meta(1)), snapshot.ErrTooLarge)
		}
	})

	t.Run("an output that fails at any byte is an error", func(t *testing.T) {
		t.Parallel()

		good := encode(t, header(), meta(1), entry(1))
		for n := range good {
			w, err := snapshot.NewWriter(&short{left: n}, header())
			if err == nil {
				err = add(w, entry(1))
			}

			if err == nil {
				err = w.Finish(meta(1))
			}

			require.ErrorIs(t, err, io.ErrShortWrite, "after %d bytes", n)
		}
	})
}

// short is an output that takes a number of bytes.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	n := min(len(p), s.left)
	s.left -= n

	if n < len(p) {
		return n, io.ErrShortWrite
	}

	return n, nil
}
