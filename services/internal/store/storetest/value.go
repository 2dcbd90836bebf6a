package storetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/store"
)

func (u *suite) testValues(t *testing.T) {
	t.Parallel()
	t.Run("put, append and delete are applied together", u.testTogether)
	t.Run("keys and values may hold any bytes", u.testAnyBytes)
	t.Run("large values are kept", u.testLarge)
	t.Run("many keys fit one commit", u.testMany)
	t.Run("head and values are of one commit", u.testConsistent)
	t.Run("bytes given and bytes read stay apart", u.testOwnership)
	t.Run("an empty commit moves only the cursor", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := apply(t, s, next(0, claim(t, s, 0)))
		got, _ := read(t, s, 0)
		require.Equal(t, h, got)
	})
	t.Run("a commit may keep the cursor", func(t *testing.T) {
		t.Parallel()
		s := u.open(t)
		h := claim(t, s, 0)
		for i := range 3 {
			c := next(0, h)
			c.Cursor, c.State = c.From, []byte{byte(i)}
			h = apply(t, s, c)
		}
		got, _ := read(t, s, 0)
		require.Equal(t, h, got)
	})
}

func (u *suite) testTogether(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	c := next(0, claim(t, s, 0))
	c.Put = []store.Entry{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}, {Key: "empty", Value: nil}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("x")}, {Key: "nothing", Value: nil}}
	c.Delete = []string{"never there"}
	h := apply(t, s, c)
	_, values := read(t, s, 0, "a", "b", "empty", "log", "nothing", "never there")
	require.Equal(t, [][]byte{[]byte("1"), []byte("2"), {}, []byte("x"), {}, nil}, values)

	c = next(0, h)
	c.Put = []store.Entry{{Key: "a", Value: []byte("3")}}
	c.Append = []store.Entry{{Key: "log", Value: []byte("yz")}, {Key: "empty", Value: []byte("e")}}
	c.Delete = []string{"b", "nothing"}
	h = apply(t, s, c)
	got, values := read(t, s, 0, "a", "b", "empty", "log", "nothing", "a")
	require.Equal(t, h, got)
	require.Equal(t, [][]byte{[]byte("3"), nil, []byte("e"), []byte("xyz"), nil, []byte("3")}, values)

	c = next(0, h)
	c.Append = []store.Entry{{Key: "b", Value: []byte("new")}}
	apply(t, s, c)
	_, values = read(t, s, 0, "b")
	require.Equal(t, []byte("new"), values[0], "a deleted value starts empty again")
}

func (u *suite) testAnyBytes(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	odd := []string{
		"", "\x00", "{", "}", "{x}", "}{", "a\nb", "a\r\nb", " ", "\xff\xfe", "é", "*", "!head", "!changes", ":",
		strings.Repeat("k", 5000), "a\x00b", "a\x00", "$5\r\nhello\r\n",
	}
	c := next(0, claim(t, s, 0))
	for i, k := range odd {
		c.Put = append(c.Put, store.Entry{Key: k, Value: append([]byte{byte(i), 0, '\n', 0xff}, k...)})
	}
	c.Changed = odd
	w := watch(t, s, 1)
	w.lost(t, 1)
	h := apply(t, s, c)
	got, values := read(t, s, 0, odd...)
	require.Equal(t, h, got)
	for i := range odd {
		require.Equal(t, c.Put[i].Value, values[i], "%q", odd[i])
	}
	require.Equal(t, odd, w.next(t).Accounts)
	c = next(0, h)
	c.Delete = odd
	apply(t, s, c)
	_, values = read(t, s, 0, odd...)
	require.Equal(t, make([][]byte, len(odd)), values)
}

func (u *suite) testLarge(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	big := bytes.Repeat([]byte("0123456789"), 5<<20/10)
	c := next(0, claim(t, s, 0))
	c.Put = []store.Entry{{Key: "big", Value: big}}
	c.Append = []store.Entry{{Key: "log", Value: big}}
	h := apply(t, s, c)
	c = next(0, h)
	c.Append = []store.Entry{{Key: "log", Value: big}}
	apply(t, s, c)
	_, values := read(t, s, 0, "big", "log")
	require.True(t, bytes.Equal(big, values[0]))
	require.True(t, bytes.Equal(append(bytes.Clone(big), big...), values[1]))
}

func (u *suite) testMany(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := claim(t, s, 0)
	for _, n := range []int{2999, 3000, 3001, 5000, 20_000} {
		c := next(0, h)
		keys := make([]string, n)
		for i := range n {
			keys[i] = fmt.Sprintf("%d/%d", n, i)
			e := store.Entry{Key: keys[i], Value: fmt.Append(nil, i)}
			if i%10 == 0 {
				c.Append = append(c.Append, e)
			} else {
				c.Put = append(c.Put, e)
			}
		}
		h = apply(t, s, c)
		_, values := read(t, s, 0, keys...)
		for i := range n {
			require.Equal(t, fmt.Append(nil, i), values[i])
		}
		c = next(0, h)
		c.Delete = keys
		h = apply(t, s, c)
		_, values = read(t, s, 0, keys...)
		require.Equal(t, make([][]byte, n), values)
	}
}

// testConsistent reads while an owner commits: every value read must be the one of the head's cursor.
func (u *suite) testConsistent(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	h := claim(t, s, 0)
	const commits = 300
	keys := make([]string, 20)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	var finished atomic.Bool
	failed := make(chan error, 1)
	go func() {
		defer finished.Store(true)
		for range commits {
			c := next(0, h)
			c.State = fmt.Append(nil, c.Cursor)
			for _, k := range keys {
				c.Put = append(c.Put, store.Entry{Key: k, Value: c.State})
			}
			if err := s.Commit(context.Background(), c); err != nil {
				failed <- err
				return
			}
			h = store.Head{Epoch: h.Epoch, Cursor: c.Cursor}
		}
		failed <- nil
	}()
	for !finished.Load() {
		head, values := read(t, s, 0, keys...)
		want := []byte(nil)
		if head.Cursor > 0 {
			want = fmt.Append(nil, head.Cursor)
		}
		require.Equal(t, want, head.State)
		for _, v := range values {
			require.Equal(t, want, v)
		}
	}
	require.NoError(t, <-failed)
}

// testOwnership reuses what it gave to Commit, and holds what it read over later commits.
func (u *suite) testOwnership(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	value, more, state := []byte("value"), append(make([]byte, 0, 100), "more"...), []byte("state")
	changed := []string{"one", "two"}
	w := watch(t, s, 1)
	w.lost(t, 1)
	c := next(0, claim(t, s, 0))
	c.State, c.Changed = state, changed
	c.Put, c.Append = []store.Entry{{Key: "v", Value: value}}, []store.Entry{{Key: "log", Value: more}}
	h := apply(t, s, c)
	copy(value, "XXXXX")
	copy(more, "XXXX")
	copy(state, "XXXXX")
	changed[0] = "XXX"
	h.State = []byte("state")
	got, before := read(t, s, 0, "v", "log")
	require.Equal(t, h, got)
	require.Equal(t, [][]byte{[]byte("value"), []byte("more")}, before)
	require.Equal(t, []string{"one", "two"}, w.next(t).Accounts)

	for i := range 10 {
		c = next(0, h)
		c.Append = []store.Entry{{Key: "log", Value: []byte{'0' + byte(i)}}}
		h = apply(t, s, c)
	}
	require.Equal(t, []byte("more"), before[1], "what was read must stay")
	_ = append(before[1], "clobber"...)
	_, after := read(t, s, 0, "log")
	require.Equal(t, []byte("more0123456789"), after[0])
}
