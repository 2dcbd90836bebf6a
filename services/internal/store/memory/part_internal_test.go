package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"

	"hale.dev/services/internal/store"
)

// TestFreeze takes snapshots in the middle of random commits.
func TestFreeze(t *testing.T) {
	t.Parallel()
	t.Run("frozen values stand still, and commits go on beside them", rapid.MakeCheck(func(rt *rapid.T) {
		p, want := newPart(0), map[string]string{}
		generation := uint64(0)
		var frozen map[string][]byte
		var then map[string]string
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				k, v := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key"), rapid.String().Draw(rt, "value")
				require.NoError(rt, p.commit(&store.Commit{Generation: generation, Put: []store.Entry{{Key: k, Value: []byte(v)}}}))
				want[k] = v
			},
			"append": func(rt *rapid.T) {
				k, v := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key"), rapid.String().Draw(rt, "value")
				require.NoError(rt, p.commit(&store.Commit{Generation: generation, Append: []store.Entry{{Key: k, Value: []byte(v)}}}))
				want[k] += v
			},
			"delete": func(rt *rapid.T) {
				k := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
				require.NoError(rt, p.commit(&store.Commit{Generation: generation, Delete: []string{k}}))
				delete(want, k)
			},
			"reset": func(rt *rapid.T) {
				h, err := p.reset(0)
				require.NoError(rt, err)
				generation = h.Generation
				clear(want)
			},
			"snapshot": func(rt *rapid.T) {
				if frozen == nil {
					_, frozen = p.freeze()
					then = maps.Clone(want)
					return
				}
				p.thaw(rapid.Bool().Draw(rt, "saved"), 0)
				frozen = nil
			},
			"": func(rt *rapid.T) {
				for _, k := range []string{"a", "b", "c"} {
					_, values := p.read([]string{k})
					v, ok := want[k]
					require.Equal(rt, ok, values[0] != nil)
					require.Equal(rt, v, string(values[0]))
				}
				if frozen != nil {
					require.Len(rt, frozen, len(then))
					for k, v := range then {
						require.Equal(rt, v, string(frozen[k]))
					}
				}
			},
		})
	}))
}

func TestDue(t *testing.T) {
	t.Parallel()
	put := func(t *testing.T, p *part, size int) {
		t.Helper()
		require.NoError(t, p.commit(&store.Commit{Put: []store.Entry{{Key: "k", Value: make([]byte, size)}}}))
	}
	t.Run("nothing changed: not due, not even at the end", func(t *testing.T) {
		t.Parallel()
		require.False(t, newPart(0).due(true))
	})
	t.Run("a small partition is due as soon as it changed", func(t *testing.T) {
		t.Parallel()
		p := newPart(0)
		put(t, p, 1)
		require.True(t, p.due(false))
		p.freeze()
		p.thaw(true, 100)
		require.False(t, p.due(false))
		_, err := p.claim(store.Lease{})
		require.NoError(t, err)
		require.True(t, p.due(false), "a claim changes the head")
	})
	t.Run("a large one waits until much of it changed", func(t *testing.T) {
		t.Parallel()
		p := newPart(0)
		p.freeze()
		p.thaw(true, 100<<20)
		put(t, p, 1<<20)
		require.False(t, p.due(false))
		require.True(t, p.due(true), "the last snapshot has everything")
		put(t, p, 25<<20)
		require.True(t, p.due(false))
	})
	t.Run("a large one that changed little is due when its snapshot is old", func(t *testing.T) {
		t.Parallel()
		p := newPart(0)
		p.freeze()
		p.thaw(true, 100<<20)
		put(t, p, 1)
		looks := 1
		for !p.due(false) {
			looks++
		}
		require.Equal(t, maxIntervals, looks)
	})
	t.Run("a large one that was reset is due at once", func(t *testing.T) {
		t.Parallel()
		p := newPart(0)
		p.freeze()
		p.thaw(true, 100<<20)
		_, err := p.reset(0)
		require.NoError(t, err)
		require.True(t, p.due(false))
	})
	t.Run("a snapshot that failed stays due", func(t *testing.T) {
		t.Parallel()
		p := newPart(0)
		put(t, p, 1)
		p.freeze()
		p.thaw(false, 0)
		require.True(t, p.due(false))
	})
}

func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{})
	require.NoError(t, err)
	enough := errors.New("enough")
	step := func(p int, cursor uint64, accounts ...string) {
		require.NoError(t, s.Commit(context.Background(), &store.Commit{
			Partition: p, From: cursor, Cursor: cursor + 1, Changed: accounts,
		}))
	}
	var got []store.Change
	err = s.Watch(t.Context(), 2, func(c store.Change) error {
		got = append(got, c)
		switch {
		case len(got) == 2: // both know Lost; now the watcher is slow
			step(1, 0, "a")
			for i := range uint64(maxWaiting) {
				step(0, i, "b")
			}
			step(0, maxWaiting, "last")
		case c.Accounts != nil && c.Accounts[0] == "last":
			return enough
		}
		return nil
	})
	require.Equal(t, enough, err)
	require.Equal(t, []store.Change{
		{Partition: 0, Lost: true},
		{Partition: 1, Lost: true},
		{Partition: 0, Cursor: maxWaiting, Revision: maxWaiting, Lost: true},
		{Partition: 1, Cursor: 1, Revision: 1, Lost: true},
		{Partition: 0, Cursor: maxWaiting + 1, Revision: maxWaiting + 1, Accounts: []string{"last"}},
	}, got)
	for _, p := range s.parts {
		require.Empty(t, p.watchers, "a watcher that ended must be gone")
	}
	require.NoError(t, s.Close())
}

// sum appends the checksum to a snapshot.
func sum(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, xxh3.Hash(b)) }

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	_, err := encode(&b, 0, store.Head{Epoch: 1, State: []byte("s")}, map[string][]byte{"k": []byte("v")})
	require.NoError(f, err)
	f.Add(b.Bytes()[fixedLen : b.Len()-sumLen])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		full := append(bytes.Clone(b.Bytes()[:fixedLen]), body...)
		p, err := decode(0, sum(full))
		if err != nil {
			require.ErrorIs(t, err, errDamaged)
			return
		}
		var again bytes.Buffer
		size, err := encode(&again, 0, p.head, p.base)
		require.NoError(t, err)
		require.Equal(t, int64(again.Len()), size)
		q, err := decode(0, again.Bytes())
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(p.head, p.base), fmt.Sprint(q.head, q.base))
	})
}
