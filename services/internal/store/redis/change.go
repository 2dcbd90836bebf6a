package redis

import (
	"encoding/binary"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/wire"
)

// A change entry is a header, a byte that says what follows, and the packed ids: uvarint length and bytes of
// each. An entry that would be too large holds no ids, and watchers fill the partition again.
const (
	changeIDs  = 0
	changeLost = 1

	maxChange       = 256 << 10 // bytes of packed ids in one entry
	maxChanges      = 1024      // entries kept, about
	maxChangesBytes = 4 << 20   // bytes of entries kept, about; large entries are kept in smaller number
	minChanges      = 16
)

// packChange makes what stands behind the header in a change entry.
func packChange(ids []string) []byte {
	n := 1
	for _, id := range ids {
		n += binary.MaxVarintLen32 + len(id)
	}
	if n > maxChange+binary.MaxVarintLen32*len(ids) {
		return []byte{changeLost}
	}
	b := append(make([]byte, 0, n), changeIDs)
	for _, id := range ids {
		b = wire.Append(b, id)
	}
	return b
}

// keepChanges returns how many entries to keep when one of this size is added.
func keepChanges(size int) int {
	return max(minChanges, min(maxChanges, maxChangesBytes/(size+headerLen)))
}

// parseChange reads a change entry. What it cannot read counts as lost.
func parseChange(partition int, s string) (header, store.Change, error) {
	h, err := parseHeader(s)
	if err != nil {
		return h, store.Change{}, err
	}
	c := h.change(partition)
	if len(s) <= headerLen || s[headerLen] != changeIDs {
		c.Lost = true
		return h, c, nil
	}
	for s = s[headerLen+1:]; s != ""; {
		id, rest, ok := wire.Cut(s)
		if !ok {
			c.Accounts, c.Lost = nil, true
			return h, c, nil
		}
		c.Accounts = append(c.Accounts, id)
		s = rest
	}
	return h, c, nil
}

func (h header) change(partition int) store.Change {
	return store.Change{
		Partition: partition, Epoch: h.Epoch, Generation: h.Generation, Cursor: h.Cursor, Revision: h.Revision,
	}
}
