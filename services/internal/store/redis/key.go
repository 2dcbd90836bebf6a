package redis

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// names are the physical keys of a partition: its tag, then "!" and a name, or the number of the generation, ":" and
// the key of a value.
type names struct {
	tag           string
	head, changes string
	stale         string // exists while values of other generations may be left
	lease         string
	draft         string // the head of the draft
	last          string // the highest generation that was ever given to a draft or by a reset
	renewed       string // see renew.go
	absent        string // never exists, see swept.lua
	space         atomic.Pointer[space]
	drafted       atomic.Pointer[space] // of the draft
}

// space is where the values of one generation are.
type space struct {
	generation uint64
	value      string // what stands before the key of a value
}

// at returns the space of a generation.
func (n *names) at(generation uint64) *space {
	for _, known := range []*space{n.space.Load(), n.drafted.Load()} {
		if known != nil && known.generation == generation {
			return known
		}
	}
	return &space{generation: generation, value: n.tag + strconv.FormatUint(generation, 10) + ":"}
}

// see remembers the generation as the last one seen, and returns its space.
func (n *names) see(generation uint64) *space {
	in := n.at(generation)
	n.space.Store(in)
	return in
}

// seeDraft is see for the draft's generation.
func (n *names) seeDraft(generation uint64) *space {
	in := n.at(generation)
	n.drafted.Store(in)
	return in
}

// generationOf returns the generation that the physical key of a value is of.
func (n *names) generationOf(key string) (uint64, bool) {
	rest, ok := strings.CutPrefix(key, n.tag)
	if !ok {
		return 0, false
	}
	digits, _, ok := strings.Cut(rest, ":")
	if !ok {
		return 0, false
	}
	generation, err := strconv.ParseUint(digits, 10, 64)
	return generation, err == nil
}

// keys makes physical keys; it remembers the tags it had to search for.
type keys struct {
	prefix string

	mu    sync.RWMutex
	parts map[int]*names
}

func newKeys(prefix string) *keys { return &keys{prefix: prefix, parts: map[int]*names{}} }

func (k *keys) of(partition int) *names {
	k.mu.RLock()
	n := k.parts[partition]
	k.mu.RUnlock()
	if n != nil {
		return n
	}
	tag := k.prefix + "{" + tagOf(partition) + "}"
	n = &names{
		tag: tag, head: tag + "!head", changes: tag + "!changes", stale: tag + "!stale", lease: tag + "!lease",
		draft: tag + "!draft", last: tag + "!last", renewed: tag + "!renewed",
		absent: tag + "!absent",
	}
	n.see(0)
	n.seeDraft(0)
	k.mu.Lock()
	defer k.mu.Unlock()
	if first := k.parts[partition]; first != nil {
		return first
	}
	k.parts[partition] = n
	return n
}

// arena builds many physical keys with few allocations; its strings stay valid.
type arena struct {
	b    strings.Builder
	ends []int
}

func (a *arena) grow(bytes, count int) {
	a.b.Grow(bytes)
	a.ends = make([]int, 0, count)
}

func (a *arena) add(prefix, key string) {
	a.b.WriteString(prefix)
	a.b.WriteString(key)
	a.ends = append(a.ends, a.b.Len())
}

// strings returns the keys in the order in which they were added.
func (a *arena) strings() []string {
	all, from := a.b.String(), 0
	out := make([]string, len(a.ends))
	for i, end := range a.ends {
		out[i] = all[from:end]
		from = end
	}
	return out
}
