package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// errSource is what a source of data failed with.
var errSource = errors.New("the source failed")

func testFailures(t *testing.T, empty func(t testing.TB) Place) {
	t.Helper()
	t.Parallel()

	for err, sizes := range map[error][]int{
		errSource: {0, 10, large}, io.ErrUnexpectedEOF: {0, 10}, fmt.Errorf("wrapped: %w", io.EOF): {0, 10},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("a source that fails after %d bytes with %q leaves nothing", size, err), func(t *testing.T) {
				t.Parallel()

				v := empty(t)(t)
				put(t, v, "former", []byte("former"))

				for _, name := range []string{"a/b", "former"} {
					got := v.Put(t.Context(), name, io.MultiReader(bytes.NewReader(content(size)), failing{err}))
					require.ErrorIs(t, got, err)
				}

				missing(t, v, "a/b")
				require.Equal(t, []string{"former"}, names(list(t, v, "")))
				require.Equal(t, "former", string(get(t, v, "former")))
				require.Zero(t, sweep(t, v), "it was cleaned up at once")
			})
		}
	}

	t.Run("a put whose context ends on the way leaves nothing", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		ctx, cancel := context.WithCancel(t.Context())
		ends := readerFunc(func([]byte) (int, error) {
			cancel()

			return 0, io.EOF
		})
		err := v.Put(ctx, "a", io.MultiReader(bytes.NewReader(content(large)), ends, strings.NewReader("rest")))
		require.ErrorIs(t, err, context.Canceled)
		missing(t, v, "a")
		require.Empty(t, list(t, v, ""))
		require.Zero(t, sweep(t, v), "it was cleaned up at once")
	})

	t.Run("a get ends with its context", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		put(t, v, "a", content(large))

		ctx, cancel := context.WithCancel(t.Context())
		r, err := v.Get(ctx, "a")
		require.NoError(t, err)
		_, err = io.ReadFull(r, make([]byte, 10))
		require.NoError(t, err)
		cancel()
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, r.Close())
	})

	t.Run("a get that is closed early does no harm", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		put(t, v, "a", content(large))
		r, err := v.Get(t.Context(), "a")
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.Len(t, get(t, v, "a"), large)
	})

	t.Run("nothing is done when the context has ended", func(t *testing.T) {
		t.Parallel()

		v := empty(t)(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, v.Put(ctx, "a", strings.NewReader("x")), context.Canceled)
		_, err := v.List(ctx, "")
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, list(t, v, ""))
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// failing is a source that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
