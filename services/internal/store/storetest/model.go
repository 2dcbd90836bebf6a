package storetest

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/store"
)

// model is a partition as naive as can be.
type model struct {
	head   store.Head
	values map[string]string
	last   uint64 // the highest generation given
	draft  *model // nil: there is none
}

// testModel compares the store with the model over random calls. Each run has a partition of its own.
func (u *suite) testModel(t *testing.T) {
	t.Parallel()
	s := u.open(t)
	var partition atomic.Int64
	t.Run("random calls end as in a map", rapid.MakeCheck(func(rt *rapid.T) {
		p := int(partition.Add(1))
		m := &model{values: map[string]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"claim": func(rt *rapid.T) {
				h := claim(rt, s, p)
				require.Greater(rt, h.Epoch, m.head.Epoch)
				m.head.Epoch = h.Epoch
				if m.draft != nil {
					m.draft.head.Epoch = h.Epoch
				}
				require.Equal(rt, m.head, h)
			},
			"commit": func(rt *rapid.T) {
				c := draw(rt, p, m.head)
				require.Equal(rt, m.commit(c), s.Commit(context.Background(), c))
			},
			"commit to the draft": func(rt *rapid.T) {
				if m.draft == nil {
					rt.Skip("no draft")
				}
				c := draw(rt, p, m.draft.head)
				c.Draft = true
				require.Equal(rt, m.draft.commit(c), s.Commit(context.Background(), c))
			},
			"begin": func(rt *rapid.T) {
				h, err := s.BeginDraft(context.Background(), p, m.head.Epoch)
				require.NoError(rt, err)
				m.last++
				m.draft = &model{head: store.Head{Epoch: m.head.Epoch, Generation: m.last}, values: map[string]string{}}
				require.Equal(rt, m.draft.head, h)
			},
			"publish": func(rt *rapid.T) {
				if m.draft == nil {
					rt.Skip("no draft")
				}
				h, err := s.Publish(context.Background(), p, m.head.Epoch, m.draft.head.Generation)
				require.NoError(rt, err)
				revision := m.head.Revision + 1
				m.head, m.values, m.draft = m.draft.head, m.draft.values, nil
				m.head.Revision = revision
				require.Equal(rt, m.head, h)
			},
			"drop": func(rt *rapid.T) {
				require.NoError(rt, s.DropDraft(context.Background(), p, m.head.Epoch))
				m.draft = nil
			},
			"reset": func(rt *rapid.T) {
				epoch := m.head.Epoch + rapid.SampledFrom([]uint64{0, 0, 0, 1}).Draw(rt, "epoch ahead")
				h, err := s.Reset(context.Background(), p, epoch)
				require.Equal(rt, m.reset(epoch), err)
				if err == nil {
					require.Equal(rt, m.head, h)
				}
			},
			"": func(rt *rapid.T) { m.compare(rt, s, p) },
		})
	}))
}

// draw makes a commit, mostly one that fits the head, over few keys so that they meet.
func draw(rt *rapid.T, partition int, h store.Head) *store.Commit {
	c := next(partition, h)
	c.Cursor = h.Cursor + rapid.Uint64Range(0, 5).Draw(rt, "step")
	c.State = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "state")
	switch rapid.IntRange(0, 9).Draw(rt, "flaw") {
	case 0:
		c.Epoch += rapid.Uint64Range(1, 3).Draw(rt, "epoch ahead")
	case 1:
		c.From += rapid.Uint64Range(1, 3).Draw(rt, "cursor ahead")
	case 2:
		c.Generation++
	case 3:
		c.Generation-- // wraps around at 0
	case 4:
		c.Revision++
	case 5:
		c.Revision = 0
	}
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(someKeys()), 0, 6, rapid.ID[string]).Draw(rt, "keys")
	for _, k := range keys {
		switch rapid.IntRange(0, 2).Draw(rt, "kind") {
		case 0:
			c.Put = append(c.Put, store.Entry{Key: k, Value: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "value")})
		case 1:
			c.Append = append(c.Append, store.Entry{Key: k, Value: rapid.SliceOfN(rapid.Byte(), 0, 10).Draw(rt, "more")})
		case 2:
			c.Delete = append(c.Delete, k)
		}
	}
	c.Changed = keys
	return c
}

func someKeys() []string {
	return []string{"", "a", "aa", "\x00", "{", "}", "a\n", "\xff", store.DedupeKey(1), store.HistoryKey("x", -1)}
}

func (m *model) commit(c *store.Commit) error {
	fits := c.Epoch == m.head.Epoch && c.Generation == m.head.Generation && c.From == m.head.Cursor
	if !fits || (c.Revision != 0 && c.Revision != m.head.Revision) {
		return store.ErrFenced
	}
	for _, e := range c.Put {
		m.values[e.Key] = string(e.Value)
	}
	for _, e := range c.Append {
		m.values[e.Key] += string(e.Value)
	}
	for _, k := range c.Delete {
		delete(m.values, k)
	}
	m.head.Cursor, m.head.State, m.head.Revision = c.Cursor, slices.Clone(c.State), m.head.Revision+1
	return nil
}

func (m *model) reset(epoch uint64) error {
	if epoch != m.head.Epoch {
		return store.ErrFenced
	}
	m.last++
	m.head, m.draft = store.Head{Epoch: epoch, Generation: m.last, Revision: m.head.Revision + 1}, nil
	clear(m.values)
	return nil
}

func (m *model) compare(rt *rapid.T, s store.Store, partition int) {
	h, values := read(rt, s, partition, someKeys()...)
	m.same(rt, h, values)
	h, values, err := s.ReadDraft(context.Background(), partition, someKeys()...)
	if m.draft == nil {
		require.ErrorIs(rt, err, store.ErrNoDraft)
		return
	}
	require.NoError(rt, err)
	m.draft.same(rt, h, values)
}

func (m *model) same(rt *rapid.T, h store.Head, values [][]byte) {
	require.Equal(rt, m.head, h)
	got := map[string]string{}
	for i, k := range someKeys() {
		if values[i] != nil {
			got[k] = string(values[i])
		}
	}
	require.True(rt, maps.Equal(m.values, got), "want %q, got %q", m.values, got)
}
