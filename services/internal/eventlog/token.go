package eventlog

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"

	"hale.dev/services/internal/wire"
)

const (
	tokenVersion  = 1
	maxTokenChars = 64 << 10
)

// Token names the place of a write in the log: for each partition touched the sequence of its last batch. A read
// that carries it waits until the write is in the answer. The zero Token names no place.
type Token struct { //nolint:recvcheck // a value, but for Merge, which changes it
	layout string
	places []place // by partition, each once
}

type place struct {
	partition int
	sequence  uint64
}

// String is the token as clients carry it: base64url of a version, the layout's id, and for each partition the
// distance from the one before and the sequence, as varints. A token without places is the empty string.
func (t Token) String() string {
	if len(t.places) == 0 {
		return ""
	}

	raw := make([]byte, 0, 2+len(t.layout)+4*len(t.places))
	raw = append(raw, tokenVersion)
	raw = wire.Append(raw, t.layout)
	before := 0

	for _, p := range t.places {
		raw = binary.AppendUvarint(raw, uint64(p.partition-before)) //nolint:gosec // sorted
		raw = binary.AppendUvarint(raw, p.sequence)
		before = p.partition
	}

	return base64.RawURLEncoding.EncodeToString(raw)
}

// ParseToken reads a token of this log. Any other string is ErrTokenUnknown, the empty one too.
func (l *Log) ParseToken(s string) (Token, error) { return parseToken(s, l.layout) }

func parseToken(s string, layout Layout) (Token, error) {
	if len(s) > maxTokenChars {
		return Token{}, fmt.Errorf("%w: %d characters", ErrTokenUnknown, len(s))
	}

	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return Token{}, fmt.Errorf("%w: not base64url", ErrTokenUnknown)
	}

	if len(raw) == 0 || raw[0] != tokenVersion {
		return Token{}, fmt.Errorf("%w: unknown version", ErrTokenUnknown)
	}

	id, rest, ok := wire.Cut(raw[1:])
	if !ok {
		return Token{}, fmt.Errorf("%w: cut off", ErrTokenUnknown)
	}

	if string(id) != layout.ID {
		return Token{}, fmt.Errorf("%w: it names another log", ErrTokenUnknown)
	}

	places, err := parsePlaces(rest, layout.Partitions)
	if err != nil {
		return Token{}, err
	}

	return Token{layout: layout.ID, places: places}, nil
}

func parsePlaces(raw []byte, partitions int) ([]place, error) {
	var places []place

	for before := uint64(0); len(raw) > 0; {
		step, n := binary.Uvarint(raw)
		if n <= 0 || step >= uint64(partitions) { //nolint:gosec // positive
			return nil, fmt.Errorf("%w: malformed", ErrTokenUnknown)
		}

		sequence, m := binary.Uvarint(raw[n:])
		if m <= 0 || sequence == 0 {
			return nil, fmt.Errorf("%w: malformed", ErrTokenUnknown)
		}

		partition := before + step
		if partition >= uint64(partitions) || (step == 0 && len(places) > 0) { //nolint:gosec // positive
			return nil, fmt.Errorf("%w: malformed", ErrTokenUnknown)
		}

		places = append(places, place{partition: int(partition), sequence: sequence}) //nolint:gosec // checked
		before, raw = partition, raw[n+m:]
	}

	if len(places) == 0 {
		return nil, fmt.Errorf("%w: it names no place", ErrTokenUnknown)
	}

	return places, nil
}

// Each calls f for every partition that the token names, in order.
func (t Token) Each(f func(partition int, seq uint64)) {
	for _, p := range t.places {
		f(p.partition, p.sequence)
	}
}

// Merge makes t name the later place of the two in every partition. A token of another log changes nothing.
func (t *Token) Merge(o Token) {
	if len(o.places) == 0 {
		return
	}

	if len(t.places) == 0 {
		*t = Token{layout: o.layout, places: slices.Clone(o.places)}

		return
	}

	if t.layout != o.layout {
		return
	}

	all := slices.Concat(t.places, o.places)
	t.places = latest(all)
}

// latest sorts places and keeps the last sequence of each partition.
func latest(places []place) []place {
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(b.sequence, a.sequence))
	})

	return slices.CompactFunc(places, func(a, b place) bool { return a.partition == b.partition })
}
