package redis

import (
	"strings"
	"sync"
)

// names are the physical keys of a partition.
type names struct {
	head, changes string
	value         string // what stands before the key of a value
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
	n = &names{head: tag + "!head", changes: tag + "!changes", value: tag + ":"}
	k.mu.Lock()
	defer k.mu.Unlock()
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
