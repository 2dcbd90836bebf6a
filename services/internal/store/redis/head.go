package redis

import (
	"encoding/binary"
	"fmt"

	"hale.dev/services/internal/store"
)

// The header begins the head and every change entry. Numbers are big endian:
//
//	version byte, epoch, generation, cursor, revision uint64
//
// A commit compares the first guardLen bytes with those it expects, and the revision if it knows it, as bytes: no number
// passes through Lua's floating point. The revision counts the partition's commits; watchers see gaps by it.
const (
	version   = 1
	epochLen  = 1 + 8
	guardLen  = 1 + 3*8
	headerLen = guardLen + 8
)

type header struct {
	Epoch, Generation, Cursor, Revision uint64
}

// guard returns the part of the header that commits compare.
func guard(epoch, generation, cursor uint64) []byte {
	b := append(make([]byte, 0, headerLen), version)
	b = binary.BigEndian.AppendUint64(b, epoch)
	b = binary.BigEndian.AppendUint64(b, generation)
	return binary.BigEndian.AppendUint64(b, cursor)
}

// expected returns the part of the header that a commit wants to find.
func expected(c *store.Commit) []byte {
	b := guard(c.Epoch, c.Generation, c.From)
	if c.Revision != 0 {
		b = binary.BigEndian.AppendUint64(b, c.Revision)
	}
	return b
}

// epochGuard returns the version and the epoch, as a header begins.
func epochGuard(epoch uint64) []byte { return guard(epoch, 0, 0)[:epochLen] }

// bytesOf returns a number as it stands in a header.
func bytesOf(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// parseHeader reads the header at the front of s; an empty s is the header of a partition never touched.
func parseHeader(s string) (header, error) {
	if s == "" {
		return header{}, nil
	}
	if len(s) < headerLen || s[0] != version {
		return header{}, &store.Error{
			Reason: store.ReasonFormat, Message: fmt.Sprintf("a partition's head (%d bytes) is not of version %d", len(s), version),
		}
	}
	b := []byte(s[1:headerLen])
	return header{
		Epoch: binary.BigEndian.Uint64(b), Generation: binary.BigEndian.Uint64(b[8:]),
		Cursor: binary.BigEndian.Uint64(b[16:]), Revision: binary.BigEndian.Uint64(b[24:]),
	}, nil
}

// parseHead reads a whole head: the header, then a byte 1 and the state, or a byte 0 for none.
func parseHead(s string) (store.Head, error) {
	h, err := parseHeader(s)
	if err != nil {
		return store.Head{}, err
	}
	head := store.Head{Epoch: h.Epoch, Generation: h.Generation, Cursor: h.Cursor, Revision: h.Revision}
	if len(s) > headerLen && s[headerLen] == 1 {
		head.State = []byte(s[headerLen+1:])
	}
	return head, nil
}

// packState makes what stands behind the header in a head.
func packState(state []byte) []byte {
	if state == nil {
		return []byte{0}
	}
	return append(append(make([]byte, 0, len(state)+1), 1), state...)
}
