package hub

import "hale.dev/services/query/internal/column"

// Position is how far something is in a partition.
type Position struct {
	column.Place

	// Known is false where it cannot be said: while the partition is being filled.
	Known bool
	// Generation and Epoch of the store's head: another generation is another set of values; at the same cursor, places
	// of two epochs cannot be compared.
	Generation, Epoch uint64
}

// tells says, of the position at which a partition was filled, whether the rows tell what changed behind another one.
func (p Position) tells(seen Position) bool {
	return p.Known && seen.Known && seen.Generation == p.Generation &&
		(seen.Cursor > p.Cursor || seen.Cursor == p.Cursor && seen.Epoch == p.Epoch && seen.Revision >= p.Revision)
}

// before says whether a place of a partition whose newest change is of an epoch may be behind what p has seen.
func (p Position) before(at column.Place, epoch uint64) bool {
	return at.Cursor > p.Cursor || at.Cursor == p.Cursor && (epoch != p.Epoch || at.Revision > p.Revision)
}

// behind says whether a position is before another one of the same generation.
func (p Position) behind(other Position) bool {
	switch {
	case !p.Known || p.Cursor != other.Cursor:
		return !p.Known || p.Cursor < other.Cursor
	case p.Epoch != other.Epoch:
		return p.Epoch < other.Epoch
	default:
		return p.Revision < other.Revision
	}
}

// Point is how far all partitions are. It is immutable.
type Point struct {
	// Positions by partition.
	Positions []Position
	// AsOf is the log time up to which everything has been told, in microseconds; 0: nothing seen yet.
	AsOf int64

	body func() []byte // of a token, made when first asked for
}
