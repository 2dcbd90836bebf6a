package vaulttest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func testCompany(t *testing.T, empty func(t testing.TB) Place) {
	t.Helper()
	t.Parallel()

	t.Run("many that open the place at once all use it", func(t *testing.T) {
		t.Parallel()

		place := empty(t)

		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				v := place(t)
				if err := v.Put(t.Context(), fmt.Sprintf("a/%d", i), strings.NewReader("x")); err != nil {
					t.Error(err)
				}
			})
		}

		all.Wait()
		require.Len(t, list(t, place(t), "a/"), 8)
	})

	t.Run("of many that put the same name one wins, whole", func(t *testing.T) {
		t.Parallel()

		place := empty(t)

		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				data := bytes.Repeat([]byte{byte(i)}, 600<<10+i)
				if err := place(t).Put(t.Context(), "a", bytes.NewReader(data)); err != nil {
					t.Error(err)
				}
			})
		}

		all.Wait()

		v := place(t)
		got := get(t, v, "a")
		require.Equal(t, bytes.Repeat(got[:1], 600<<10+int(got[0])), got)
		require.Len(t, list(t, v, ""), 1)
	})
}
